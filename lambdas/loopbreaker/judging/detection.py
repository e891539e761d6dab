"""From failures to a verdict: the fold of what ECS reports into a service's record. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, assert_never

from loopbreaker.judging.crowd import Well, may_be_chance
from loopbreaker.judging.incident import extend, goes_on, open_incident
from loopbreaker.judging.ladder import chain, climb, top
from loopbreaker.judging.lived import remember
from loopbreaker.judging.starts import failed_starts
from loopbreaker.judging.steady import beat, is_steady
from loopbreaker.judging.storm import LEAST_LIFETIME, is_storm, mark
from loopbreaker.judging.suspicion import assess, depth_now
from loopbreaker.judging.untold import remember_empty, remember_restarts, restart_again_and_again
from loopbreaker.judging.unwell import Checked, unwell
from loopbreaker.model import Category, ServiceSignal, SignalKind, TaskFailure
from loopbreaker.policy import Policy, Profile
from loopbreaker.remembering.history import LOOP_MARKS, MOST_MARKS, History, add
from loopbreaker.remembering.incident import Signal, Suspicion
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.rung import Ladder

# ECS itself says that it cannot start tasks of the service ("Amazon ECS service action events").
_IMPAIRED = (SignalKind.START_IMPAIRED, SignalKind.CONFIGURATION_FAILURE)
# Bounds the record; two or three of them decide.
_KEPT_TIMES = 8
# So many tasks fail in every span: where their number is not known there is no storm.
_COUNTLESS = 1_000_000
# One statement of ECS may be delivered twice, a second apart.
_SAME_STATEMENT = 5.0
# A failure that is told so much later, in seconds, than one that failed after it is still counted.
_LATE = 3600.0
# What ECS says of a failure, seconds after it, is not late.
_WORTH_NOTING = 60.0


def observe(
    record: Record,
    *,
    failures: Iterable[TaskFailure] = (),
    signals: Iterable[ServiceSignal] = (),
    unplaced_at: Iterable[float] = (),
    restarted_at: Iterable[float] = (),
    empty_at: Iterable[float] = (),
    policy: Policy,
    now: float,
) -> Record:
    """The record with all that one batch says of its service, in any order, repeated or not.

    unplaced_at: failure times of tasks that found no capacity. restarted_at: when containers were restarted inside
    their tasks. empty_at: when the service was seen to run nothing.
    What is older than the end of the last incident is history. Returns the same record where nothing new was said.
    """
    recent = [f for f in failures if f.failed_at > record.history_until]
    said = [s for s in signals if s.at > record.history_until]
    impaired = [s.at for s in said if s.kind in _IMPAIRED]
    unplaced = [s.at for s in said if s.kind is SignalKind.PLACEMENT_FAILURE]
    unplaced += [at for at in unplaced_at if at > record.history_until]
    restarted = remember_restarts(record.restarted, (at for at in restarted_at if at > record.history_until))
    empty = remember_empty(record.empty, (at for at in empty_at if at > record.history_until))
    fast, slow = climb(record.fast, recent, policy.fast), climb(record.slow, recent, policy.slow)
    signs = (
        _times(record.impaired, impaired, policy.impaired_window),
        _times(record.unplaced, unplaced, policy.impaired_window),
    )
    history = _history(record, fast, slow, recent, policy=policy, now=now)
    # Workers that are renewed end often and evenly, and without an error.
    lived = [f.failed_at for f in recent if f.lifetime >= LEAST_LIFETIME and f.category is not Category.CLEAN_EXIT]
    storm = beat(mark(record.storm, lived), lived)
    known = (record.fast, record.slow, (record.impaired, record.unplaced), _kept(record), record.storm)
    if (fast, slow, signs, history, storm) == known and (restarted, empty) == (record.restarted, record.empty):
        return record
    seen = replace(
        record,
        fast=fast,
        slow=slow,
        impaired=signs[0],
        unplaced=signs[1],
        storm=storm,
        restarted=restarted,
        empty=empty,
        lived=remember(record.lived, recent),
        late=_lateness(record, recent),
        touched_at=max(record.touched_at, now),
    )
    if seen.incident:
        said_at = goes_on(seen, impaired=impaired, unplaced=unplaced)
        return extend(record, seen, history=history, failures=recent, said_at=said_at, policy=policy, now=now)
    return _suspect(replace(seen, history=history), policy, now)


def _lateness(record: Record, failures: Sequence[TaskFailure]) -> float:
    """That of the newest failure, as it was first told: a failed health check is told before its task has drained."""
    known = max((rung.failed_at for rung in record.fast), default=0.0)
    newest = max(failures, key=lambda failure: failure.failed_at, default=None)
    if newest is None or newest.failed_at <= known:
        return record.late
    return round(newest.late) if newest.late > _WORTH_NOTING else 0.0


def _kept(record: Record) -> History:
    return record.incident.history if record.incident else record.history


def _history(
    record: Record, fast: Ladder, slow: Ladder, failures: Sequence[TaskFailure], *, policy: Policy, now: float
) -> History:
    """The failures since the incident began, or else since the first of the chains that may become one.

    With those of the hour before: what comes late may show that they belong to it.
    """
    begun = [rung.since for rung in (*chain(fast, policy.fast), *chain(slow, policy.slow))]
    if record.incident:
        begun.append(record.incident.first_failure_at)
    newest = max((rung.failed_at for rung in slow), default=inf)
    most = LOOP_MARKS if record.incident else MOST_MARKS
    return add(_kept(record), failures, since=min(begun, default=newest) - _LATE, most=most, now=now)


def confirm(
    record: Record,
    *,
    desired_count: int | None,
    policy: Policy,
    now: float,
    well: Sequence[Well] = (),
    checked: Sequence[Checked] = (),
    least_depth: int = 0,
    silent: bool = False,
) -> Record:
    """Turn a suspicion into an incident, or wait for the next generation, now that the service's size is known.

    `desired_count` is None where ECS could not be asked: then the base depth stands, once ECS had
    `confirm_blind_after` seconds to answer. The owner may ask for a greater depth, or for silence.
    `well` are the tasks that run by now: where most of those that started lately do, it may be chance. `checked` are
    all that are RUNNING, as their health checks find them.
    """
    suspicion = record.suspicion
    if suspicion is None or record.incident:
        return record
    if desired_count == 0:
        return replace(record, suspicion=None, due_at=None)
    if desired_count is None and _is_for_ecs_to_say(suspicion, record):
        return replace(record, suspicion=None, due_at=None)
    if desired_count is None and now < suspicion.at + policy.confirm_blind_after:
        return replace(record, due_at=suspicion.at + policy.confirm_blind_after)
    sign = _Sign(record, suspicion, policy, now, desired_count=desired_count, least_depth=least_depth)
    waiting, depth = _weigh(sign, well=well, checked=checked)
    if waiting:
        return waiting
    found = replace(suspicion, depth=depth)
    return open_incident(record, found=found, desired_count=desired_count, policy=policy, now=now, silent=silent)


@dataclass(frozen=True, slots=True)
class _Sign:
    """A suspicion, and what is asked of it."""

    record: Record
    suspicion: Suspicion
    policy: Policy
    now: float
    desired_count: int | None
    least_depth: int

    def dropped(self, **changes: Any) -> tuple[Record, int]:
        return replace(self.record, **{"suspicion": None, "due_at": None} | changes), 0

    def stands(self) -> tuple[None, int]:
        return None, self.suspicion.depth


_Weighed = tuple[Record | None, int]
"""The record that waits for more, or None and how many generations failed."""


def _weigh(sign: _Sign, *, well: Sequence[Well], checked: Sequence[Checked]) -> _Weighed:
    """Hold against a suspicion what ECS says of its service."""
    match sign.suspicion.signal:
        case Signal.FAST:
            return _chain(sign, sign.policy.fast, well)
        case Signal.SLOW:
            return _chain(sign, sign.policy.slow, well)
        case Signal.UNHEALTHY:
            return _health(sign, checked)
        case Signal.IMPAIRED:
            return _starts(sign, well)
        case Signal.STORM:
            return _storm(sign)
        case Signal.PLACEMENT:
            return sign.stands()
        case Signal.RESTARTS:
            tasks = sign.desired_count or _COUNTLESS
            many = restart_again_and_again(sign.record.restarted, tasks=tasks, mtbf=sign.policy.flaky_mtbf)
            return sign.stands() if many else sign.dropped()
        case Signal.EMPTY:
            return sign.dropped(empty=()) if checked else sign.stands()
    assert_never(sign.suspicion.signal)


def _chain(sign: _Sign, profile: Profile, well: Sequence[Well]) -> _Weighed:
    depth = sign.suspicion.depth
    needed = max(profile.generations(sign.desired_count), sign.least_depth)
    if depth >= needed and _in_a_crowd(sign.record, sign.suspicion, profile, well, now=sign.now):
        needed = depth + 1
    return sign.stands() if depth >= needed else sign.dropped(extra_generations=needed - profile.depth)


def _health(sign: _Sign, checked: Sequence[Checked]) -> _Weighed:
    ill = unwell(sign.record, checked, policy=sign.policy, now=sign.now)
    if ill.depth >= max(sign.policy.fast.depth, sign.least_depth):
        return None, ill.depth
    return sign.dropped(suspicion=sign.suspicion if ill.ask_again else None, due_at=ill.ask_again)


def _starts(sign: _Sign, well: Sequence[Well]) -> _Weighed:
    # What ECS said before is over: a task that starts sets its throttle back.
    started = _has_started(sign.record, well, now=sign.now)
    return sign.dropped(impaired=sign.record.impaired[-1:]) if started else sign.stands()


def _storm(sign: _Sign) -> _Weighed:
    tasks, storm = sign.desired_count or _COUNTLESS, sign.record.storm
    many = is_storm(storm, tasks=tasks, mtbf=sign.policy.flaky_mtbf) or is_steady(storm)
    return sign.stands() if many else sign.dropped(storm=replace(storm, tasks=tasks))


def _is_for_ecs_to_say(suspicion: Suspicion, record: Record) -> bool:
    """Whether what was heard is no loop by itself: what runs decides."""
    unsaid = suspicion.signal is Signal.IMPAIRED and not record.impaired
    return unsaid or suspicion.signal in (Signal.UNHEALTHY, Signal.RESTARTS, Signal.EMPTY)


def _has_started(record: Record, well: Sequence[Well], *, now: float) -> bool:
    """Whether a task that runs by now started between two statements of ECS that it cannot start tasks.

    Where ECS said nothing: since the first of those that did not start.
    """
    if record.impaired:
        return any(record.impaired[0] <= task.started_at <= record.impaired[-1] for task in well)
    starts = failed_starts(record.slow)
    return not starts or any(starts[0] <= task.started_at <= now for task in well)


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


def _times(known: tuple[float, ...], new: Iterable[float], window: float) -> tuple[float, ...]:
    """The distinct times of the last `window` seconds, oldest first."""
    kept: list[float] = []
    for at in sorted({*known, *new}):
        if not kept or at > kept[-1] + _SAME_STATEMENT:
            kept.append(at)
    recent = [at for at in kept if at >= kept[-1] - window]
    # The oldest tells for how long it has been so, however often it is said.
    return (*recent[:1], *recent[1:][1 - _KEPT_TIMES :])
