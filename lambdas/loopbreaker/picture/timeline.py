"""What a picture shows. Every time is a float of seconds since the Unix epoch (UTC)."""

from dataclasses import dataclass
from enum import StrEnum

from loopbreaker.model import Category


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a service. `started_at` is None for one that never started, `failed_at` for one that still runs."""

    service: str
    created_at: float
    started_at: float | None
    failed_at: float | None
    category: Category | None = None
    exit_code: int | None = None


class Moment(StrEnum):
    """Something that happened at one time, in the word that stands beside its line."""

    DEPLOYMENT = "deployment"
    FOUND = "found"
    TOLD = "told"
    REMINDED = "reminded"
    ROLLED_BACK = "rolled back"
    STOPPED = "stopped"
    PROBE = "probe"
    BACK = "back"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment, and what is said of it."""

    moment: Moment
    at: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """How many tasks failed from `since` until `until`."""

    since: float
    until: float
    failures: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """One loop, or many that began together.

    first, last: the tasks that are known one by one, in the order of their creation.
    between: how many more failed after the first and before the last ones.
    counts: every failure, by interval, in order; empty where all tasks are known one by one.
    serving: how many other tasks of the service run all the while.
    dollars: what the failed tasks cost at most until the end, by list prices; None where nobody knows.
    """

    cluster: str
    service: str
    until: float
    first: tuple[Task, ...]
    last: tuple[Task, ...] = ()
    between: int = 0
    counts: tuple[Count, ...] = ()
    marks: tuple[Mark, ...] = ()
    serving: int = 0
    dollars: float | None = None

    @property
    def tasks(self) -> tuple[Task, ...]:
        return self.first + self.last

    @property
    def failures(self) -> int:
        return self.between + sum(task.failed_at is not None for task in self.tasks)

    @property
    def services(self) -> tuple[str, ...]:
        """Every service with a task here, in the order in which they began."""
        return tuple(dict.fromkeys(task.service for task in self.tasks))

    @property
    def first_failure_at(self) -> float:
        """When the first task failed; the end of the picture where none did."""
        return min((task.failed_at for task in self.tasks if task.failed_at is not None), default=self.until)

    @property
    def last_failure_at(self) -> float:
        return max((task.failed_at for task in self.tasks if task.failed_at is not None), default=self.until)

    @property
    def since(self) -> float:
        """Where the picture begins: a task that had run for long is shown from shortly before its failure."""
        born = min((task.created_at for task in self.tasks), default=self.until - 600)
        seen = [mark.at for mark in self.marks]
        before = max(180.0, (self.last_failure_at - self.first_failure_at) / 8)
        return min([max(born, self.first_failure_at - before), *(at for at in seen if at > born - before)])

    def held(self) -> tuple[tuple[float, float], ...]:
        """From when until when the service was held at 0."""
        spans: list[tuple[float, float]] = []
        began: float | None = None
        for mark in sorted(self.marks, key=lambda mark: mark.at):
            if mark.moment is Moment.STOPPED:
                began = mark.at if began is None else began
            elif began is not None and mark.moment in (Moment.PROBE, Moment.BACK, Moment.OVER):
                spans.append((began, mark.at))
                began = None
        if began is not None:
            spans.append((began, self.until))
        return tuple(spans)


_INTERVALS = (300.0, 900.0, 3600.0, 10_800.0, 21_600.0, 86_400.0)
_MOST_INTERVALS, _ENOUGH = 60, 5
_MOST_STEPS = 100


def counted(timeline: Timeline) -> tuple[Count, ...]:
    """Every failure by interval: as stored, else from the tasks, in intervals long enough to make a rate."""
    if not timeline.failures:
        return ()
    span = timeline.until - timeline.since
    enough = span * _ENOUGH / timeline.failures
    wide = (width for width in _INTERVALS if span / width <= _MOST_INTERVALS and width >= min(enough, span / 4))
    wanted = next(wide, _INTERVALS[-1])
    return _merged(timeline, wanted) if timeline.counts else _from_tasks(timeline, max(1, int(span // wanted)))


def spent(timeline: Timeline) -> list[tuple[float, float]]:
    """By when which share of the failures had happened, in steps as fine as is known and few enough to draw."""
    steps = [(c.until, c.failures) for c in timeline.counts if c.failures]
    steps = steps or [(at, 1) for at in sorted(t.failed_at for t in timeline.tasks if t.failed_at is not None)]
    whole, seen, found = sum(number for _, number in steps), 0, []
    for at, number in steps:
        seen += number
        found.append((min(at, timeline.until), seen / whole))
    return [*found[:: len(found) // _MOST_STEPS + 1], *found[-1:]]


def _merged(timeline: Timeline, wanted: float) -> tuple[Count, ...]:
    """Stored intervals, so many as make the wanted width in one; the last one ends with the picture."""
    stored = timeline.counts
    together = max(1, round(wanted / (stored[0].until - stored[0].since)))
    groups = [stored[start : start + together] for start in range(0, len(stored), together)]
    if len(groups) > 1 and len(groups[-1]) * 2 < together:
        groups[-2:] = [groups[-2] + groups[-1]]
    found = [Count(group[0].since, group[-1].until, sum(c.failures for c in group)) for group in groups]
    end = min(found[-1].until, max(timeline.until, found[-1].since + wanted / 2))
    return (*found[:-1], Count(found[-1].since, end, found[-1].failures))


def _from_tasks(timeline: Timeline, number: int) -> tuple[Count, ...]:
    since, width = timeline.since, (timeline.until - timeline.since) / number
    found = [0] * number
    for task in timeline.tasks:
        if task.failed_at is not None:
            found[max(0, min(int((task.failed_at - since) // width), number - 1))] += 1
    return tuple(Count(since + i * width, since + (i + 1) * width, n) for i, n in enumerate(found))
