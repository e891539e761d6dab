"""From one look at ECS to the next state of a service: confirm the loop, decide, treat, see when it is over. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from loopbreaker.judging.crowd import Well
from loopbreaker.judging.detection import because, confirm
from loopbreaker.judging.ending import Tasks, over, over_unasked, quiet_at
from loopbreaker.judging.ladder import bystanders
from loopbreaker.judging.relapse import closed
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode, Policy
from loopbreaker.record import Finding, Incident, NoticeKind, Record, Step, tell, tell_once, untell
from loopbreaker.treating.breaker import RECHECK, recheck, roll_back, trip_to_zero
from loopbreaker.treating.decide import Action, Decision, Limits, decide
from loopbreaker.treating.facts import Facts, Unknown, survivors
from loopbreaker.treating.owner import Wishes, wishes

# A service that loops on is looked at this often at least, in seconds.
_LOOK_AGAIN = 600.0
# Services that a summary names.
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Look:
    """What one look led to. `closed` says why `ended`, an incident, is over; empty while it lasts.

    An incident that is heard of late may be found and over in one look.
    """

    record: Record
    decision: Decision | None = None
    closed: str = ""
    ended: Incident | None = None


def ask(record: Record, *, now: float) -> Record:
    """The record with `respond` asked to look at it now; if it does not come, it is asked again."""
    return replace(record, asked_at=now, due_at=now + RECHECK, touched_at=max(record.touched_at, now))


def consider(record: Record, *, facts: Facts | Unknown, limits: Limits, policy: Policy, now: float) -> Look:
    """One look at a service. A decision to act only opens a trip in the record: the calls follow once it is saved."""
    seen = replace(record, asked_at=None, due_at=None, touched_at=max(record.touched_at, now))
    if seen.incident and isinstance(facts, Facts) and not facts.exists:
        return _close(seen, "the service was deleted", now=now)
    if seen.trip and seen.trip.step is not Step.RAISED:
        return Look(_treat(seen, facts, policy=policy, now=now))
    wanted = wishes(facts.tags) if isinstance(facts, Facts) else Wishes()
    desired = facts.desired_count if isinstance(facts, Facts) else None
    seen = confirm(
        seen,
        desired_count=desired,
        well=_well(facts) if isinstance(facts, Facts) else (),
        policy=policy,
        now=now,
        least_depth=wanted.depth,
        silent=wanted.silent(now, seen.history.shown),
    )
    if seen.incident is None:
        return Look(seen)
    ended = _over(seen.incident, facts, policy=policy, now=now)
    if ended:
        return _end(seen, facts, ended, policy=policy, now=now)
    incident = replace(seen.incident, desired_count=desired or seen.incident.desired_count)
    seen = replace(seen, incident=incident, due_at=_next_look(incident, policy, now))
    seen = _heed(seen, wanted, now=now) if isinstance(facts, Facts) else seen
    if record.incident is None and limits.mode is not Mode.ALERT:
        # Whether others began to loop with it is known once this is saved: decided at the next look, which follows.
        return Look(replace(seen, asked_at=now))
    decision = decide(facts, seen, limits=limits, policy=policy, now=now)
    return Look(_carry_out(seen, decision, facts, policy=policy, now=now), decision)


def _well(facts: Facts) -> tuple[Well, ...]:
    running = (task for task in facts.tasks if task.runs_well and task.started_at is not None)
    return tuple(Well(created_at=task.created_at, started_at=task.started_at or 0.0) for task in running)


def milestone(began: Sequence[ServiceRef], policy: Policy) -> int:
    """Of how many services that began together a summary tells: one more than the limit, and doubles of that; or 0."""
    reached = len(began) // (policy.mass_limit + 1)
    return (policy.mass_limit + 1) * 2 ** (reached.bit_length() - 1) if reached else 0


def share(record: Record, began: Sequence[ServiceRef], *, first: bool, policy: Policy, now: float) -> Record:
    """A loop that has just begun, among all that began about now: one summary stands for many messages.

    first: whether nobody has told of so many yet (see `milestone`).
    """
    told = [notice for notice in record.notices if notice.kind is NoticeKind.LOOPING and notice.at == now]
    if len(began) <= policy.mass_limit or not told:
        return record
    quiet = untell(record, tuple(told))
    if not first:
        return quiet
    names = ", ".join(f"{service.cluster}/{service.name}" for service in sorted(began[:_NAMED]))
    more = f" and {len(began) - _NAMED} more" if len(began) > _NAMED else ""
    minutes = policy.mass_window / 60
    why = f"{len(began)} services began to loop within {minutes:.0f} minutes, so none is acted on: {names}{more}"
    return tell(quiet, NoticeKind.MASS, at=now, reason=why)


def _treat(record: Record, facts: Facts | Unknown, *, policy: Policy, now: float) -> Record:
    trip = record.trip
    assert trip is not None
    if isinstance(facts, Unknown):
        return replace(record, due_at=now + RECHECK)
    return recheck(record, trip, facts, policy=policy, now=now)


def _next_look(incident: Incident, policy: Policy, now: float) -> float:
    """When it is quiet; and now and then meanwhile, because the owner may have changed a tag."""
    return min(max(quiet_at(incident, policy), now + RECHECK), now + _LOOK_AGAIN)


def _heed(record: Record, wanted: Wishes, *, now: float) -> Record:
    """What the owner asks for: silence, or the end of it, and tags that say nothing we understand."""
    incident = record.incident
    assert incident is not None
    if incident.silent and not wanted.silent(now, incident.history.shown):
        record = replace(record, incident=replace(incident, silent=False))
        record = tell(record, NoticeKind.LOOPING, at=now, reason=because(incident))
    for problem in wanted.problems:
        record = tell_once(record, NoticeKind.BAD_TAG, code=problem, at=now, reason=problem)
    return record


def _over(incident: Incident, facts: Facts | Unknown, *, policy: Policy, now: float) -> str:
    """Why the incident is over; empty while it lasts."""
    if isinstance(facts, Unknown):
        return over_unasked(incident, facts.why, policy=policy, now=now)
    if facts.primary and facts.primary.id == incident.deployment_id:
        # That the tasks of an older deployment serve says nothing of the one that loops.
        facts = replace(facts, tasks=tuple(t for t in facts.tasks if t.deployment_id == incident.deployment_id))
    alive = survivors(facts, longest_lifetime=incident.longest_lifetime, survivor_age=policy.survivor_age, now=now)
    running = sum(task.last_status == "RUNNING" and task.health != "UNHEALTHY" for task in facts.tasks)
    tasks = Tasks(desired=facts.desired_count, running=running, lasting=len(alive))
    return over(incident, tasks, policy=policy, now=now)


def _end(record: Record, facts: Facts | Unknown, reason: str, *, policy: Policy, now: float) -> Look:
    """Close the incident, but first give scaling flags back that are still as we left them."""
    trip = record.trip
    if trip and isinstance(facts, Facts) and facts.exists:
        giving = replace(trip, step=Step.RESTORE_SCALING, why="")
        returned = recheck(replace(record, trip=giving), giving, facts, policy=policy, now=now)
        if returned.trip:
            return Look(returned)
    return _close(record, reason, now=now)


def _close(record: Record, reason: str, *, now: float) -> Look:
    """The record with its incident over and the ladders empty: what failed before does not count again."""
    ended = tell(record, NoticeKind.RECOVERED, at=now, reason=reason)
    clean = Record(
        service=record.service,
        version=record.version,
        fast=bystanders(record.fast),
        slow=bystanders(record.slow),
        notices=ended.notices,
        trips=record.trips,
        past=closed(record.incident, at=now) if record.incident else record.past,
    )
    return Look(replace(clean, history_until=now, touched_at=now), closed=reason, ended=record.incident)


def _carry_out(record: Record, decision: Decision, facts: Facts | Unknown, *, policy: Policy, now: float) -> Record:
    incident = record.incident
    assert incident is not None
    match decision.action:
        case Action.STOP:
            assert isinstance(facts, Facts)
            return trip_to_zero(record, facts, incident, policy=policy, now=now)
        case Action.ROLLBACK:
            assert isinstance(facts, Facts)
            return roll_back(record, facts, now=now)
        case Action.WAIT:
            return _wait(record, incident, decision, policy=policy, now=now)
        case Action.LEAVE:
            left = replace(
                record, incident=replace(incident, finding=None, watching=decision.asked_for and not decision.final)
            )
            if not decision.asked_for:
                return left
            return tell_once(left, NoticeKind.NOT_STOPPED, code=decision.code, at=now, reason=decision.reason)


def _wait(record: Record, incident: Incident, decision: Decision, *, policy: Policy, now: float) -> Record:
    watched = replace(incident, watching=True)
    if decision.code == "depth":
        return replace(record, incident=replace(watched, finding=None))
    finding = incident.finding
    if finding is None or decision.code == "first-finding":
        finding = Finding(at=now, deployment_id=incident.deployment_id)
    return replace(record, incident=replace(watched, finding=finding), due_at=finding.at + policy.confirm_after)
