"""What ECS sends no task event of, and what is read now and then instead. Told only. Pure.

Containers with a restart policy are restarted inside their task. And a service may run none of its tasks although
nothing fails and nothing is said.
"""

from collections.abc import Iterable
from math import log

from loopbreaker.policy import Policy

READ_EVERY = 900.0
"""Seconds between two readings."""
LEAST_GAP = 2 * READ_EVERY
"""What is read so rarely is not over sooner than twice this after it was last seen, in seconds."""
# Most restarts that are remembered: more within an hour are a loop of any service that could have so few by chance.
_KEPT = 96
# Within these times, in seconds; restarts are remembered for the longer.
_WINDOWS = (3600.0, 6 * 3600.0)
_LEAST = 4
# A service whose containers fail by chance shows so many restarts with less than this probability.
_CHANCE = 1e-6
# Two sights of a service without a task belong together if no reading, and not two in a row, lies between them.
_SAME_PAUSE = 2.5 * READ_EVERY


def remember_restarts(known: tuple[float, ...], new: Iterable[float]) -> tuple[float, ...]:
    """The times of restarts within the longer window, oldest first; any order, repeated or not."""
    times = sorted({*known, *new})
    return tuple(at for at in times if at > times[-1] - _WINDOWS[-1])[-_KEPT:]


def remember_empty(known: tuple[float, ...], new: Iterable[float]) -> tuple[float, ...]:
    """When the service was seen to run nothing, since it last may have run something: the first and the newest."""
    pause = known
    for at in sorted(at for at in new if not known or at > known[-1]):
        pause = (*pause[:1], at) if pause and at - pause[-1] <= _SAME_PAUSE else (at,)
    return pause


def restart_again_and_again(times: tuple[float, ...], *, tasks: int, mtbf: float) -> bool:
    """Whether so many tasks that each fail once in `mtbf` seconds would hardly restart so often (Chernoff's bound)."""
    return any(_surprise(times, window, tasks * window / mtbf) >= -log(_CHANCE) for window in _WINDOWS)


def runs_nothing(times: tuple[float, ...], policy: Policy) -> bool:
    """Whether it has been seen to run nothing for long."""
    return bool(times) and times[-1] - times[0] >= policy.empty_after


def _surprise(times: tuple[float, ...], window: float, expected: float) -> float:
    number = sum(at > times[-1] - window for at in times)
    if number < _LEAST or number <= expected:
        return 0.0
    return number * log(number / expected) - (number - expected)
