"""What failed, in bounded room: the first few failures and the last few in full, and how many in each interval. Pure.

A failed task is known again by a mark of its id, so that a repeated delivery does not count. Marks are kept of the
tasks of the last ten minutes, at least `LEAST_MARKS`, and at most `MOST_MARKS` with those before them. Once the service
is known to loop its record shall cost one unit a write, so that the number of failures is only told and no longer
decides: then `LOOP_MARKS` are the most.

What failed more than ten minutes before the newest, or is heard of so late, and failed no later than what has been
forgotten, may have been counted, and nobody can tell: it is not counted. So a repetition hours later never counts, and
what comes late for the first time may not. Marks are forgotten by halves, so that it is known of which time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import ClassVar
from zlib import crc32

from loopbreaker.model import Category, TaskFailure

SHORTEST = 60.0
"""Length of an interval, in seconds, while there are few of them."""
INTERVALS = 48
SHOWN = 3
"""Failures that are kept in full at either end."""
LEAST_MARKS, LOOP_MARKS, MOST_MARKS = 16, 48, 512
_MARKED_FOR = 600.0
# Words of ECS that decided; the rest of a long reason is in its own console.
_EVIDENCE = 160


@dataclass(frozen=True, slots=True)
class Failed:
    """One failed task, as people are shown it. `at` is when it failed, `lifetime` for how long it ran, in seconds.

    `created_at` is 0 in what was stored before it was kept.
    """

    COMPACT: ClassVar[bool] = True

    at: float
    lifetime: float
    category: Category
    container: str
    exit_code: int | None
    evidence: str
    task_definition: str
    deployment_id: str
    created_at: float = 0.0


@dataclass(frozen=True, slots=True)
class History:
    """The failed tasks of one chain of failures, or of one incident, and of the hour before it.

    since: when the first interval begins, a multiple of `width` seconds since the epoch.
    width: length of each interval; doubles when there would be more than `INTERVALS`.
    counts: failed tasks in each interval, the last of which is that of the newest failure.
    first, last: the earliest and the latest failures, oldest first; none is in both.
    marks: of the ids of tasks that failed lately, in the order in which they were heard of; the last `young` of them
        since the half before was full, when the newest failure known was that of `turned_at`.
    forgotten: no mark was forgotten of a task that failed later than this.
    """

    since: float = 0.0
    width: float = SHORTEST
    counts: tuple[int, ...] = ()
    first: tuple[Failed, ...] = ()
    last: tuple[Failed, ...] = ()
    marks: tuple[int, ...] = field(default=(), metadata={"packed": True})
    young: int = 0
    turned_at: float = 0.0
    forgotten: float = 0.0

    def failed_since(self, at: float) -> int:
        """Distinct tasks, as far as repetitions are known, from the interval of that time on."""
        return sum(self.counts[self.over_by(at) :])

    def over_by(self, at: float) -> int:
        """How many intervals, the oldest, are over at that time."""
        if at >= self.since + len(self.counts) * self.width:
            return len(self.counts)
        return int((max(at, self.since) - self.since) // self.width)

    @property
    def shown(self) -> tuple[Failed, ...]:
        """The failures that are kept in full, the newest last."""
        return (*self.first, *self.last)

    @property
    def newest(self) -> Failed | None:
        return (self.last or self.first or (None,))[-1]


NO_FAILURES = History()
# What is known of the tasks, whatever became of the intervals.
_KNOWN_AGAIN = ("marks", "young", "turned_at", "forgotten")


def add(
    history: History, failures: Iterable[TaskFailure], *, since: float, most: int = MOST_MARKS, now: float = 0.0
) -> History:
    """The history with these failures, in any order, repeated or not; without what failed before `since`.

    most: of so many failed tasks at most a mark is kept. now: when they are heard of.
    """
    history = _from(history, since)
    failures = sorted(failures, key=lambda f: f.failed_at)
    times = [failed.at for failed in history.shown[-SHOWN:]] + [failure.failed_at for failure in failures[-1:]]
    newest = max([history.turned_at, *times])
    known = set(history.marks)
    by_task: dict[int, TaskFailure] = {}
    for failure in failures:
        mark = crc32(failure.task_id.encode()) & 0xFFFFFF
        may_be_known = mark in known or _may_be_forgotten(history, failure, newest=newest, now=now)
        if failure.failed_at >= since and not may_be_known:
            # Two events of one task may disagree about its times: it is one task.
            by_task[mark] = failure
    if not by_task:
        return history
    fresh = by_task.values()
    begin, width, counts = _spread(history, [f.failed_at for f in fresh])
    shown = sorted({*history.first, *history.last, *map(_shown, fresh)}, key=_in_time)
    # The newest interval has only begun.
    recent = counts[-ceil(_MARKED_FOR / width) - 1 :]
    share = min(1.0, _MARKED_FOR / (len(recent) * width)) if width > _MARKED_FOR else 1.0
    lately = ceil(sum(recent) * share)
    marks, young, turned_at, forgotten = _marked(
        history, by_task, half=max(LEAST_MARKS, min(most // 2, lately)), most=most
    )
    return History(
        since=begin,
        width=width,
        counts=counts,
        first=tuple(shown[:SHOWN]),
        last=tuple(shown[SHOWN:][-SHOWN:]),
        marks=marks,
        young=young,
        turned_at=turned_at,
        forgotten=forgotten,
    )


def _may_be_forgotten(history: History, failure: TaskFailure, *, newest: float, now: float) -> bool:
    """Whether it may have been counted, so that nobody can tell. What is heard of at once is new, in any order."""
    at_once = failure.failed_at > newest - _MARKED_FOR and failure.failed_at + failure.late > now - _MARKED_FOR
    return failure.failed_at <= history.forgotten and not at_once


def _marked(
    history: History, by_task: Mapping[int, TaskFailure], *, half: int, most: int
) -> tuple[tuple[int, ...], int, float, float]:
    """`marks`, `young`, `turned_at` and `forgotten` with these tasks, sorted by when they failed: once the younger half
    is full the older is forgotten.
    """
    marks, young = (*history.marks, *by_task), history.young + len(by_task)
    newest = max(failure.failed_at for failure in by_task.values())
    # To a second, upwards.
    newest = ceil(max([newest, history.turned_at, *(failed.at for failed in history.shown[-SHOWN:])]))
    kept = max(2 * half, min(most, len(by_task)))
    if young > kept:
        # More at once than can be known.
        return marks[-kept:], 0, newest, newest
    if young >= half:
        return marks[-young:], 0, newest, history.turned_at if len(marks) > young else history.forgotten
    if len(marks) > kept:
        return marks[-kept:], young, history.turned_at, history.turned_at
    return marks, young, history.turned_at, history.forgotten


def _from(history: History, since: float) -> History:
    """The history without the intervals and failures that are over by then."""
    gone = history.over_by(since)
    if not gone:
        return history
    if gone == len(history.counts):
        return replace(NO_FAILURES, **{name: getattr(history, name) for name in _KNOWN_AGAIN})
    return replace(
        history,
        since=history.since + gone * history.width,
        counts=history.counts[gone:],
        first=tuple(failed for failed in history.first if failed.at >= since),
        last=tuple(failed for failed in history.last if failed.at >= since),
    )


def _spread(history: History, times: Sequence[float]) -> tuple[float, float, tuple[int, ...]]:
    """`since`, `width` and `counts` with one more failure at each of the times, in intervals that are as short as their
    number allows.
    """
    known = [history.since + n * history.width for n in range(len(history.counts))]
    ends, width = (*known[:1], *known[-1:], *times), history.width
    while max(ends) // width - min(ends) // width >= INTERVALS:
        width *= 2
    begin = int(min(ends) // width)
    counts = [0] * (int(max(ends) // width) - begin + 1)
    for at, count in (*zip(known, history.counts, strict=True), *((at, 1) for at in times)):
        counts[int(at // width) - begin] += count
    return begin * width, width, tuple(counts)


def _in_time(failed: Failed) -> tuple[float, float, float, str]:
    """The same order in each process, also of tasks that failed at once: a set has none."""
    return failed.at, failed.lifetime, failed.created_at, failed.evidence


def _shown(failure: TaskFailure) -> Failed:
    return Failed(
        at=failure.failed_at,
        lifetime=failure.lifetime,
        category=failure.category,
        container=failure.container,
        exit_code=failure.exit_code,
        evidence=failure.evidence[:_EVIDENCE],
        task_definition=failure.task_definition,
        deployment_id=failure.deployment_id,
        created_at=failure.created_at,
    )
