"""What `respond` does about one service: look at ECS, decide, act step by step, each step saved before it is taken."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, assert_never

from loopbreaker.decide import Decision
from loopbreaker.facts import Facts, Unknown, survivors
from loopbreaker.ingest import ATTEMPTS, Change, ConflictError, Store
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode, Policy
from loopbreaker.record import BreakerState, Incident, NoticeKind, Record, Scaling, Trip, TripStep, tell
from loopbreaker.treatment import LEASE, RECHECK, consider


class Ecs(Protocol):
    """ECS and Application Auto Scaling, as the story sees them. Faults of the calls that act are exceptions."""

    def read(self, service: ServiceRef) -> Facts | Unknown:
        """The facts of the service, or why they could not be read."""

    def set_desired_count(self, service: ServiceRef, count: int) -> str:
        """Set the count; the id of the PRIMARY deployment in the answer."""

    def set_suspended(self, service: ServiceRef, scaling: Scaling) -> None:
        """Give the scaling target the three suspended flags of `scaling`."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the story works with. `clock` gives seconds since the epoch."""

    store: Store
    ecs: Ecs
    mode: Mode
    policy: Policy
    clock: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One look at a service: how the record changed, and the decision where one was due."""

    change: Change
    decision: Decision | None


def intervene(service: ServiceRef, tools: Tools) -> Outcome | None:
    """Attend to a service that asked for it; None where nothing is asked, or another invocation is at work on it.

    Whatever this leaves unfinished is found by the sweep: the record says what was begun.
    Raises ConflictError, and the faults of ECS calls that act.
    """
    for _ in range(ATTEMPTS):
        before = tools.store.load(service)
        if before.asked_at is None or _is_leased(before, tools.clock()):
            return None
        facts = tools.ecs.read(service)
        if before.trip and before.trip.step is not TripStep.DONE:
            return _resume(before, before.trip, facts, tools)
        since = _since(before)
        evidence = tools.store.evidence(service, since=since)
        after, decision = consider(
            before, facts=facts, evidence=evidence, mode=tools.mode, policy=tools.policy, now=tools.clock()
        )
        if before.incident and after.incident is None:
            reason = after.notices[-1].reason
            tools.store.archive(service, before.incident, closed_at=after.closed_at, reason=reason)
        if not tools.store.save(after):
            continue
        if after.trip and after.trip is not before.trip:
            after = _trip(replace(after, version=after.version + 1), after.trip, tools)
        return Outcome(change=Change(before=before, after=after), decision=decision)
    raise ConflictError(f"{service.key}: lost {ATTEMPTS} races for the record")


def _is_leased(record: Record, now: float) -> bool:
    return bool(record.trip and record.trip.step is not TripStep.DONE and now < record.trip.lease_until)


def _since(record: Record) -> float:
    if record.incident:
        return record.incident.first_failure_at
    return record.suspicion.since if record.suspicion else record.touched_at


def _resume(before: Record, trip: Trip, facts: Facts | Unknown, tools: Tools) -> Outcome | None:
    """Finish a trip that was left half-way, or undo it where the service has changed since."""
    now = tools.clock()
    leased = replace(
        before, trip=replace(trip, lease_until=now + LEASE), asked_at=None, due_at=now + LEASE, touched_at=now
    )
    if isinstance(facts, Unknown):
        leased = replace(leased, trip=trip, due_at=now + RECHECK)
    if not tools.store.save(leased):
        return None
    if isinstance(facts, Unknown) or leased.trip is None:
        return Outcome(change=Change(before=before, after=leased), decision=None)
    leased = replace(leased, version=leased.version + 1)
    if trip.step is not TripStep.PUT_BACK and _has_changed(facts, trip, before.incident, tools, now):
        leased = _step(leased, TripStep.PUT_BACK, tools)
    after = _trip(leased, leased.trip or trip, tools)
    return Outcome(change=Change(before=before, after=after), decision=None)


def _has_changed(facts: Facts, trip: Trip, incident: Incident | None, tools: Tools, now: float) -> bool:
    """Whether what justified the trip no longer holds: another deployment, or a task that serves again."""
    if facts.primary is None or facts.primary.id != trip.deployment_id or facts.in_progress or incident is None:
        return True
    return facts.desired_count > 0 and bool(
        survivors(facts, longest_lifetime=incident.longest_lifetime, survivor_age=tools.policy.survivor_age, now=now)
    )


def _trip(record: Record, trip: Trip, tools: Tools) -> Record:
    """Take the steps that are left, each saved before the next, until the service is stopped or put back."""
    service = record.service
    match trip.step:
        case TripStep.SUSPEND_SCALING:
            assert trip.scaling is not None
            # Only before zeroing: any RegisterScalableTarget on a target whose count is below its minimum lifts
            # the count back up (Application Auto Scaling API reference, RegisterScalableTarget).
            tools.ecs.set_suspended(service, _all_suspended(trip.scaling))
            record = _step(record, TripStep.SET_ZERO, tools)
            return _trip(record, record.trip or trip, tools)
        case TripStep.SET_ZERO:
            if tools.ecs.set_desired_count(service, 0) != trip.deployment_id:
                # UpdateService has no compare-and-set: somebody deployed between our look and our call.
                record = _step(record, TripStep.PUT_BACK, tools)
                return _trip(record, record.trip or trip, tools)
            return _finish(record, trip, tools)
        case TripStep.PUT_BACK:
            return _put_back(record, trip, tools)
        case TripStep.DONE:
            return record
    assert_never(trip.step)


def _finish(record: Record, trip: Trip, tools: Tools) -> Record:
    tasks = "1 task" if trip.desired_count == 1 else f"{trip.desired_count} tasks"

    def stopped(latest: Record) -> Record:
        now = tools.clock()
        done = replace(latest, breaker=BreakerState.OPEN, trip=replace(trip, step=TripStep.DONE), due_at=now + RECHECK)
        return tell(done, NoticeKind.STOPPED, at=now, reason=f"desired count set from {tasks} to 0")

    return _commit(record, stopped, tools)


def _put_back(record: Record, trip: Trip, tools: Tools) -> Record:
    """Give the service its count and its scaling flags again, where they are still as we left them."""
    facts = tools.ecs.read(record.service)
    if isinstance(facts, Unknown):
        return record
    if facts.exists and facts.desired_count == 0:
        tools.ecs.set_desired_count(record.service, trip.desired_count)
    if facts.scaling and trip.scaling and facts.scaling.suspended and not trip.scaling.suspended:
        tools.ecs.set_suspended(record.service, trip.scaling)

    def restored(latest: Record) -> Record:
        now = tools.clock()
        incident = replace(latest.incident, finding=None) if latest.incident else None
        back = replace(latest, trip=None, incident=incident, due_at=now + RECHECK)
        reason = "the service changed while it was being stopped, and everything was put back"
        return tell(back, NoticeKind.NOT_STOPPED, at=now, reason=reason)

    return _commit(record, restored, tools)


def _step(record: Record, step: TripStep, tools: Tools) -> Record:
    def stepped(latest: Record) -> Record:
        assert latest.trip is not None
        return replace(latest, trip=replace(latest.trip, step=step))

    return _commit(record, stepped, tools)


def _commit(record: Record, change: Callable[[Record], Record], tools: Tools) -> Record:
    """Save a step of the trip, over whatever `detect` folded in meanwhile."""
    for _ in range(ATTEMPTS):
        after = change(record)
        if tools.store.save(after):
            return replace(after, version=after.version + 1)
        mine, record = record, tools.store.load(record.service)
        if not (record.trip and mine.trip and record.trip.started_at == mine.trip.started_at):
            raise ConflictError(f"{record.service.key}: another invocation took the trip over")
    raise ConflictError(f"{record.service.key}: lost {ATTEMPTS} races for the record")


def _all_suspended(scaling: Scaling) -> Scaling:
    return replace(scaling, dynamic_in_suspended=True, dynamic_out_suspended=True, scheduled_suspended=True)
