"""What `respond` does about one service: look at ECS, decide, act step by step, each step saved before it is taken."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode, Policy
from loopbreaker.record import Incident, Record, Step, Trip
from loopbreaker.stories.ports import ATTEMPTS, Change, ConflictError, Ecs, Table
from loopbreaker.treating.breaker import CALLS, after_call, after_refusal, all_suspended, recheck
from loopbreaker.treating.decide import Decision, Limits
from loopbreaker.treating.facts import Answer, Facts, Refusal, Unknown
from loopbreaker.treating.look import consider, milestone, share
from loopbreaker.treating.scope import Scope


@dataclass(frozen=True, slots=True)
class Tools:
    """What the story works with. `clock` gives seconds since the epoch.

    diagnose: finds out about a loop that was found, and keeps it for the message; None where nobody asks.
    """

    store: Table
    ecs: Ecs
    mode: Mode
    scope: Scope
    policy: Policy
    clock: Callable[[], float]
    diagnose: Callable[[ServiceRef, Incident, Facts | Unknown], None] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One look at a service: how the record changed, the decision where one was due, the incident that ended."""

    change: Change
    decision: Decision | None = None
    ended: Incident | None = None


def respond(service: ServiceRef, tools: Tools) -> Outcome | None:
    """Attend to a service that asked for it; None where nothing is asked, or another invocation is at work on it.

    Whatever this leaves unfinished is found by the sweep: the record says what was begun.
    Raises ConflictError, and the faults of ECS calls that act.
    """
    facts: Facts | Unknown | None = None
    diagnosed = False
    for _ in range(ATTEMPTS):
        before = tools.store.load(service)
        if before.asked_at is None or _is_leased(before, tools.clock()):
            return None
        # Who loses a race reads the record again, and not ECS.
        facts = tools.ecs.read(service) if facts is None else facts
        now = tools.clock()
        look = consider(before, facts=facts, limits=_limits(before, tools), policy=tools.policy, now=now)
        after = look.record
        if after.incident and not before.incident:
            if tools.diagnose and not diagnosed:
                tools.diagnose(service, after.incident, facts)
                diagnosed = True
            began = tools.store.gather(service, at=after.incident.found_at, window=tools.policy.mass_window)
            number = milestone(began, tools.policy)
            first = number > 0 and tools.store.announce(service, number, at=now, window=tools.policy.mass_window)
            after = share(after, began, first=first, policy=tools.policy, now=now)
        if look.ended:
            tools.store.archive(service, look.ended, closed_at=now, reason=look.closed)
        if tools.store.save(after):
            after = _act(replace(after, version=after.version + 1), tools)
            return Outcome(change=Change(before=before, after=after), decision=look.decision, ended=look.ended)
    raise ConflictError(f"{service.key}: lost {ATTEMPTS} races for the record")


def _is_leased(record: Record, now: float) -> bool:
    return bool(record.trip and record.trip.step in CALLS and now < record.trip.lease_until)


def _limits(record: Record, tools: Tools) -> Limits:
    if record.incident is None or tools.mode is Mode.ALERT:
        return Limits(mode=tools.mode)
    began = tools.store.began(at=record.incident.found_at, window=tools.policy.mass_window)
    return Limits(mode=tools.mode, in_scope=tools.scope.allows(record.service), began=len(began))


def _act(record: Record, tools: Tools) -> Record:
    """Make the calls that are left, each saved before it is made and checked against ECS after the one before."""
    while record.trip and record.trip.step in CALLS:
        step, answer = record.trip.step, _call(record.service, record.trip, tools)
        record = _commit(record, _Answered(answer), tools)
        if isinstance(answer, Refusal) and record.trip and record.trip.step is step:
            # Nothing else to try: what was saved stays saved, and the sweep tries again.
            return record
        if record.trip and record.trip.step in CALLS:
            facts = tools.ecs.read(record.service)
            if isinstance(facts, Unknown):
                return record
            record = _commit(record, _Checked(facts, tools.policy), tools)
    return record


@dataclass(frozen=True, slots=True)
class _Answered:
    """The step after a call that was answered or refused."""

    answer: Answer | Refusal

    def __call__(self, record: Record, trip: Trip, now: float) -> Record:
        if isinstance(self.answer, Refusal):
            return after_refusal(record, trip, why=self.answer.why, now=now)
        return after_call(record, trip, deployment_id=self.answer.deployment_id, now=now)


@dataclass(frozen=True, slots=True)
class _Checked:
    """The step that fits the facts."""

    facts: Facts
    policy: Policy

    def __call__(self, record: Record, trip: Trip, now: float) -> Record:
        return recheck(record, trip, self.facts, policy=self.policy, now=now)


def _call(service: ServiceRef, trip: Trip, tools: Tools) -> Answer | Refusal:
    """Make the call that a step names."""
    ecs = tools.ecs
    match trip.step:
        case Step.SUSPEND_SCALING:
            # Only before zeroing: any RegisterScalableTarget on a target whose count is below its minimum lifts
            # the count back up (Application Auto Scaling API reference, RegisterScalableTarget).
            assert trip.scaling is not None
            return ecs.set_suspended(service, all_suspended(trip.scaling))
        case Step.SET_ZERO:
            return ecs.set_desired_count(service, 0)
        case Step.SET_ONE:
            return ecs.set_desired_count(service, 1)
        case Step.RESTORE_COUNT:
            return ecs.set_desired_count(service, trip.restored_count)
        case Step.RESTORE_SCALING:
            assert trip.scaling is not None
            return ecs.set_suspended(service, trip.scaling)
        case Step.STOP_DEPLOYMENT:
            return ecs.roll_back(trip.service_deployment)
        case Step.HELD | Step.PROBING | Step.RAISED | Step.ROLLING_BACK:
            raise AssertionError(f"{trip.step} names no call")
    assert_never(trip.step)


def _commit(record: Record, change: Callable[[Record, Trip, float], Record], tools: Tools) -> Record:
    """Save a step over whatever `detect` folded in meanwhile."""
    for _ in range(ATTEMPTS):
        assert record.trip is not None
        after = change(record, record.trip, tools.clock())
        if tools.store.save(after):
            return replace(after, version=after.version + 1)
        mine, record = record.trip, tools.store.load(record.service)
        if record.trip != mine:
            raise ConflictError(f"{record.service.key}: another invocation took over")
    raise ConflictError(f"{record.service.key}: lost {ATTEMPTS} races for the record")
