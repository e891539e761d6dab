"""Storms: a service whose tasks fail one after another for hours without making a chain. Told only. Pure.

A poison message kills one of many workers every few minutes; or each task fails at random about once an hour.
Counted are spans of five minutes with a failure, which no repetition and no order changes, and held against what so
many tasks of a merely flaky service show.
"""

from collections.abc import Iterable
from dataclasses import replace
from math import exp, log

from loopbreaker.remembering.record import Storm

SPAN = 300.0
"""Length of a span, in seconds."""
_DAY = 288
# A task that failed sooner is a matter of its start: of those, some fail in many services.
LEAST_LIFETIME = 300.0
# A flaky service shows a storm with less than this probability.
_CHANCE = 1e-8
# Hours that are looked at, in spans, each by spans of five and of fifteen minutes.
_WINDOWS = (72, 144, 288)
_WIDTHS = (1, 3)


def mark(storm: Storm, times: Iterable[float]) -> Storm:
    """The storm with the spans in which something failed, of the day before the newest."""
    spans = {int(at // SPAN) for at in times}
    if not spans:
        return storm
    known = {storm.first + n for n in range(storm.failing.bit_length()) if storm.failing >> n & 1}
    newest = max(spans | known)
    kept = sorted(span for span in spans | known if span > newest - _DAY)
    bits = sum(1 << (span - kept[0]) for span in kept)
    return storm if (bits, kept[0]) == (storm.failing, storm.first) else replace(storm, first=kept[0], failing=bits)


def is_storm(storm: Storm, *, tasks: int, mtbf: float) -> bool:
    """Whether so many tasks that each fail once in `mtbf` seconds would hardly fail in so many spans.

    The bound is Chernoff's: a share k of n spans, each with probability q, is at most exp(-n KL(k, q)).
    """
    tries = len(_WINDOWS) * len(_WIDTHS)
    return any(
        _surprise(storm, window, width, tasks / mtbf) - log(tries) >= -log(_CHANCE)
        for window in _WINDOWS
        for width in _WIDTHS
    )


def began_at(storm: Storm) -> float:
    """The beginning of the first span."""
    return storm.first * SPAN


def longest_gap(storm: Storm) -> float:
    """The longest time between two failures, to a span, in seconds."""
    quiet = max(len(zeros) for zeros in f"{storm.failing:b}".split("1"))
    return (quiet + 1) * SPAN


def _surprise(storm: Storm, window: int, width: int, rate: float) -> float:
    length = storm.failing.bit_length()
    recent = storm.failing >> max(length - window, 0)
    n = window // width
    group = (1 << width) - 1
    failing = sum(1 for number in range(n) if recent >> (number * width) & group)
    q, share = 1 - exp(-rate * SPAN * width), failing / n
    if share <= q:
        return 0.0
    rest = (1 - share) * log((1 - share) / (1 - q)) if share < 1 else 0.0
    return n * (share * log(share / q) + rest)
