"""Which task stands in which row, and which one replaced it. A row is a slot: what fills it again replaced what left.

ECS does not say which task it started in place of which. A task takes the slot that has waited longest; of a service
whose health checks fail the replacement is started first, so it stands in another slot, beside the task it replaces.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loopbreaker.model import FAILED_HEALTH_CHECKS
from loopbreaker.picture.timeline import Task, Timeline

MOST_LANES = 12
# A slot with more tasks than this is folded: its first and last ones are shown.
_LONG, _FIRST, _LAST = 16, 7, 4
# A replacement comes within this time; a slot that waited longer was given up.
_GAP = 1800.0


@dataclass(frozen=True, slots=True)
class Lane:
    """One row: tasks of one service that do not overlap, oldest first."""

    service: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """A failed task and its replacement, by the numbers of their rows."""

    failed: Task
    failed_lane: int
    replacement: Task
    lane: int


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What is drawn. folded: failures left out between, from when until when; more: rows left out below."""

    lanes: tuple[Lane, ...]
    arrows: tuple[Arrow, ...]
    folded: int
    fold: tuple[float, float] | None
    more: int


def arrange(timeline: Timeline) -> Arrangement:
    """The rows of a timeline, the oldest on top; at most MOST_LANES, each of a bounded number of tasks."""
    first, last, folded = timeline.first, timeline.last, timeline.between
    slots = max(1, len(_rows(timeline.tasks[: 4 * _LONG * MOST_LANES])))
    keep, end = _FIRST * slots, _LAST * slots
    if len(timeline.tasks) > _LONG * slots:
        first, last = timeline.tasks[:keep], timeline.tasks[-end:]
        folded += len(timeline.tasks) - keep - end
    rows = _rows((*first, *last))
    lanes = tuple(Lane(row[0].service, tuple(row)) for row in rows[:MOST_LANES])
    fold = (max(_end(task) for task in first), min(task.created_at for task in last)) if folded and last else None
    if fold and fold[0] >= fold[1]:
        fold = (min(fold), max(fold))
    return Arrangement(
        lanes=lanes,
        arrows=tuple(_arrows(lanes, fold)),
        folded=folded,
        fold=fold,
        more=max(0, len(rows) - MOST_LANES),
    )


def _rows(tasks: Sequence[Task]) -> list[list[Task]]:
    """Each task in the free row of its service that has waited longest, but not too long; else in a new one."""
    rows: list[list[Task]] = []
    for task in sorted(tasks, key=lambda task: task.created_at):
        free = [row for row in rows if row[-1].service == task.service and _end(row[-1]) <= task.created_at]
        waiting = [row for row in free if task.created_at - _end(row[-1]) <= _GAP]
        if waiting:
            min(waiting, key=lambda row: _end(row[-1])).append(task)
        elif free:
            max(free, key=lambda row: _end(row[-1])).append(task)
        else:
            rows.append([task])
    names = list(dict.fromkeys(row[0].service for row in rows))
    return sorted(rows, key=lambda row: names.index(row[0].service))


def _arrows(lanes: Sequence[Lane], fold: tuple[float, float] | None) -> list[Arrow]:
    found: list[Arrow] = []
    for number, lane in enumerate(lanes):
        for position, task in enumerate(lane.tasks):
            if beside := _started_first(lanes, number, task):
                found.append(Arrow(beside[1], beside[0], task, number))
            elif position and not _across(lane.tasks[position - 1], task, fold):
                found.append(Arrow(lane.tasks[position - 1], number, task, number))
    return found


def _started_first(lanes: Sequence[Lane], number: int, task: Task) -> tuple[int, Task] | None:
    """The unhealthy task in another row in whose place this one was started: the youngest of those older than it."""
    found = [
        (other, before)
        for other, lane in enumerate(lanes)
        for before in lane.tasks
        if other != number
        and lane.service == task.service
        and before.category in FAILED_HEALTH_CHECKS
        and before.created_at < task.created_at < _end(before)
    ]
    return max(found, key=lambda one: one[1].created_at, default=None)


def _across(before: Task, after: Task, fold: tuple[float, float] | None) -> bool:
    return fold is not None and before.created_at < fold[0] and after.created_at >= fold[1]


def _end(task: Task) -> float:
    return task.failed_at if task.failed_at is not None else float("inf")
