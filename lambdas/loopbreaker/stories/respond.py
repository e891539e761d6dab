"""What `respond` does about one service: look at ECS, decide, act step by step, each step saved before it is taken."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from loopbreaker.drill import is_drill
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode, Policy
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import Trip
from loopbreaker.stories.ports import ATTEMPTS, Change, ConflictError, Ecs, Incidents
from loopbreaker.stories.rehearsal import rehearsal
from loopbreaker.stories.together import DIAGNOSED, begin_together, end_together, go_on_together, try_together
from loopbreaker.treating.breaker import recheck
from loopbreaker.treating.case import Case, Limits
from loopbreaker.treating.decide import Decision
from loopbreaker.treating.facts import Answer, Facts, Refusal, Unknown
from loopbreaker.treating.look import consider
from loopbreaker.treating.owner import wishes
from loopbreaker.treating.remind import in_summary
from loopbreaker.treating.scope import Scope
from loopbreaker.treating.steps import UNDER_WAY, Call, Order, after_call, after_refusal, order_of

# Calls in one invocation: more than any way through the steps has.
_CALLS = 12


@dataclass(frozen=True, slots=True)
class Tools:
    """What the story works with. `clock` gives seconds since the epoch.

    diagnose: finds out about a loop that was found, and keeps it for the message; None where nobody asks.
    """

    store: Incidents
    ecs: Ecs
    mode: Mode
    scope: Scope
    policy: Policy
    clock: Callable[[], float]
    diagnose: Callable[[ServiceRef, Incident, Facts | Unknown], None] | None = None


@dataclass(frozen=True, slots=True)
class Attended:
    """One look at a service: how the record changed, the decision where one was due, the incident that ended."""

    change: Change
    decision: Decision | None = None
    ended: Incident | None = None


def respond(service: ServiceRef, tools: Tools) -> Attended | None:
    """Attend to a service that asked for it; None where nothing is asked, or another invocation is at work on it.

    Whatever this leaves unfinished is found by the sweep: the record says what was begun.
    Raises ConflictError, and the faults of ECS calls that act.
    """
    if is_drill(service):
        tools = replace(tools, ecs=rehearsal(tools.store), mode=Mode.ALERT, diagnose=None)
    facts: Facts | Unknown | None = None
    diagnosed = False
    for _ in range(ATTEMPTS):
        before = tools.store.load(service)
        if before.asked_at is None or _is_leased(before, tools.clock()):
            return None
        # Who loses a race reads the record again, and not ECS.
        facts = tools.ecs.read(service) if facts is None else facts
        case = _case(before, facts, tools)
        look = consider(case)
        after = look.record
        if after.incident and not before.incident:
            after, number = begin_together(after, store=tools.store, policy=tools.policy, now=case.now)
            # Of a great many the cause is shared: a few of them are enough to find it, and ECS is spared.
            if tools.diagnose and not diagnosed and after.incident and number <= DIAGNOSED:
                tools.diagnose(service, after.incident, facts)
                diagnosed = True
        elif in_summary(after.incident):
            after = go_on_together(before, after, store=tools.store, policy=tools.policy, now=case.now)
        if look.ended:
            if in_summary(look.ended):
                after = end_together(after, store=tools.store, now=case.now)
            tools.store.archive(service, look.ended, closed_at=case.now, reason=look.closed)
        if tools.store.save(after):
            after = _act(replace(after, version=after.version + 1), tools)
            _try_others(before, after, tools)
            return Attended(change=Change(before=before, after=after), decision=look.decision, ended=look.ended)
    raise ConflictError(f"{service.key}: lost {ATTEMPTS} races for the record")


def _try_others(before: Record, after: Record, tools: Tools) -> None:
    """Where its loop is over, or it was held and runs again, or it serves again: those that began to loop with it are
    tried.
    """
    trip, incident = before.trip, before.incident
    came_back = trip is not None and trip.zeroed and not trip.undo and after.trip is None
    over = came_back or after.incident is None
    if incident is None or tools.mode is not Mode.STOP:
        # Nothing is held.
        return
    if over or (trip is None and _serves_again(incident, after.incident)):
        try_together(incident, before.service, store=tools.store, policy=tools.policy, sure=over, now=tools.clock())


def _serves_again(before: Incident, after: Incident | None) -> bool:
    """Whether nobody was served at the last look, and somebody is at this one."""
    return after is not None and before.unserved_since < before.looked_at < after.looked_at == after.unserved_since


def _is_leased(record: Record, now: float) -> bool:
    return bool(record.trip and record.trip.step in UNDER_WAY and now < record.trip.lease_until)


def _case(record: Record, facts: Facts | Unknown, tools: Tools) -> Case:
    limits = _limits(record, facts, tools)
    return Case(record=record, facts=facts, limits=limits, policy=tools.policy, now=tools.clock())


def _limits(record: Record, facts: Facts | Unknown, tools: Tools) -> Limits:
    """What the installation allows, and how many services began to loop within the time that stopping waits."""
    if record.incident is None or tools.mode is Mode.ALERT:
        return Limits(mode=tools.mode)
    tags = facts.tags if isinstance(facts, Facts) else {}
    stop_after = wishes(tags).stop_after or tools.policy.stop_after
    window = max(tools.policy.mass_window, stop_after)
    began = tools.store.began(at=record.incident.found_at, window=window)
    return Limits(mode=tools.mode, in_scope=tools.scope.allows(record.service), began=len(began))


def _act(record: Record, tools: Tools) -> Record:
    """Make the calls that are due. Right before each the facts are read, and all is decided again on them."""
    for _ in range(_CALLS):
        if record.trip is None or record.trip.step not in UNDER_WAY:
            return record
        facts = tools.ecs.read(record.service)
        if isinstance(facts, Unknown):
            return record
        record = _commit(record, _Checked(facts, tools), tools)
        order = order_of(record.trip) if record.trip else None
        if record.trip is None or record.trip.odd_at or order is None:
            return record
        step, answer = record.trip.step, _call(record.service, order, tools)
        record = _commit(record, _Answered(answer), tools)
        if isinstance(answer, Refusal) and record.trip and record.trip.step is step:
            # Nothing else to try: what was saved stays saved, and the sweep tries again.
            return record
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
    """The step that fits the facts, by what this installation allows now."""

    facts: Facts
    tools: Tools

    def __call__(self, record: Record, trip: Trip, _now: float) -> Record:
        return recheck(_case(record, self.facts, self.tools), trip)


def _call(service: ServiceRef, order: Order, tools: Tools) -> Answer | Refusal:
    """Make one call."""
    ecs = tools.ecs
    match order.call:
        case Call.TAG:
            return ecs.tag_held(service, count=order.count, since=tools.clock())
        case Call.UNTAG:
            return ecs.untag_held(service)
        case Call.SUSPEND | Call.RESUME_SCALING:
            assert order.scaling is not None
            return ecs.set_suspended(service, order.scaling)
        case Call.SET_COUNT:
            return ecs.set_desired_count(service, order.count)
        case Call.ROLL_BACK:
            return ecs.roll_back(order.arn)
    assert_never(order.call)


def _commit(record: Record, change: Callable[[Record, Trip, float], Record], tools: Tools) -> Record:
    """Save a step over whatever `detect` folded in meanwhile."""
    for _ in range(ATTEMPTS):
        assert record.trip is not None
        after = change(record, record.trip, tools.clock())
        if after == record:
            return record
        if tools.store.save(after):
            return replace(after, version=after.version + 1)
        mine, record = record.trip, tools.store.load(record.service)
        if record.trip != mine:
            raise ConflictError(f"{record.service.key}: another invocation took over")
    raise ConflictError(f"{record.service.key}: lost {ATTEMPTS} races for the record")
