"""What failed, in bounded room: the first few failures and the last few in full, and how many in each interval. Pure.

A failed task is known again by a mark of its id, so that a repeated delivery does not count. Marks are kept of the
tasks of the last ten minutes, at least `LEAST_MARKS` and at most `MOST_MARKS` of them: what is repeated later than
that counts twice. Once the service is known to loop its record shall cost one unit a write, so that the number of
failures is only told and no longer decides: then `LOOP_MARKS` are the most.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
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
LEAST_MARKS, LOOP_MARKS, MOST_MARKS = 24, 48, 512
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
    marks: of the ids of tasks that failed lately, newest last.
    """

    since: float = 0.0
    width: float = SHORTEST
    counts: tuple[int, ...] = ()
    first: tuple[Failed, ...] = ()
    last: tuple[Failed, ...] = ()
    marks: tuple[int, ...] = field(default=(), metadata={"packed": True})

    def failed_since(self, at: float) -> int:
        """Distinct tasks, as far as repetitions are known, from the interval of that time on."""
        return sum(count for n, count in enumerate(self.counts) if self.since + (n + 1) * self.width > at)

    @property
    def shown(self) -> tuple[Failed, ...]:
        """The failures that are kept in full, the newest last."""
        return (*self.first, *self.last)

    @property
    def newest(self) -> Failed | None:
        return (self.last or self.first or (None,))[-1]


NO_FAILURES = History()


def add(history: History, failures: Iterable[TaskFailure], *, since: float, most: int = MOST_MARKS) -> History:
    """The history with these failures, in any order, repeated or not; without what failed before `since`.

    most: of so many failed tasks at most a mark is kept.
    """
    history = _from(history, since)
    known = set(history.marks)
    by_task: dict[int, TaskFailure] = {}
    for failure in sorted(failures, key=lambda f: f.failed_at):
        mark = crc32(failure.task_id.encode()) & 0xFFFFFF
        if mark not in known and failure.failed_at >= since:
            # Two events of one task may disagree about its times: it is one task.
            by_task[mark] = failure
    if not by_task:
        return history
    fresh = by_task.values()
    counted = _spread(history, [f.failed_at for f in fresh])
    shown = sorted({*history.first, *history.last, *map(_shown, fresh)}, key=lambda failed: failed.at)
    lately = ceil(sum(counted.counts[-2:]) * _MARKED_FOR / (min(len(counted.counts), 2) * counted.width))
    kept = max(LEAST_MARKS, min(most, max(lately, len(by_task))))
    return replace(
        counted,
        first=tuple(shown[:SHOWN]),
        last=tuple(shown[SHOWN:][-SHOWN:]),
        marks=(*history.marks, *by_task)[-kept:],
    )


def _from(history: History, since: float) -> History:
    """The history without the intervals and failures that are over by then."""
    gone = sum(history.since + (n + 1) * history.width <= since for n in range(len(history.counts)))
    if not gone:
        return history
    if gone == len(history.counts):
        return History(marks=history.marks)
    return replace(
        history,
        since=history.since + gone * history.width,
        counts=history.counts[gone:],
        first=tuple(failed for failed in history.first if failed.at >= since),
        last=tuple(failed for failed in history.last if failed.at >= since),
    )


def _spread(history: History, times: Sequence[float]) -> History:
    """One more failure at each of the times, in intervals that are as short as their number allows."""
    width = history.width
    found = [(history.since + n * width, count) for n, count in enumerate(history.counts)]
    found += [(at, 1) for at in times]
    while max(found)[0] // width - min(found)[0] // width >= INTERVALS:
        width *= 2
    per_interval: Counter[int] = Counter()
    for at, count in found:
        per_interval[int(at // width)] += count
    begin, end = min(per_interval), max(per_interval)
    return replace(
        history,
        since=begin * width,
        width=width,
        counts=tuple(per_interval[interval] for interval in range(begin, end + 1)),
    )


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
