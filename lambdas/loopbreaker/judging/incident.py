"""An incident: how it opens, what it learns of each further failure, and why the service is said to loop. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from math import inf
from typing import Any

from loopbreaker.judging.ending import quiet_at
from loopbreaker.judging.ladder import bystanders, chain, highest
from loopbreaker.judging.ration import say_that_it_loops
from loopbreaker.judging.regular import regular_deaths
from loopbreaker.judging.relapse import taken_up
from loopbreaker.judging.starts import failed_starts
from loopbreaker.judging.storm import longest_gap
from loopbreaker.judging.suspicion import assess, depth_now, profile_of
from loopbreaker.judging.untold import LEAST_GAP
from loopbreaker.model import Category, TaskFailure
from loopbreaker.policy import Policy
from loopbreaker.remembering.history import NO_FAILURES, History
from loopbreaker.remembering.incident import Incident, Signal, Suspicion
from loopbreaker.remembering.record import Record, Verdict
from loopbreaker.remembering.rung import Ladder
from loopbreaker.remembering.trip import BreakerState

# A task that lived by more than this factor longer than those that failed is no part of their incident.
_MUCH_LONGER = 1.5
# What no event tells of.
_READ = (Signal.RESTARTS, Signal.EMPTY)


def _newest(history: History) -> dict[str, Any]:
    """What an incident shows of its newest failure."""
    newest = history.newest
    if newest is None:
        return {}
    return {
        "container": newest.container,
        "exit_code": newest.exit_code,
        "evidence": newest.evidence,
        "task_definition": newest.task_definition,
        "deployment_id": newest.deployment_id,
    }


def open_incident(
    record: Record,
    *,
    found: Suspicion,
    desired_count: int | None,
    policy: Policy,
    now: float,
    silent: bool,
) -> Record:
    """The record with the incident that a suspicion has become, and the message that it loops."""
    ladder = record.slow if profile_of(found.signal, policy) is policy.slow else record.fast
    rungs, said = _made_of(record, ladder, found, policy)
    times = sorted(at for at in said if at >= found.since) or [found.since]
    first_failure_at = _began_at(ladder, found, policy)
    # What dies after hours has left the history, and is remembered by its rungs.
    remembered = sum(rung.failed_at >= first_failure_at for rung in ladder) if rungs else 0
    incident = Incident(
        signal=found.signal,
        opened_at=now,
        first_failure_at=first_failure_at,
        last_failure_at=times[-1],
        depth=found.depth,
        category=_category(found.signal, rungs) or Category.UNKNOWN,
        longest_lifetime=max((rung.lifetime for rung in rungs), default=0.0),
        longest_gap=_pause(record, found.signal, times),
        desired_count=desired_count,
        silent=silent,
        history=record.history,
        looked_at=now,
        watched_since=found.since,
        unserved_since=found.since,
        failed_tasks=max(record.history.failed_since(first_failure_at), remembered),
        **_newest(record.history),
    )
    incident = taken_up(record.past, incident, now=now)
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
    return say_that_it_loops(opened, at=now, reason=because(incident))


def _made_of(record: Record, ladder: Ladder, found: Suspicion, policy: Policy) -> tuple[Ladder, Iterable[float]]:
    """The failures that an incident opens with, and when something failed, was said or was read of it."""
    if found.signal in _READ:
        return (), _read(record, found.signal)
    if found.signal is Signal.STORM:
        # How long its tasks lived says nothing.
        rungs = tuple(replace(rung, lifetime=0.0) for rung in record.slow)
    else:
        rungs = chain(ladder, profile_of(found.signal, policy) or policy.fast)
        if len(rungs) < found.depth:
            # Those that die at one age may outlive the profile, but for the odd one.
            rungs = regular_deaths(ladder, policy) or rungs
    starts = failed_starts(record.slow) if found.signal is Signal.IMPAIRED else ()
    return rungs, {*(rung.failed_at for rung in rungs), *record.impaired, *record.unplaced, *starts}


def _pause(record: Record, signal: Signal, times: Sequence[float]) -> float:
    """The longest time between two failures, in seconds, by what knows it best."""
    if signal is Signal.STORM:
        return longest_gap(record.storm)
    if signal is Signal.EMPTY:
        return LEAST_GAP
    least = LEAST_GAP if signal is Signal.RESTARTS else 0.0
    return max([least, *(later - earlier for earlier, later in pairwise(times))])


def _began_at(ladder: Ladder, found: Suspicion, policy: Policy) -> float:
    """When the first task died of the cause: tasks that had run well until then are no part of the chain."""
    old = [rung.failed_at for rung in bystanders(ladder)]
    return min([found.since, *(at for at in old if found.since - policy.fast.replacement_gap <= at)])


def goes_on(record: Record, *, impaired: Sequence[float], unplaced: Sequence[float]) -> Sequence[float]:
    """The statements of ECS, or what was read of it, that say that an incident goes on.

    A task that finds no place is no failure of those that found one; nor is it a sign of tasks that start and die
    when ECS cannot start tasks, which it says of unplaced ones too.
    """
    incident = record.incident
    assert incident is not None
    if incident.signal in _READ:
        return _read(record, incident.signal)
    if incident.signal is Signal.PLACEMENT:
        return [*impaired, *unplaced]
    started = incident.signal is not Signal.IMPAIRED and incident.longest_lifetime > 0
    return [] if started else impaired


def _read(record: Record, signal: Signal) -> tuple[float, ...]:
    return record.restarted if signal is Signal.RESTARTS else record.empty


def extend(
    before: Record,
    record: Record,
    *,
    history: History,
    failures: Sequence[TaskFailure],
    said_at: Sequence[float],
    policy: Policy,
    now: float,
) -> Record:
    """The incident goes on. Asks for a decision where a further generation may change it."""
    incident = record.incident
    assert incident is not None
    longer = _lengthened(record, history, failures, said_at, policy)
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
    if incident.signal in (Signal.PLACEMENT, Signal.STORM, *_READ) and longer.signal is Signal.FAST:
        # People know of missing capacity, or of many failures, or that nothing runs; this is something else.
        return say_that_it_loops(record, at=now, reason=because(longer))
    return record


def _lengthened(
    record: Record, history: History, failures: Sequence[TaskFailure], said_at: Sequence[float], policy: Policy
) -> Incident:
    """The incident with its failures, depth, cause and longest lifetime: of a fast loop those of its short-lived tasks.

    What lives longer than tasks of a fast loop do may be a survivor, and slow generations lead to no action.
    """
    incident = record.incident
    assert incident is not None
    last, gap = incident.last_failure_at, incident.longest_gap
    lives = max(policy.slow.max_lifetime, _MUCH_LONGER * incident.longest_lifetime)
    if incident.signal is Signal.STORM:
        lives = inf
    for at in sorted([*(f.failed_at for f in failures if f.lifetime <= lives), *said_at]):
        if at > last:
            # While it is held nothing can fail: that pause is ours.
            ours = record.trip is not None or any(last <= held_at <= at for held_at in record.trips)
            last, gap = at, gap if ours else max(gap, at - last)
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
    # A failure that is delivered late may come before all that were known.
    first = min(incident.first_failure_at, summit.since) if summit else incident.first_failure_at
    more = history.failed_since(first) - incident.history.failed_since(incident.first_failure_at)
    return replace(
        incident,
        signal=signal,
        first_failure_at=first,
        depth=max(0 if became_fast else incident.depth, summit.generation if summit else 0),
        category=_category(signal, rungs) or incident.category,
        longest_lifetime=max(lifetimes),
        last_failure_at=last,
        longest_gap=gap,
        history=history,
        failed_tasks=incident.failed_tasks + more,
        **_newest(history),
    )


def _category(signal: Signal, rungs: Ladder) -> Category | None:
    """The most frequent cause, the newest of equals; None where no task failed."""
    if signal is Signal.PLACEMENT:
        return Category.PLACEMENT
    newest_first = [rung.category for rung in sorted(rungs, key=lambda r: -r.failed_at)]
    return max(Counter(newest_first).items(), key=lambda item: item[1])[0] if newest_first else None


def because(incident: Incident) -> str:
    """Why the service is said to loop."""
    why = _why(incident)
    if incident.times == 1:
        return why
    first = datetime.fromtimestamp(incident.opened_at, tz=UTC)
    return f"{why}; found {incident.times} times since {first:%Y-%m-%d %H:%M} UTC"


def _why(incident: Incident) -> str:
    match incident.signal:
        case Signal.FAST | Signal.SLOW:
            return f"replacements failed {incident.depth} times in a row"
        case Signal.UNHEALTHY:
            return (
                f"{incident.depth} times in a row a replacement failed its health checks too, and no task passes them"
            )
        case Signal.IMPAIRED:
            return "ECS cannot start tasks of this service"
        case Signal.PLACEMENT:
            return "ECS has found no capacity for tasks of this service for a while"
        case Signal.STORM:
            return "its tasks fail one after another, for hours, more often or more evenly than chance explains"
        case Signal.RESTARTS:
            return "ECS restarts its containers inside their tasks, more often than chance explains"
        case Signal.EMPTY:
            return "it shall run tasks and has run none for a while, and no failure explains it"
