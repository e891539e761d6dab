"""How a service is held at 0, tried from time to time, and stopped again where what was tried fails. Pure."""

from dataclasses import replace

from loopbreaker.policy import Mode
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.rung import Rung
from loopbreaker.remembering.trip import Step, Trip
from loopbreaker.treating.case import Case
from loopbreaker.treating.decide import allowed, mass
from loopbreaker.treating.facts import Facts
from loopbreaker.treating.owner import Recovery
from loopbreaker.treating.restoring import give_back, let_go, lifted, raised, shut, within_limits
from loopbreaker.treating.steps import CALLS, RECHECK, afresh, down, probing, soon, to, try_failed

# A single task goes first. The whole follows where that one died in another way than those of the loop did, as of a
# load that it could not carry alone; and with each so many-th try where it died in the same way.
_WHOLE_EACH = 3
# How much longer or shorter, in times and in seconds, it may have lived and still have died in the same way.
_ALIKE, _ALIKE_BY = 2.0, 5.0
# A try of the whole has failed when as many tasks have as it has, or so many.
_FAILED_TRY = 12
# A try of which nothing fails and nothing serves is over after so long, in seconds: what looped does so no more.
_UNDECIDED = 1800.0
# So few tasks of a service ECS begins within so many seconds.
_FEW, _TOGETHER = 4, 20.0
# By how much, in seconds, the clock of ECS may be behind ours.
_CLOCKS = 5.0


def recheck_held(case: Case, trip: Trip) -> Record:
    """Hold the service on, try it, or bring it back."""
    facts, now = case.known, case.now
    trip = within_limits(trip, facts)
    if facts.desired_count > 0 and not _fix(trip, facts) and not lifted(trip, facts):
        return raised(case, trip)
    if facts.desired_count == 0 and shut(facts):
        return let_go(case, trip, "its scaling target allows no task")
    if case.limits.mode is not Mode.STOP:
        return _may_not(case)
    why = _wants_back(case, trip)
    if why:
        return give_back(case, trip, why)
    if facts.primary:
        # The same revision deployed anew is no fix, and still ours to hold.
        trip = replace(trip, deployment_id=facts.primary.id, odd_at=0.0)
    record = replace(case.record, trip=trip)
    if lifted(trip, facts):
        return to(afresh(record, now=now), Step.SET_ALL, now=now)
    if case.wishes.recovery is not Recovery.PROBE or case.deploying:
        return soon(_only_one_was_tried(record, trip, now=now) if trip.whole else record, now=now)
    try_at = next_try_at(case, trip)
    if now < try_at and not trip.whole:
        return replace(record, due_at=min(now + RECHECK, try_at))
    # The try starts with an empty ladder: the first failure from here on is its own.
    step = Step.SET_ONE if trip.desired_count > 1 and not trip.whole else Step.SET_ALL
    return to(afresh(replace(record, trip=replace(trip, whole=False)), now=now), step, now=now)


def _only_one_was_tried(record: Record, trip: Trip, *, now: float) -> Record:
    """All were to follow the one that failed, and may not any more."""
    over = replace(record, trip=replace(trip, whole=False, tries=trip.tries + 1))
    return try_failed(over, now=now)


def next_try_at(case: Case, trip: Trip) -> float:
    """When a held service is tried: early enough to be back within a share of the time that its cause lasted, and at
    once when another is well that began to loop with it.
    """
    if trip.another_back_at > trip.since:
        return trip.another_back_at
    policy = case.policy
    lasted = trip.since - trip.looping_since
    hold = max(policy.cool_down, policy.recovery_share * lasted - policy.probe_allowance)
    return trip.since + min(hold, policy.longest_cool_down)


def recheck_try(case: Case, trip: Trip) -> Record:
    """See what became of what was started: it serves, it failed, or it is too early to say."""
    facts, now = case.known, case.now
    trip = within_limits(trip, facts)
    case = replace(case, record=replace(case.record, trip=trip))
    scaled = lifted(trip, facts)
    if facts.desired_count not in _our_counts(trip) and not _fix(trip, facts) and not scaled:
        return raised(case, trip) if facts.desired_count else let_go(case, trip, "somebody set its count to 0 again")
    if case.limits.mode is not Mode.STOP:
        return _may_not(case)
    if trip.step in (Step.SET_ONE, Step.SET_ALL) and _was_made(trip, facts):
        return probing(case.record, now=now)
    why = _wants_back(case, trip) or _passed(case, trip)
    if not why and trip.step is Step.STOP_AGAIN and case.deploying:
        # Never at 0 during a deployment: it would count as successful.
        why = "a deployment began while it was being tried"
    if why:
        return give_back(case, trip, why)
    trip = replace(trip, odd_at=0.0)
    record = replace(case.record, trip=trip)
    if scaled and trip.step in (Step.SET_ONE, Step.PROBING):
        return to(record, Step.SET_ALL, now=now)
    if trip.step in CALLS:
        # Perhaps it was made, and its answer lost; or the count that says so is an old answer. Once more is no harm.
        return to(record, trip.step, now=now)
    return _watch(replace(case, record=record), trip)


def _was_made(trip: Trip, facts: Facts) -> bool:
    """Whether the call of a try was made and its answer lost: the count says so, and a task that is newer than it."""
    newer = any(task.created_at >= trip.since - _CLOCKS for task in facts.tasks)
    return newer and facts.desired_count == _wanted(trip)


def _watch(case: Case, trip: Trip) -> Record:
    """What follows from the tasks of the try that have failed so far."""
    # Nothing follows but the hold: how they failed need not be waited for.
    last = trip.desired_count == 1 or (trip.step is Step.PROBING_ALL and trip.desired_count <= _FEW)
    if last:
        trip = _with_first(trip, case.known)
        case = replace(case, record=replace(case.record, trip=trip))
    record, now = case.record, case.now
    if last and _replaced(case, trip):
        return to(record, Step.STOP_AGAIN, now=now)
    # With the try the record began anew: what failed before is history.
    failed = [rung for rung in record.fast if rung.created_at >= record.history_until - _CLOCKS]
    one = trip.step is Step.PROBING
    if len(failed) < (1 if one else min(trip.desired_count, _FAILED_TRY)) or _outlived(case, failed):
        return soon(record, now=now)
    if one and _whole_follows(trip, failed):
        # All begin together: whoever came late to the one that is started in its place would be alone as it was.
        record = replace(record, trip=replace(trip, whole=True))
    return to(record, Step.STOP_AGAIN, now=now)


def _with_first(trip: Trip, facts: Facts) -> Trip:
    """The trip with the first task of this try."""
    made = [task.created_at for task in facts.tasks if task.created_at >= trip.since - _CLOCKS]
    return replace(trip, first_at=min(made)) if made and trip.first_at < trip.since - _CLOCKS else trip


def _replaced(case: Case, trip: Trip) -> bool:
    """Whether ECS has given up the tasks of a try and made others, minutes before it says why: it tells of a failure
    when the target has drained. Another that has run for longer than the first lived may come to serve.
    """
    made = [task for task in case.known.tasks if task.created_at >= trip.since - _CLOCKS]
    second = min(made, key=lambda task: task.created_at, default=None)
    together = 0.0 if trip.desired_count == 1 else _TOGETHER
    if second is None or second.created_at <= trip.first_at + together or trip.first_at < trip.since - _CLOCKS:
        return False
    lived = second.created_at - trip.first_at
    return second.started_at is None or case.now - second.started_at <= lived


def _whole_follows(trip: Trip, failed: list[Rung]) -> bool:
    """One task may fail under a load that the whole service would carry: then the whole of it is tried."""
    ran = [rung for rung in failed if rung.lifetime]
    alike = all(
        rung.category.value == trip.cause
        and trip.shortest / _ALIKE - _ALIKE_BY <= rung.lifetime <= trip.longest * _ALIKE + _ALIKE_BY
        for rung in ran
    )
    return bool(ran) and (not alike or trip.tries % _WHOLE_EACH == _WHOLE_EACH - 1)


def _outlived(case: Case, failed: list[Rung]) -> bool:
    """Whether a task of the try has run for so much longer than those that failed that it may come to serve."""
    age = _ALIKE * max(rung.lifetime for rung in failed) + _ALIKE_BY
    return any(
        task.runs_well and task.started_at is not None and case.now - task.started_at > age for task in case.known.tasks
    )


def _wanted(trip: Trip) -> int:
    return 1 if trip.step in (Step.SET_ONE, Step.PROBING) else trip.desired_count


def _our_counts(trip: Trip) -> tuple[int, ...]:
    """The counts that may be our own work at this step; a call may have been made and its answer lost."""
    if trip.step in CALLS:
        return 0, 1, trip.desired_count
    return (_wanted(trip),)


def _passed(case: Case, trip: Trip) -> str:
    """Why the try has succeeded; empty while it has not."""
    age = max(case.serving_after, case.policy.probe_age)
    for task in case.serving:
        healthy = task.health == "HEALTHY" or task.target_health == "healthy"
        if healthy or (task.started_at is not None and case.now - task.started_at > age):
            return "a task that was started to try it serves"
    undecided = trip.step not in CALLS and not case.record.fast and case.now > trip.since + _UNDECIDED
    return f"nothing failed for {_UNDECIDED / 60:.0f} minutes" if undecided else ""


def _wants_back(case: Case, trip: Trip) -> str:
    """Why the service is to be brought back now; empty where it is to be held."""
    fix = _fix(trip, case.known)
    if fix:
        return fix
    if case.record.resume_asked:
        return "somebody asked for it"
    if allowed(case) is not Mode.STOP:
        return "its owner no longer asks for it to be stopped"
    if not case.limits.in_scope:
        return "this installation is no longer to act on it"
    return mass(case)


def _fix(trip: Trip, facts: Facts) -> str:
    """People deploy a fix and expect it to start: another task definition on a service that we stopped."""
    if facts.primary is None or facts.primary.task_definition == trip.task_definition:
        return ""
    return f"another task definition was deployed: {facts.primary.task_definition.rsplit('/', 1)[-1]}"


def _may_not(case: Case) -> Record:
    """The mode was lowered while we hold the service: the permission to bring it back is gone."""
    why = f"the installation may no longer act on services: its mode is {case.limits.mode}"
    return down(soon(case.record, now=case.now), why, code="mode", now=case.now)
