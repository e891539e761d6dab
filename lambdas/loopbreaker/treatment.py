"""From a verdict to the next state of a service: confirm the loop, decide, see when it is over. Pure."""

from dataclasses import replace

from loopbreaker.decide import Action, Decision, decide
from loopbreaker.detection import Evidence, confirm, count, quiet_at
from loopbreaker.facts import Facts, Unknown, survivors
from loopbreaker.policy import Mode, Policy
from loopbreaker.record import (
    BreakerState,
    Finding,
    Incident,
    NoticeKind,
    Record,
    Trip,
    TripStep,
    tell,
)

# How soon a quiet service, and one that we hold at 0, is looked at again, in seconds.
RECHECK = 60.0
# Longer than a function may run, in seconds: who finds an older step unfinished may finish it.
LEASE = 150.0


def ask(record: Record, *, now: float) -> Record:
    """The record with `respond` asked to look at it now; if it does not come, it is asked again."""
    return replace(record, asked_at=now, due_at=now + RECHECK, touched_at=max(record.touched_at, now))


def consider(
    record: Record, *, facts: Facts | Unknown, evidence: Evidence, mode: Mode, policy: Policy, now: float
) -> tuple[Record, Decision | None]:
    """The record after one look at ECS, and the decision where one was due.

    A decision to stop only opens a trip in the record: the calls follow once that is saved.
    """
    seen = replace(record, asked_at=None, due_at=None, touched_at=max(record.touched_at, now))
    desired = facts.desired_count if isinstance(facts, Facts) else None
    seen = confirm(seen, desired_count=desired, evidence=evidence, policy=policy, now=now)
    if seen.incident is None:
        return seen, None
    over = _over(seen, seen.incident, facts, policy=policy, now=now)
    if over:
        return close(seen, reason=over, now=now), None
    incident = count(replace(seen.incident, desired_count=desired or seen.incident.desired_count), evidence)
    seen = replace(seen, incident=incident, due_at=max(quiet_at(incident, policy), now + RECHECK))
    if seen.breaker is BreakerState.OPEN:
        return _held(seen, incident, facts, now=now), None
    if not incident.watching:
        return seen, None
    decision = decide(facts, incident, mode=mode, policy=policy, now=now)
    return _carry_out(seen, incident, decision, facts, policy=policy, now=now), decision


def close(record: Record, *, reason: str, now: float) -> Record:
    """The record with its incident over and the ladders empty: what failed before does not count again."""
    clean = Record(service=record.service, version=record.version, notices=record.notices)
    return tell(replace(clean, closed_at=now, touched_at=now), NoticeKind.RECOVERED, at=now, reason=reason)


def _over(record: Record, incident: Incident, facts: Facts | Unknown, *, policy: Policy, now: float) -> str:
    """Why the incident is over; empty while it lasts."""
    if isinstance(facts, Unknown):
        if now >= incident.last_failure_at + policy.blind_quiet_after and record.breaker is BreakerState.CLOSED:
            return (
                f"no task failed for {policy.blind_quiet_after / 60:.0f} minutes; ECS could not be asked ({facts.why})"
            )
        return ""
    if not facts.exists:
        return "the service was deleted"
    if record.breaker is not BreakerState.CLOSED:
        return ""
    if facts.desired_count == 0:
        return "somebody set its desired count to 0"
    if now < quiet_at(incident, policy):
        return ""
    alive = survivors(facts, longest_lifetime=incident.longest_lifetime, survivor_age=policy.survivor_age, now=now)
    if len(alive) < facts.desired_count:
        return ""
    quiet = (now - incident.last_failure_at) / 60
    return f"no task failed for {quiet:.0f} minutes and all {facts.desired_count} tasks run"


def _held(record: Record, incident: Incident, facts: Facts | Unknown, *, now: float) -> Record:
    """We hold the service at 0. Where somebody has started it again, it is theirs, and only what fails anew counts."""
    held = replace(record, due_at=now + RECHECK)
    if isinstance(facts, Unknown) or facts.desired_count == 0:
        return held
    afresh = replace(incident, depth=0, finding=None)
    return replace(
        held, breaker=BreakerState.CLOSED, trip=None, incident=afresh, fast=(), slow=(), impaired=(), closed_at=now
    )


def _carry_out(
    record: Record, incident: Incident, decision: Decision, facts: Facts | Unknown, *, policy: Policy, now: float
) -> Record:
    match decision.action:
        case Action.STOP:
            assert isinstance(facts, Facts)
            return replace(record, trip=_trip(facts, incident, now), due_at=now + LEASE)
        case Action.WAIT:
            return _wait(record, incident, decision, policy=policy, now=now)
        case Action.LEAVE:
            left = replace(incident, finding=None, watching=not decision.final)
            if not decision.asked_for or decision.code in incident.declined:
                return replace(record, incident=left)
            left = replace(left, declined=(*incident.declined, decision.code))
            return tell(replace(record, incident=left), NoticeKind.NOT_STOPPED, at=now, reason=decision.reason)


def _wait(record: Record, incident: Incident, decision: Decision, *, policy: Policy, now: float) -> Record:
    if decision.code == "depth":
        return replace(record, incident=replace(incident, finding=None))
    finding = incident.finding
    if finding is None or decision.code == "first-finding":
        finding = Finding(at=now, deployment_id=incident.deployment_id)
    return replace(record, incident=replace(incident, finding=finding), due_at=finding.at + policy.confirm_after)


def _trip(facts: Facts, incident: Incident, now: float) -> Trip:
    suspend = facts.scaling is not None and not facts.scaling.suspended
    primary = facts.primary
    assert primary is not None
    return Trip(
        step=TripStep.SUSPEND_SCALING if suspend else TripStep.SET_ZERO,
        started_at=now,
        lease_until=now + LEASE,
        desired_count=facts.desired_count,
        deployment_id=incident.deployment_id,
        task_definition=primary.task_definition,
        scaling=facts.scaling,
    )
