"""Loops to draw, made without a simulation: tasks of known times."""

from loopbreaker.model import Category
from loopbreaker.picture.timeline import Mark, Moment, Task, Timeline

T0 = 1_767_225_660.0
"""2026-01-01 00:01:00 UTC."""


def chain(
    tasks: int,
    *,
    start: float = T0,
    boot: float = 8,
    life: float = 40,
    pause: float = 12,
    service: str = "web",
    category: Category = Category.APP_CRASH,
) -> tuple[Task, ...]:
    """One slot: each task fails after its life and is replaced after a pause."""
    beat = boot + life + pause
    starts = [start + number * beat for number in range(tasks)]
    return tuple(Task(service, at, at + boot, at + boot + life, category, 1) for at in starts)


def loop(tasks: int = 10, *, marks: tuple[Mark, ...] = (), dollars: float | None = None) -> Timeline:
    """One slot that was found after three failures."""
    drawn = chain(tasks)
    found = Mark(Moment.FOUND, T0 + 180)
    return Timeline("prod", "web", T0 + tasks * 60 + 60, drawn, marks=(found, *marks), dollars=dollars)


def stopped() -> Timeline:
    """A loop that was stopped after half an hour, and came back."""
    end = T0 + 30 * 60
    marks = (
        Mark(Moment.FOUND, T0 + 180),
        Mark(Moment.TOLD, T0 + 185),
        Mark(Moment.STOPPED, end),
        Mark(Moment.PROBE, end + 900),
        Mark(Moment.BACK, end + 1300),
        Mark(Moment.OVER, end + 1900),
    )
    back = Task("web", end + 901, end + 910, None)
    return Timeline("prod", "web", end + 2000, (*chain(30), back), marks=marks, dollars=1.5)
