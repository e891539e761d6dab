"""From one look at ECS to the next state of a service: confirm the loop, decide, treat, see when it is over. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from loopbreaker.judging.crowd import Well
from loopbreaker.judging.detection import confirm
from loopbreaker.judging.ending import Tasks, may_be_the_fix, next_end, over, over_unasked, quiet_at
from loopbreaker.judging.incident import because
from loopbreaker.judging.ladder import bystanders
from loopbreaker.judging.ration import is_kept_back, say_that_it_is_over, say_that_it_loops
from loopbreaker.judging.relapse import closed
from loopbreaker.judging.unwell import Checked
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode, Policy
from loopbreaker.remembering.incident import Finding, Incident
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell, tell_once, untell
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import Trip
from loopbreaker.treating.breaker import blind, recheck
from loopbreaker.treating.case import Case
from loopbreaker.treating.decide import Action, Decision, decide
from loopbreaker.treating.facts import Facts, Unknown, survivors
from loopbreaker.treating.mistakes import mistaken
from loopbreaker.treating.remind import IN_SUMMARY, in_summary, remind
from loopbreaker.treating.steps import RECHECK, UNDER_WAY, soon
from loopbreaker.treating.stopping import begin_rollback, begin_stop

# A service that loops on is looked at this often at least, in seconds.
_LOOK_AGAIN = 600.0
_RAREST = 1800.0
# Services that a summary names.
_NAMED = 10
# What happened in a longer pause between two looks, in seconds, is not known.
_BLIND = 180.0
_SERVED_BY = 4


@dataclass(frozen=True, slots=True)
class Look:
    """What one look led to. `closed` says why `ended`, an incident, is over; empty while it lasts."""

    record: Record
    decision: Decision | None = None
    closed: str = ""
    ended: Incident | None = None


def ask(record: Record, *, now: float) -> Record:
    """The record with `respond` asked to look at it now; if it does not come, it is asked again."""
    return replace(record, asked_at=now, due_at=now + RECHECK, touched_at=max(record.touched_at, now))


def consider(case: Case) -> Look:
    """One look at a service. A decision to act only opens a trip in the record: the calls follow once it is saved."""
    now, facts = case.now, case.facts
    seen = replace(case.record, asked_at=None, due_at=None, touched_at=max(case.record.touched_at, now))
    if seen.incident and isinstance(facts, Facts) and not facts.exists:
        return _close(seen, "the service was deleted", now=now)
    seen = _watched(replace(case, record=seen))
    if seen.trip:
        return Look(_treat(replace(case, record=seen), seen.trip))
    desired = facts.desired_count if isinstance(facts, Facts) else None
    seen = confirm(
        seen,
        desired_count=desired,
        well=_well(facts) if isinstance(facts, Facts) else (),
        checked=_checked(facts) if isinstance(facts, Facts) else (),
        policy=case.policy,
        now=now,
        least_depth=case.wishes.depth,
        silent=case.silent,
    )
    if seen.incident is None:
        return Look(seen)
    ended = _over(replace(case, record=seen))
    if ended and case.record.incident:
        return _close(seen, ended, now=now)
    incident = replace(seen.incident, desired_count=desired or seen.incident.desired_count)
    # What came late may be over when it is found: it is told as what it was, and that it is over by the next look.
    seen = replace(seen, incident=incident, due_at=now + RECHECK if ended else _next_look(incident, case))
    seen = remind(_as_its_owner_asks(seen, case), now=now) if isinstance(facts, Facts) else seen
    if case.record.incident is None and case.limits.mode is not Mode.ALERT:
        # Whether others began to loop with it is known once this is saved: decided at the next look, which follows.
        return Look(replace(seen, asked_at=now))
    case = replace(case, record=seen)
    decision = decide(case)
    return Look(_carry_out(case, decision), decision)


def _watched(case: Case) -> Record:
    """The record with what this look says of who is served. A pause in looking is no proof that nobody was."""
    record, incident, now = case.record, case.record.incident, case.now
    if incident is None or not isinstance(case.facts, Facts):
        return record
    if now > incident.looked_at + _BLIND:
        incident = replace(incident, watched_since=now)
    if case.serving:
        by = dict.fromkeys([*incident.served_by, *sorted({task.deployment_id for task in case.serving})])
        incident = replace(incident, unserved_since=now, served_by=tuple(by)[-_SERVED_BY:])
    failures = case.facts.rollout.failures if case.facts.rollout else -1
    if failures > max(incident.ecs_failures, 0):
        incident = replace(incident, ecs_grew_at=now)
    return replace(record, incident=replace(incident, looked_at=now, ecs_failures=failures))


def _well(facts: Facts) -> tuple[Well, ...]:
    running = (task for task in facts.tasks if task.runs_well and task.started_at is not None)
    return tuple(Well(created_at=task.created_at, started_at=task.started_at or 0.0) for task in running)


def _checked(facts: Facts) -> tuple[Checked, ...]:
    """The RUNNING tasks with what their health checks say: ill by any, well by one."""
    found = []
    for task in facts.tasks:
        if task.last_status != "RUNNING" or task.started_at is None:
            continue
        said = {"HEALTHY": True, "UNHEALTHY": False}.get(task.health)
        targets = {"": None, "healthy": True, "unhealthy": False, "initial": None}.get(task.target_health, False)
        ill, well = False in (said, targets), True in (said, targets)
        if task.target_health == "initial":
            well = False
        found.append(
            Checked(
                created_at=task.created_at,
                started_at=task.started_at,
                deployment_id=task.deployment_id,
                healthy=False if ill else True if well else None,
                judged_at=task.started_at + facts.grace,
            )
        )
    return tuple(found)


def milestone(number: int, policy: Policy) -> int:
    """Of how many services that began together a summary tells: one more than the limit, and doubles of that; or 0."""
    reached = number // (policy.mass_limit + 1)
    return (policy.mass_limit + 1) * 2 ** (reached.bit_length() - 1) if reached else 0


def share(
    record: Record, began: Sequence[ServiceRef], number: int, *, first: bool, policy: Policy, now: float
) -> Record:
    """A loop that has just begun, among all that began about now: one summary stands for many messages.

    began: the newest of the `number` that began. first: whether nobody has told of so many yet (see `milestone`).
    """
    told = [notice for notice in record.notices if notice.kind is NoticeKind.LOOPING and notice.at == now]
    if number <= policy.mass_limit or not told:
        return record
    quiet = _in_summary(untell(record, tuple(told)))
    if not first:
        return quiet
    names = ", ".join(f"{service.cluster}/{service.name}" for service in sorted(began[:_NAMED]))
    more = f" and {number - _NAMED} more" if number > _NAMED else ""
    minutes = policy.mass_window / 60
    why = f"{number} services began to loop within {minutes:.0f} minutes, so none is acted on: {names}{more}"
    return tell(quiet, NoticeKind.MASS, at=now, reason=why, services=number)


def _in_summary(record: Record) -> Record:
    """No reminder of this one, nor that it is not acted on (`decide.mass`): one summary stands for all."""
    assert record.incident is not None
    return replace(record, incident=replace(record.incident, told=(*record.incident.told, "mass", IN_SUMMARY)))


def _treat(case: Case, trip: Trip) -> Record:
    record, now = case.record, case.now
    if isinstance(case.facts, Unknown):
        return blind(record, trip, why=case.facts.why, now=now)
    if record.incident is None:
        return recheck(case, trip)
    asked = _as_its_owner_asks(record, case)
    if asked.notices != record.notices:
        # It was said how it stands: the next look goes on.
        return soon(asked, now=now)
    after = recheck(replace(case, record=asked), trip)
    # While something happens nobody is told how it stands: the next look reminds.
    waits = after.trip is not None and after.trip.step is trip.step and trip.step not in UNDER_WAY
    return remind(after, now=now) if waits and after.notices == asked.notices else after


def _next_look(incident: Incident, case: Case) -> float:
    """When it is quiet; and now and then meanwhile, because the owner may have changed a tag.

    Where nothing may be done about it, the rarer the longer it has lasted: its end is told later by a sixth of that
    at most.
    """
    now, quiet = case.now, quiet_at(incident, case.policy)
    if case.limits.mode is Mode.ALERT and now < quiet:
        return max(quiet, now + min(_RAREST, (now - incident.opened_at) / 6))
    # What is quiet and not over yet lacks tasks, or a proof that they are well.
    again = min(max(quiet, now + max(RECHECK, (now - quiet) / 6)), now + _LOOK_AGAIN)
    return min(again, next_end(incident, policy=case.policy, now=now))


def _as_its_owner_asks(record: Record, case: Case) -> Record:
    """What the owner asks for: silence, or the end of it, and tags that say nothing we understand."""
    incident, now = record.incident, case.now
    assert incident is not None
    silent = case.silent
    if incident.silent and not silent:
        record = replace(record, incident=replace(incident, silent=False))
        record = say_that_it_loops(record, at=now, reason=because(incident))
    elif silent:
        record = replace(record, incident=replace(incident, silent=True))
    elif is_kept_back(incident):
        record = say_that_it_loops(record, at=now, reason=because(incident))
    record = mistaken(record, case.wishes, silent=silent, now=now)
    assert record.incident is not None
    return replace(record, incident=replace(record.incident, channel=case.wishes.channel))


def _over(case: Case) -> str:
    """Why the incident is over; empty while it lasts."""
    incident, facts, policy, now = case.incident, case.facts, case.policy, case.now
    if isinstance(facts, Unknown):
        return over_unasked(incident, facts.why, policy=policy, now=now)
    # At 0 nothing can fail: what we held is quiet from when it came back.
    quiet_since = max(incident.last_failure_at, case.record.history_until)
    incident = replace(incident, last_failure_at=quiet_since)
    # Something else was deployed, or it was tried before it came back.
    changed = facts.primary is not None and may_be_the_fix(facts.primary.id, case.record)
    changed = changed or any(at >= incident.opened_at for at in case.record.trips)
    if facts.primary and facts.primary.id == incident.deployment_id:
        # That the tasks of an older deployment serve says nothing of the one that loops.
        facts = replace(facts, tasks=tuple(t for t in facts.tasks if t.deployment_id == incident.deployment_id))
    alive = survivors(facts, longest_lifetime=incident.longest_lifetime, survivor_age=policy.survivor_age, now=now)
    running = sum(task.last_status == "RUNNING" and task.health != "UNHEALTHY" for task in facts.tasks)
    healthy = sum("healthy" in (task.health.lower(), task.target_health) for task in alive)
    proven = changed or healthy >= facts.desired_count
    tasks = Tasks(desired=facts.desired_count, running=running, lasting=len(alive), proven=proven)
    return over(incident, tasks, policy=policy, now=now)


def _close(record: Record, reason: str, *, now: float) -> Look:
    """The record with its incident over and the ladders empty: what failed before does not count again."""
    # That a loop of a summary is over says the summary of the end.
    ended = record if in_summary(record.incident) else say_that_it_is_over(record, at=now, reason=reason)
    clean = Record(
        service=record.service,
        version=record.version,
        fast=bystanders(record.fast),
        slow=bystanders(record.slow),
        notices=ended.notices,
        trips=record.trips,
        mistakes=record.mistakes,
        digested_at=record.digested_at,
        past=closed(ended.incident, at=now) if ended.incident else record.past,
    )
    return Look(replace(clean, history_until=now, touched_at=now), closed=reason, ended=record.incident)


def _carry_out(case: Case, decision: Decision) -> Record:
    record, now = case.record, case.now
    if case.incident.rolled_back_at and isinstance(case.facts, Facts) and case.own_depth >= case.policy.fast.depth:
        why = "tasks of the revision that it was rolled back to fail again and again as well"
        record = tell_once(record, NoticeKind.ROLLBACK_FAILED, code="rolled-back", at=now, reason=why)
        case = replace(case, record=record)
    match decision.action:
        case Action.STOP:
            return begin_stop(case)
        case Action.ROLLBACK:
            return begin_rollback(case)
        case Action.WAIT:
            return _wait(case, decision)
        case Action.LEAVE:
            watching = decision.asked_for and not decision.final
            left = replace(record, incident=replace(case.incident, finding=None, watching=watching))
            if not decision.asked_for:
                return left
            return tell_once(left, NoticeKind.NOT_STOPPED, code=decision.code, at=now, reason=decision.reason)
    assert_never(decision.action)


def _wait(case: Case, decision: Decision) -> Record:
    """Look again soon, so that nobody who is served in between is missed."""
    record, incident, now = case.record, case.incident, case.now
    finding = incident.finding if decision.code in ("first-finding", "second-finding", "too-soon") else None
    if decision.code == "first-finding":
        assert case.known.primary is not None
        finding = Finding(at=now, deployment_id=case.known.primary.id, failed_at=case.newest_own_failure)
    watched = replace(record, incident=replace(incident, watching=True, finding=finding))
    return watched if decision.code == "depth" else replace(watched, due_at=now + RECHECK)
