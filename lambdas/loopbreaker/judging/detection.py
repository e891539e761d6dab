"""From failures to a verdict: the fold of what ECS reports into a service's record. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from math import inf, log, sqrt

from loopbreaker.history import NO_FAILURES, History, add
from loopbreaker.judging.crowd import Well, may_be_chance
from loopbreaker.judging.ending import quiet_at
from loopbreaker.judging.ladder import bystanders, chain, climb, depth, highest, surprise, top
from loopbreaker.judging.lived import remember
from loopbreaker.judging.regular import regular_deaths
from loopbreaker.judging.relapse import taken_up
from loopbreaker.model import Category, ServiceSignal, SignalKind, TaskFailure
from loopbreaker.policy import Policy, Profile
from loopbreaker.record import (
    BreakerState,
    Incident,
    Ladder,
    NoticeKind,
    Record,
    Rung,
    Signal,
    Suspicion,
    Verdict,
    tell,
)

# ECS itself says that it cannot start tasks of the service ("Amazon ECS service action events").
_IMPAIRED = (SignalKind.START_IMPAIRED, SignalKind.CONFIGURATION_FAILURE)
# Bounds the record; two or three of them decide.
_KEPT_TIMES = 8
# A task that lived by more than this factor longer than those that failed is no part of their incident.
_MUCH_LONGER = 1.5
# One statement of ECS may be delivered twice, a second apart.
_SAME_STATEMENT = 5.0
# A failure that is told so much later, in seconds, than one that failed after it is still counted.
_LATE = 3600.0


def observe(
    record: Record,
    *,
    failures: Iterable[TaskFailure] = (),
    signals: Iterable[ServiceSignal] = (),
    unplaced_at: Iterable[float] = (),
    policy: Policy,
    now: float,
) -> Record:
    """The record with all that one batch says of its service, in any order, repeated or not.

    unplaced_at: failure times of tasks that found no capacity.
    What is older than the end of the last incident is history. Returns the same record where nothing new was said.
    """
    recent = [f for f in failures if f.failed_at > record.history_until]
    said = [s for s in signals if s.at > record.history_until]
    impaired = [s.at for s in said if s.kind in _IMPAIRED]
    unplaced = [s.at for s in said if s.kind is SignalKind.PLACEMENT_FAILURE]
    unplaced += [at for at in unplaced_at if at > record.history_until]
    fast, slow = climb(record.fast, recent, policy.fast), climb(record.slow, recent, policy.slow)
    signs = (
        _times(record.impaired, impaired, policy.impaired_window),
        _times(record.unplaced, unplaced, policy.impaired_window),
    )
    history = _history(record, fast, slow, recent, policy)
    known = (record.fast, record.slow, (record.impaired, record.unplaced), _kept(record))
    if (fast, slow, signs, history) == known:
        return record
    seen = replace(
        record,
        fast=fast,
        slow=slow,
        impaired=signs[0],
        unplaced=signs[1],
        lived=remember(record.lived, recent),
        touched_at=max(record.touched_at, now),
    )
    if seen.incident:
        said_at = _of_incident(seen.incident, impaired=impaired, unplaced=unplaced)
        incident = replace(seen.incident, history=history)
        return _extend(record, seen, incident, failures=recent, said_at=said_at, policy=policy, now=now)
    return _suspect(replace(seen, history=history), policy, now)


def _kept(record: Record) -> History:
    return record.incident.history if record.incident else record.history


def _history(record: Record, fast: Ladder, slow: Ladder, failures: Sequence[TaskFailure], policy: Policy) -> History:
    """The failures since the incident began, or else since the first of the chains that may become one.

    With those of the hour before: what comes late may show that they belong to it.
    """
    begun = [rung.since for rung in (*chain(fast, policy.fast), *chain(slow, policy.slow))]
    if record.incident:
        begun.append(record.incident.first_failure_at)
    newest = max((rung.failed_at for rung in slow), default=inf)
    return add(_kept(record), failures, since=min(begun, default=newest) - _LATE)


def _failed_tasks(incident: Incident) -> int:
    return incident.history.failed_since(incident.first_failure_at)


def _counted(incident: Incident, *, known: int) -> Incident:
    """The incident with more failures than were known of it, and with what is shown of the newest of them."""
    newest, counted = incident.history.newest, _failed_tasks(incident)
    incident = replace(incident, failed_tasks=incident.failed_tasks + counted - known)
    if newest is None:
        return incident
    return replace(
        incident,
        container=newest.container,
        exit_code=newest.exit_code,
        evidence=newest.evidence,
        task_definition=newest.task_definition,
        deployment_id=newest.deployment_id,
    )


def assess(record: Record, policy: Policy) -> Suspicion | None:
    """The strongest signal by which the record looks like a loop. Its `at` is 0: the caller's to set."""
    fast, slow = top(record.fast, policy.fast), top(record.slow, policy.slow)
    for signal, rung, ladder, profile in (
        (Signal.FAST, fast, record.fast, policy.fast),
        (Signal.SLOW, slow, record.slow, policy.slow),
    ):
        if rung is None or rung.generation < profile.depth + record.extra_generations:
            continue
        if _is_loop(rung, ladder, profile, policy):
            return Suspicion(signal=signal, at=0.0, depth=rung.generation, since=rung.since)
    if deaths := regular_deaths(record.slow, policy):
        return Suspicion(signal=Signal.SLOW, at=0.0, depth=len(deaths), since=deaths[0].failed_at)
    generations = fast.generation if fast else 0
    # Of tasks that find no place ECS says this too.
    if (len(record.impaired) >= 2 and not record.unplaced) or (record.impaired and generations >= 2):
        since = min([*record.impaired, *([fast.since] if fast else [])])
        return Suspicion(signal=Signal.IMPAIRED, at=0.0, depth=generations, since=since)
    if len(record.unplaced) >= 3 and record.unplaced[-1] - record.unplaced[0] >= policy.placement_after:
        return Suspicion(signal=Signal.PLACEMENT, at=0.0, depth=generations, since=record.unplaced[0])
    return None


def _is_loop(rung: Rung, ladder: Ladder, profile: Profile, policy: Policy) -> bool:
    """Whether a chain that is long enough is neither chance nor a short outage.

    Of a service whose tasks lived long before they failed, more is asked: that they fail at times is known of it, and
    that it ran well before.
    """
    old = policy.fast.max_lifetime if profile is policy.slow else inf
    found = surprise(rung, ladder, profile, flaky_mtbf=policy.flaky_mtbf, old=old)
    lived = [old.failed_at for old in bystanders(ladder)]
    if not lived:
        return found >= -log(profile.chance)
    lasts = rung.failed_at - rung.since
    if lasts < policy.outage:
        return False
    # Those that died with the first of the chain, or within one life before, may have died of its cause; or of an
    # outage, which is over soon.
    before = rung.since - profile.max_lifetime - profile.replacement_gap
    known = lasts < 2 * policy.outage or any(at < before for at in lived)
    return found >= -log(policy.flaky_chance if known else sqrt(policy.flaky_chance * profile.chance))


def confirm(
    record: Record,
    *,
    desired_count: int | None,
    policy: Policy,
    now: float,
    well: Sequence[Well] = (),
    least_depth: int = 0,
    silent: bool = False,
) -> Record:
    """Turn a suspicion into an incident, or wait for the next generation, now that the service's size is known.

    `desired_count` is None where ECS could not be asked: then the base depth stands, once ECS had
    `confirm_blind_after` seconds to answer. The owner may ask for a greater depth, or for silence.
    `well` are the tasks that run by now: where most of those that started lately do, it may be chance.
    """
    suspicion = record.suspicion
    if suspicion is None or record.incident:
        return record
    if desired_count == 0:
        return replace(record, suspicion=None, due_at=None)
    if desired_count is None and now < suspicion.at + policy.confirm_blind_after:
        return replace(record, due_at=suspicion.at + policy.confirm_blind_after)
    if suspicion.signal is Signal.IMPAIRED and _has_started(record.impaired, well):
        # What ECS said before is over: a task that starts sets its throttle back.
        return replace(record, suspicion=None, impaired=record.impaired[-1:], due_at=None)
    profile = _profile(suspicion.signal, policy)
    needed = max(profile.generations(desired_count), least_depth) if profile else 0
    if profile and suspicion.depth >= needed and _in_a_crowd(record, suspicion, profile, well, now=now):
        needed = suspicion.depth + 1
    if profile and suspicion.depth < needed:
        return replace(record, suspicion=None, extra_generations=needed - profile.depth, due_at=None)
    return _open(
        record,
        found=suspicion,
        desired_count=desired_count,
        policy=policy,
        now=now,
        silent=silent,
    )


def _has_started(impaired: Sequence[float], well: Sequence[Well]) -> bool:
    """Whether a task that runs by now started between two statements of ECS that it cannot start tasks."""
    return any(impaired[0] <= task.started_at <= impaired[-1] for task in well)


def _in_a_crowd(record: Record, found: Suspicion, profile: Profile, well: Sequence[Well], *, now: float) -> bool:
    ladder = record.slow if found.signal is Signal.SLOW else record.fast
    rung = top(ladder, profile)
    if rung is None:
        return False
    failed = record.history.failed_since(rung.since)
    return may_be_chance(rung, ladder, profile, failed=failed, well=well, now=now)


def _suspect(record: Record, policy: Policy, now: float) -> Record:
    found = assess(record, policy)
    if found is None:
        # A chain that ended takes with it what was learnt of the service's size for its sake.
        return replace(record, suspicion=None, extra_generations=0) if depth_now(record, policy) <= 1 else record
    known = record.suspicion
    if known and known.depth >= found.depth and found.signal in (known.signal, Signal.SLOW):
        return record
    first_at = known.at if known else now
    suspicion = replace(found, at=first_at)
    return replace(record, suspicion=suspicion, asked_at=now, due_at=first_at + policy.confirm_blind_after)


def _open(
    record: Record,
    *,
    found: Suspicion,
    desired_count: int | None,
    policy: Policy,
    now: float,
    silent: bool,
) -> Record:
    ladder = record.slow if found.signal is Signal.SLOW else record.fast
    rungs = chain(ladder, _profile(found.signal, policy) or policy.fast) or regular_deaths(ladder, policy)
    said = {*(rung.failed_at for rung in rungs), *record.impaired, *record.unplaced}
    times = sorted(at for at in said if at >= found.since) or [found.since]
    incident = Incident(
        signal=found.signal,
        opened_at=now,
        first_failure_at=_began_at(ladder, found, policy),
        last_failure_at=times[-1],
        depth=found.depth,
        category=_category(found.signal, rungs) or Category.UNKNOWN,
        longest_lifetime=max((rung.lifetime for rung in rungs), default=0.0),
        longest_gap=max((b - a for a, b in pairwise(times)), default=0.0),
        desired_count=desired_count,
        silent=silent,
        history=record.history,
        looked_at=now,
        watched_since=found.since,
        unserved_since=found.since,
    )
    incident = taken_up(record.past, _counted(incident, known=0), now=now)
    opened = replace(
        record,
        history=NO_FAILURES,
        verdict=Verdict.LOOPING,
        incident=incident,
        past=None,
        suspicion=None,
        due_at=quiet_at(incident, policy),
        touched_at=max(record.touched_at, now),
    )
    return tell(opened, NoticeKind.LOOPING, at=now, reason=because(incident))


def _began_at(ladder: Ladder, found: Suspicion, policy: Policy) -> float:
    """When the first task died of the cause: tasks that had run well until then are no part of the chain."""
    old = [rung.failed_at for rung in bystanders(ladder)]
    return min([found.since, *(at for at in old if found.since - policy.fast.replacement_gap <= at)])


def _of_incident(incident: Incident, *, impaired: Sequence[float], unplaced: Sequence[float]) -> Sequence[float]:
    """The statements of ECS that say that an incident goes on.

    A task that finds no place is no failure of those that found one; nor is it a sign of tasks that start and die
    when ECS cannot start tasks, which it says of unplaced ones too.
    """
    if incident.signal is Signal.PLACEMENT:
        return [*impaired, *unplaced]
    started = incident.signal is not Signal.IMPAIRED and incident.longest_lifetime > 0
    return [] if started else impaired


def _extend(
    before: Record,
    record: Record,
    incident: Incident,
    *,
    failures: Sequence[TaskFailure],
    said_at: Sequence[float],
    policy: Policy,
    now: float,
) -> Record:
    """The incident goes on. Asks for a decision where a further generation may change it."""
    known = _failed_tasks(before.incident) if before.incident else 0
    longer = _counted(_grown(record, incident, failures, said_at, policy), known=known)
    # A probe fails with its first task; and a chain that began anew need not be the longest of the incident.
    probe_failed = record.breaker is BreakerState.HALF_OPEN and bool(failures)
    asked = probe_failed or (
        longer.watching
        and record.breaker is BreakerState.CLOSED
        and (longer.signal is not incident.signal or depth_now(record, policy) > depth_now(before, policy))
    )
    # The look that is due stays so, however often a failure moves what it will find.
    due = quiet_at(longer, policy) if record.due_at is None else record.due_at
    record = replace(record, incident=longer, due_at=due, asked_at=now if asked else record.asked_at)
    if incident.signal is Signal.PLACEMENT and longer.signal is Signal.FAST:
        # People know of the missing capacity; this is something else.
        return tell(record, NoticeKind.LOOPING, at=now, reason=because(longer))
    return record


def _grown(
    record: Record, incident: Incident, failures: Sequence[TaskFailure], said_at: Sequence[float], policy: Policy
) -> Incident:
    """The incident with its depth, cause and longest lifetime: of a fast loop those of its short-lived tasks alone.

    What lives longer than tasks of a fast loop do may be a survivor, and slow generations lead to no action.
    """
    last, gap = incident.last_failure_at, incident.longest_gap
    lives = max(policy.slow.max_lifetime, _MUCH_LONGER * incident.longest_lifetime)
    for at in sorted([*(f.failed_at for f in failures if f.lifetime <= lives), *said_at]):
        if at > last:
            last, gap = at, max(gap, at - last)
    found = None if incident.signal is Signal.FAST else assess(record, policy)
    became_fast = found is not None and found.signal is Signal.FAST
    signal = Signal.FAST if became_fast else incident.signal
    profile, ladder = (policy.fast, record.fast) if signal is Signal.FAST else (policy.slow, record.slow)
    rungs = chain(ladder, profile)
    summit = highest(rungs)
    if became_fast:
        lifetimes = [rung.lifetime for rung in rungs]
    else:
        lifetimes = [incident.longest_lifetime, *(f.lifetime for f in failures if f.lifetime <= profile.max_lifetime)]
    return replace(
        incident,
        signal=signal,
        # A failure that is delivered late may come before all that were known.
        first_failure_at=min(incident.first_failure_at, summit.since) if summit else incident.first_failure_at,
        depth=max(0 if became_fast else incident.depth, summit.generation if summit else 0),
        category=_category(signal, rungs) or incident.category,
        longest_lifetime=max(lifetimes),
        last_failure_at=last,
        longest_gap=gap,
    )


def _profile(signal: Signal, policy: Policy) -> Profile | None:
    return {Signal.FAST: policy.fast, Signal.SLOW: policy.slow}.get(signal)


def fast_depth(record: Record, policy: Policy) -> int:
    """How many times in a row a replacement has failed fast by now: what alone may lead to action."""
    return depth(record.fast, policy.fast)


def depth_now(record: Record, policy: Policy) -> int:
    """How many times in a row a replacement has failed by now; an incident may have seen more."""
    return max(depth(record.fast, policy.fast), depth(record.slow, policy.slow))


def _category(signal: Signal, rungs: Ladder) -> Category | None:
    """The most frequent cause, the newest of equals; None where no task failed."""
    if signal is Signal.PLACEMENT:
        return Category.PLACEMENT
    newest_first = [rung.category for rung in sorted(rungs, key=lambda r: -r.failed_at)]
    return max(Counter(newest_first).items(), key=lambda item: item[1])[0] if newest_first else None


def _times(known: tuple[float, ...], new: Iterable[float], window: float) -> tuple[float, ...]:
    """The distinct times of the last `window` seconds, oldest first."""
    kept: list[float] = []
    for at in sorted({*known, *new}):
        if not kept or at > kept[-1] + _SAME_STATEMENT:
            kept.append(at)
    recent = [at for at in kept if at >= kept[-1] - window]
    # The oldest tells for how long it has been so, however often it is said.
    return (*recent[:1], *recent[1:][1 - _KEPT_TIMES :])


def because(incident: Incident) -> str:
    """Why the service is said to loop."""
    why = _why(incident)
    if incident.times == 1:
        return why
    first = datetime.fromtimestamp(incident.opened_at, tz=UTC)
    return f"{why}; again, {incident.times} times since {first:%Y-%m-%d %H:%M} UTC"


def _why(incident: Incident) -> str:
    match incident.signal:
        case Signal.FAST | Signal.SLOW:
            return f"replacements failed {incident.depth} times in a row"
        case Signal.IMPAIRED:
            return "ECS says that it cannot start tasks of this service"
        case Signal.PLACEMENT:
            return "ECS has found no capacity for tasks of this service for a while"
