"""What the software in a task does: runs for ever, or fails after a while, on some slots, until some time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf
from random import Random

from simulation.scripting.failures import Ending, Failure, Phase, endings

Draw = Callable[[Random], float]
"""A distribution of seconds: takes the source of chance, gives one value."""


def constant(seconds: float) -> Draw:
    """Always `seconds`."""
    return lambda _: seconds


def uniform(low: float, high: float) -> Draw:
    """Anything between `low` and `high` seconds."""
    return lambda rng: rng.uniform(low, high)


def exponential(mean: float) -> Draw:
    """A memoryless lifetime with this mean: the mean time between failures of software that is merely flaky."""
    return lambda rng: rng.expovariate(1 / mean)


READY: Draw = constant(5)
"""Most software answers a few seconds after its start."""


@dataclass(frozen=True, slots=True)
class Fate:
    """The failure one task will meet: `after` seconds, unless the cause is gone (`until`) by then.

    `after` counts from RUNNING, or from the creation of a task that never gets there; None there is the usual time.
    """

    ending: Ending
    after: float | None
    until: float


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The behaviour of one task definition revision. Build it with `healthy` or `crash`.

    ready_after: seconds from RUNNING until the software answers; a task that ends before has served nobody.
    share: the probability that a task which would fail does fail.
    least: with fewer tasks of its service RUNNING than this, a task dies of the load, `overload` seconds after its
        start or later.
    """

    ending: Ending | None = None
    after: Draw | None = None
    slots: frozenset[int] | None = None
    until: float = inf
    first_starts: int | None = None
    share: float = 1.0
    ready_after: Draw = READY
    least: int = 1
    overload: float = 30.0

    def fate(self, *, slot: int, start: int, rng: Random) -> Fate | None:
        """What awaits the task that is the `start`-th (from 0) of its deployment in `slot`; None: it runs for ever."""
        if self.ending is None or (self.slots is not None and slot not in self.slots):
            return None
        if self.first_starts is not None and start >= self.first_starts:
            return None
        if self.share < 1 and rng.random() >= self.share:
            return None
        return Fate(self.ending, self.after(rng) if self.after else None, self.until)


def healthy(*, ready_after: Draw = READY, least: int = 1) -> Behaviour:
    """Runs until it is stopped, or dies of a load that fewer than `least` tasks cannot carry."""
    return Behaviour(ready_after=ready_after, least=least)


def crash(
    cause: Failure,
    *,
    after: Draw | None = None,
    ending: int = 0,
    slots: Iterable[int] | None = None,
    until: float = inf,
    first_starts: int | None = None,
    share: float = 1.0,
    ready_after: Draw = READY,
    least: int = 1,
) -> Behaviour:
    """Fails in the way of `cause`, each time the same.

    after: seconds of life after RUNNING; for a task that never gets there, seconds from its creation; for a health
        check, seconds of good health. Left out: 1 to 5 seconds, ECS's usual time, and never healthy.
    ending: which of `endings(cause)` it is.
    slots: only the tasks in these slots (0 to desiredCount - 1) fail.
    until: seconds since the start of the simulation when the cause is gone.
    first_starts: only so many first starts in each slot of a deployment fail.
    share, ready_after, least: as in `Behaviour`.
    """
    chosen = endings(cause)[ending]
    if after is None and chosen.phase is Phase.RUNNING:
        after = uniform(1, 5)
    if after is None and chosen.phase is Phase.UNHEALTHY:
        after = constant(0)
    only = None if slots is None else frozenset(slots)
    return Behaviour(
        ending=chosen,
        after=after,
        slots=only,
        until=until,
        first_starts=first_starts,
        share=share,
        ready_after=ready_after,
        least=least,
    )
