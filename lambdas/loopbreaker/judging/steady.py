"""Failures that come too regularly for chance, however few they are for so many tasks. Pure.

A poison message that is taken again after five to fifteen minutes kills one of fifty workers each time: each of them
fails rarely, and what fails rarely fails at random, so that the service's pauses would be as uneven as pauses can be.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from loopbreaker.remembering.record import Storm

_KEPT = 24
_DAY = 86_400.0
# The squared coefficient of variation of 23 pauses: 1 where failures are independent. Those show so little, or less,
# with a probability of 4e-8.
_EVEN = 0.12


def beat(storm: Storm, times: Iterable[float]) -> Storm:
    """The storm with the last few times at which something failed, to the second; any order, repeated or not."""
    known = {*storm.times, *(float(round(at)) for at in times)}
    newest = max(known, default=0.0)
    kept = tuple(sorted(at for at in known if at > newest - _DAY)[-_KEPT:])
    return storm if kept == storm.times else replace(storm, times=kept)


def is_steady(storm: Storm) -> bool:
    """Whether the last failures came so evenly that chance would hardly show it."""
    if len(storm.times) < _KEPT:
        return False
    pauses = [later - earlier for earlier, later in pairwise(storm.times)]
    mean = sum(pauses) / len(pauses)
    variance = sum((pause - mean) ** 2 for pause in pauses) / (len(pauses) - 1)
    return variance <= _EVEN * mean**2
