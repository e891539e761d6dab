"""The breaker: how a service is stopped, held, tried, and brought back, step by step. Pure.

Every step that makes a call is saved before the call. A step may be found unfinished: the call was not made, or it
was made and its answer lost. `recheck` looks at the facts and finds which, so that no harmful call is repeated.
"""

from dataclasses import replace
from typing import assert_never

from loopbreaker.policy import Policy
from loopbreaker.record import BreakerState, Incident, NoticeKind, Record, Scaling, Step, Trip, tell, tell_once
from loopbreaker.treating.facts import Facts, survivors
from loopbreaker.treating.owner import Recovery, wishes

# How soon a service that we treat is looked at again, in seconds: less than a minute, so that each sweep looks.
RECHECK = 20.0
# Longer than a function may run, in seconds: who finds an older step unfinished may finish it.
LEASE = 150.0
# The steps that make a call.
CALLS = (
    Step.SUSPEND_SCALING,
    Step.SET_ZERO,
    Step.SET_ONE,
    Step.RESTORE_COUNT,
    Step.RESTORE_SCALING,
    Step.STOP_DEPLOYMENT,
)
_CHANGED = "the service changed while it was being stopped, and everything was put back"
_STATE = {Step.HELD: BreakerState.OPEN, Step.PROBING: BreakerState.HALF_OPEN}
_ROLLING_BACK = ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")


def trip_to_zero(record: Record, facts: Facts, incident: Incident, *, policy: Policy, now: float) -> Record:
    """Begin to stop the service. What it was is saved first; flags that we suspended before are not its own."""
    assert facts.primary is not None
    scaling = record.trip.scaling if record.trip else facts.scaling
    trip = Trip(
        step=Step.SUSPEND_SCALING if facts.scaling and not facts.scaling.suspended else Step.SET_ZERO,
        since=now,
        lease_until=now + LEASE,
        desired_count=facts.desired_count,
        deployment_id=incident.deployment_id,
        task_definition=facts.primary.task_definition,
        scaling=scaling,
        cool_down=record.trip.cool_down if record.trip else policy.cool_down,
    )
    return replace(record, trip=trip, due_at=now + LEASE)


def roll_back(record: Record, facts: Facts, *, now: float) -> Record:
    """Begin to roll the deployment in progress back."""
    assert facts.primary is not None
    assert facts.rollout is not None
    trip = Trip(
        step=Step.STOP_DEPLOYMENT,
        since=now,
        lease_until=now + LEASE,
        desired_count=facts.desired_count,
        deployment_id=facts.primary.id,
        task_definition=facts.primary.task_definition,
        scaling=None,
        service_deployment=facts.rollout.arn,
    )
    return replace(record, trip=trip, due_at=now + LEASE)


def recheck(record: Record, trip: Trip, facts: Facts, *, policy: Policy, now: float) -> Record:
    """Where the treatment stands, by what ECS says now: an unfinished call, a service that we hold, a try."""
    match trip.step:
        case Step.SUSPEND_SCALING | Step.SET_ZERO:
            return _recheck_stopping(record, trip, facts, policy=policy, now=now)
        case Step.HELD:
            return _recheck_held(record, trip, facts, policy=policy, now=now)
        case Step.SET_ONE | Step.PROBING:
            return _recheck_probing(record, trip, facts, policy=policy, now=now)
        case Step.RESTORE_COUNT | Step.RESTORE_SCALING:
            return _recheck_restoring(record, trip, facts, now=now)
        case Step.STOP_DEPLOYMENT | Step.ROLLING_BACK:
            return _recheck_rollback(record, trip, facts, now=now)
        case Step.RAISED:
            return record
    assert_never(trip.step)


def after_call(record: Record, trip: Trip, *, deployment_id: str, now: float) -> Record:
    """The next step once a call was answered. `deployment_id` is the PRIMARY one in the answer of UpdateService."""
    match trip.step:
        case Step.SUSPEND_SCALING:
            return _to(record, Step.SET_ZERO, now=now)
        case Step.SET_ZERO:
            # UpdateService has no compare-and-set: somebody may have deployed between our look and our call.
            if deployment_id != trip.deployment_id:
                return _to(record, Step.RESTORE_COUNT, now=now, why=_CHANGED, undo=True)
            return _held(record, now=now)
        case Step.SET_ONE:
            return _probing(record, now=now)
        case Step.RESTORE_COUNT:
            return _to(record, Step.RESTORE_SCALING, now=now)
        case Step.RESTORE_SCALING:
            return _back(record, now=now)
        case Step.STOP_DEPLOYMENT:
            return _rolling_back(record, now=now)
        case Step.HELD | Step.PROBING | Step.RAISED | Step.ROLLING_BACK:
            return record
    assert_never(trip.step)


def after_refusal(record: Record, trip: Trip, *, why: str, now: float) -> Record:
    """What to do where AWS refuses a call: nothing was done, say so; what was taken before is given back."""
    reason = f"AWS refused it: {why}"
    match trip.step:
        case Step.STOP_DEPLOYMENT:
            left = replace(_afresh(record, now=now), trip=None, due_at=now + RECHECK)
            return tell_once(left, NoticeKind.NOT_STOPPED, code=reason, at=now, reason=reason)
        case Step.SUSPEND_SCALING | Step.SET_ZERO if record.breaker is BreakerState.CLOSED:
            return _to(record, Step.RESTORE_SCALING, now=now, why=reason, undo=True)
        case Step.SET_ZERO | Step.SET_ONE:
            # A probe that cannot be begun or ended: as it is, with a longer wait.
            held = Step.HELD if trip.step is Step.SET_ONE else Step.PROBING
            back = replace(_to(record, held, now=now), breaker=_STATE[held])
            return tell_once(back, NoticeKind.NOT_STOPPED, code=reason, at=now, reason=reason)
        case _:
            waiting = replace(record, trip=replace(trip, lease_until=now), due_at=now + RECHECK)
            return tell_once(waiting, NoticeKind.NOT_STOPPED, code=reason, at=now, reason=f"not brought back: {reason}")


def all_suspended(scaling: Scaling) -> Scaling:
    """The target with every kind of scaling suspended."""
    return replace(scaling, dynamic_in_suspended=True, dynamic_out_suspended=True, scheduled_suspended=True)


def _recheck_stopping(record: Record, trip: Trip, facts: Facts, *, policy: Policy, now: float) -> Record:
    same = facts.primary is not None and facts.primary.id == trip.deployment_id and not facts.in_progress
    if trip.step is Step.SET_ZERO and facts.desired_count == 0:
        return _held(record, now=now) if same else _give_back(record, facts, now=now, why=_CHANGED, undo=True)
    if not same or _no_longer_fit(record, trip, facts, policy=policy, now=now):
        return _give_back(record, facts, now=now, why=_CHANGED, undo=True)
    to_suspend = trip.step is Step.SUSPEND_SCALING and facts.scaling is not None and not facts.scaling.suspended
    return _to(record, Step.SUSPEND_SCALING if to_suspend else Step.SET_ZERO, now=now)


def _give_back(record: Record, facts: Facts, *, now: float, why: str, undo: bool = False) -> Record:
    """Begin the way back: the count first, because a count below the minimum is lifted by any call on the target."""
    begun = _to(record, Step.RESTORE_COUNT, now=now, why=why, undo=undo)
    assert begun.trip is not None
    return _recheck_restoring(begun, begun.trip, facts, now=now)


def _recheck_restoring(record: Record, trip: Trip, facts: Facts, *, now: float) -> Record:
    """Only what is still as we left it is given back; where somebody changed it meanwhile, theirs stands."""
    # The one task of a probe is ours as well.
    ours = facts.desired_count == 0 or (facts.desired_count == 1 and record.breaker is BreakerState.HALF_OPEN)
    if trip.step is Step.RESTORE_COUNT and ours:
        return _to(record, Step.RESTORE_COUNT, now=now)
    return _to(record, Step.RESTORE_SCALING, now=now) if _flags_are_ours(trip, facts) else _back(record, now=now)


def _no_longer_fit(record: Record, trip: Trip, facts: Facts, *, policy: Policy, now: float) -> bool:
    """Whether what justified the stop is gone: somebody changed the count, or a task serves again."""
    incident = record.incident
    if incident is None:
        return True
    if facts.desired_count != trip.desired_count and record.breaker is BreakerState.CLOSED:
        return True
    return bool(survivors(facts, longest_lifetime=incident.longest_lifetime, survivor_age=policy.survivor_age, now=now))


def _recheck_held(record: Record, trip: Trip, facts: Facts, *, policy: Policy, now: float) -> Record:
    fix = _fix(trip, facts)
    if fix:
        return _give_back(record, facts, now=now, why=fix)
    if facts.desired_count > 0:
        return _raised(record, facts, now=now)
    if record.resume_asked:
        return _give_back(record, facts, now=now, why="somebody asked for it")
    if facts.primary:
        # The same revision deployed anew is no fix, and still ours to hold.
        record = replace(record, trip=replace(trip, deployment_id=facts.primary.id))
    probe_at = max(trip.since + trip.cool_down, _next_trip_at(record, policy))
    if wishes(facts.tags).recovery is not Recovery.PROBE:
        return replace(record, due_at=now + RECHECK)
    if now < probe_at:
        return replace(record, due_at=min(now + RECHECK, probe_at))
    # The probe starts with an empty ladder: the first failure from here on is its own.
    return replace(_to(_afresh(record, now=now), Step.SET_ONE, now=now), breaker=BreakerState.HALF_OPEN)


def _recheck_probing(record: Record, trip: Trip, facts: Facts, *, policy: Policy, now: float) -> Record:
    fix = _fix(trip, facts)
    if fix:
        return _give_back(record, facts, now=now, why=fix)
    if record.resume_asked:
        return _give_back(record, facts, now=now, why="somebody asked for it")
    if facts.desired_count > 1:
        return _raised(record, facts, now=now)
    if facts.desired_count == 0:
        return _to(record, Step.SET_ONE, now=now) if trip.step is Step.SET_ONE else _reopened(record, now=now)
    if trip.step is Step.SET_ONE:
        return _probing(record, now=now)
    if any(rung.generation for rung in (*record.fast, *record.slow)):
        cool_down = min(trip.cool_down * 2, policy.longest_cool_down)
        return _to(record, Step.SET_ZERO, now=now, cool_down=cool_down)
    longest = record.incident.longest_lifetime if record.incident else 0.0
    alive = survivors(facts, longest_lifetime=longest, survivor_age=policy.probe_age, now=now)
    if any(task.started_at and task.started_at >= trip.since for task in alive):
        return _give_back(record, facts, now=now, why="the one task that was let try outlived those that failed")
    return replace(record, due_at=now + RECHECK)


def _fix(trip: Trip, facts: Facts) -> str:
    """People deploy a fix and expect it to start: another task definition on a service that we stopped."""
    if facts.primary is None or facts.primary.task_definition == trip.task_definition:
        return ""
    return f"another task definition was deployed: {facts.primary.task_definition.rsplit('/', 1)[-1]}"


def _raised(record: Record, facts: Facts, *, now: float) -> Record:
    """Somebody else started the service. We do not fight: it is watched, and stopped again only if it loops again."""
    raised = replace(_to(_afresh(record, now=now), Step.RAISED, now=now), breaker=BreakerState.CLOSED)
    why = (
        f"its desired count was raised to {facts.desired_count}, not by Loopbreaker: by a person, Terraform, "
        "CloudFormation or a scaling schedule"
    )
    return tell(raised, NoticeKind.BACK, at=now, reason=why)


def _recheck_rollback(record: Record, trip: Trip, facts: Facts, *, now: float) -> Record:
    rollout, waiting = facts.rollout, trip.step is Step.ROLLING_BACK
    if rollout and rollout.arn == trip.service_deployment:
        if rollout.status in _ROLLING_BACK:
            return replace(record, due_at=now + RECHECK) if waiting else _rolling_back(record, now=now)
        if not waiting:
            return _to(record, Step.STOP_DEPLOYMENT, now=now)
    # It has ended. Where the deployment is no longer the primary one, the call was made, whether answered or not.
    replaced = facts.primary is not None and facts.primary.id != trip.deployment_id
    told = record if waiting or not replaced else _rolling_back(record, now=now)
    return replace(_afresh(told, now=now), trip=None, due_at=now + RECHECK)


def _afresh(record: Record, *, now: float) -> Record:
    """The record after the service has changed: what failed before is history, and no finding of it stands."""
    incident = replace(record.incident, finding=None) if record.incident else None
    return replace(record, incident=incident, history_until=now, fast=(), slow=(), impaired=(), touched_at=now)


def _rolling_back(record: Record, *, now: float) -> Record:
    rolled = _to(record, Step.ROLLING_BACK, now=now)
    return tell(
        rolled, NoticeKind.ROLLED_BACK, at=now, reason="the deployment in progress was stopped and is rolled back"
    )


def _held(record: Record, *, now: float) -> Record:
    trip = record.trip
    assert trip is not None
    again = record.breaker is BreakerState.HALF_OPEN
    held = replace(_to(record, Step.HELD, now=now), breaker=BreakerState.OPEN, trips=_trips(record, now))
    tasks = "1 task" if trip.desired_count == 1 else f"{trip.desired_count} tasks"
    reason = "the one task that was let try failed as well" if again else f"desired count set from {tasks} to 0"
    return tell(held, NoticeKind.STOPPED, at=now, reason=reason)


def _reopened(record: Record, *, now: float) -> Record:
    """Somebody set the probe back to 0: the service stays held."""
    return replace(_to(record, Step.HELD, now=now), breaker=BreakerState.OPEN)


def _trips(record: Record, now: float) -> tuple[float, ...]:
    return (*(at for at in record.trips if at > now - 86_400), now)


def _next_trip_at(record: Record, policy: Policy) -> float:
    """From when on the service may be stopped again: only so often within a day."""
    return record.trips[-policy.retrips - 1] + 86_400 if len(record.trips) > policy.retrips else 0.0


def _probing(record: Record, *, now: float) -> Record:
    assert record.trip is not None
    began = record.trip.since
    probing = _to(record, Step.PROBING, now=now)
    assert probing.trip is not None
    probing = replace(probing, trip=replace(probing.trip, since=began))
    return tell(probing, NoticeKind.PROBING, at=now, reason="one task is let try")


def _flags_are_ours(trip: Trip, facts: Facts) -> bool:
    """Whether the flags are as we left them; where somebody changed them meanwhile, theirs stand."""
    if trip.scaling is None or facts.scaling is None or trip.scaling.suspended:
        return False
    return facts.scaling.suspended


def _back(record: Record, *, now: float) -> Record:
    """The service is as it was."""
    trip = record.trip
    assert trip is not None
    back = replace(record, breaker=BreakerState.CLOSED, trip=None, resume_asked=False, due_at=now + RECHECK)
    if trip.undo:
        return tell(_afresh(back, now=now), NoticeKind.NOT_STOPPED, at=now, reason=trip.why)
    return tell(_afresh(back, now=now), NoticeKind.BACK, at=now, reason=trip.why) if trip.why else back


def _to(
    record: Record,
    step: Step,
    *,
    now: float,
    why: str = "",
    undo: bool = False,
    cool_down: float = 0.0,
) -> Record:
    trip = record.trip
    assert trip is not None
    moved = replace(
        trip,
        step=step,
        since=trip.since if step is trip.step else now,
        lease_until=now + LEASE if step in CALLS else now,
        why=why or trip.why,
        undo=undo or trip.undo,
        cool_down=cool_down or trip.cool_down,
    )
    return replace(record, trip=moved, due_at=now + (LEASE if step in CALLS else RECHECK), touched_at=now)
