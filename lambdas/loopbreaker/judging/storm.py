"""Storms: a service whose tasks fail one after another for hours without making a chain. Told only. Pure.

A poison message kills one of many workers every few minutes; or each task fails at random about once an hour.
Counted are spans of five minutes with a failure, and minutes with one, which no repetition and no order changes, and
held against what so many tasks of a merely flaky service show.
"""

from collections.abc import Iterable
from dataclasses import replace
from math import exp, log

from loopbreaker.remembering.record import Storm

SPAN = 300.0
"""Length of a span, in seconds."""
MINUTE = 60.0
_DAY = 288
_HALF_DAY = 720
# A task that failed sooner is a matter of its start: of those, some fail in many services.
LEAST_LIFETIME = 300.0
# A flaky service shows a storm with less than this probability.
_CHANCE = 1e-6
# Hours that are looked at: in spans, in three spans each, and in minutes. Where many tasks run something fails in
# nearly every span, and minutes tell sooner that it fails twice as often as it should.
_SPANS = (72, 108, 144, 216, 288)
_TRIPLES = (144, 288)
_MINUTES = (120, 180, 270, 360, 540, 720)


def mark(storm: Storm, times: Iterable[float]) -> Storm:
    """The storm with the spans and minutes in which something failed, of the day and the half day before the newest."""
    times = tuple(times)
    if not times:
        return storm
    first, failing = _marked(storm.first, storm.failing, {int(at // SPAN) for at in times}, _DAY)
    minute, minutes = _marked(storm.minute, storm.minutes, {int(at // MINUTE) for at in times}, _HALF_DAY)
    if (first, failing, minute, minutes) == (storm.first, storm.failing, storm.minute, storm.minutes):
        return storm
    return replace(storm, first=first, failing=failing, minute=minute, minutes=minutes)


def _marked(first: int, bits: int, new: set[int], most: int) -> tuple[int, int]:
    """The first interval with a failure, and a bit for each from it on; of the newest `most` intervals."""
    newest = max([*new, first + bits.bit_length() - 1])
    for one in new:
        if one > newest - most:
            bits, first = (bits << max(first - one, 0), min(first, one)) if bits else (0, one)
            bits |= 1 << (one - first)
    bits, first = bits >> max(newest - most + 1 - first, 0), max(first, newest - most + 1)
    # The first is one with a failure.
    gone = (bits & -bits).bit_length() - 1
    return first + gone, bits >> gone


def is_storm(storm: Storm, *, tasks: int, mtbf: float) -> bool:
    """Whether so many tasks that each fail once in `mtbf` seconds would hardly fail in so many spans.

    The bound is Chernoff's: a share k of n spans, each with probability q, is at most exp(-n KL(k, q)).
    """
    rate = tasks / mtbf
    triples = _in_threes(storm.failing)
    surprise = max(
        *(_surprise(storm.failing, n, SPAN * rate) for n in _SPANS),
        *(_surprise(triples, n // 3, 3 * SPAN * rate) for n in _TRIPLES),
        *(_surprise(storm.minutes, n, MINUTE * rate) for n in _MINUTES),
    )
    return surprise >= log(len(_SPANS) + len(_TRIPLES) + len(_MINUTES)) - log(_CHANCE)


def began_at(storm: Storm) -> float:
    """The beginning of the first span."""
    return storm.first * SPAN


def longest_gap(storm: Storm) -> float:
    """The longest time between two failures, to a span, in seconds."""
    quiet = max(len(zeros) for zeros in f"{storm.failing:b}".split("1"))
    return (quiet + 1) * SPAN


def _in_threes(bits: int) -> int:
    """One bit for each three, counted from the newest."""
    found = 0
    for n, begin in enumerate(range(bits.bit_length(), 0, -3)):
        if bits >> max(begin - 3, 0) & (7 >> max(3 - begin, 0)):
            found |= 1 << (_DAY // 3 - 1 - n)
    return found


def _surprise(bits: int, n: int, expected: float) -> float:
    """How little the newest n intervals look like those of a service in which so many failures are expected in each."""
    failing = (bits >> max(bits.bit_length() - n, 0)).bit_count()
    q, share = 1 - exp(-expected), failing / n
    if share <= q:
        return 0.0
    rest = (1 - share) * log((1 - share) / (1 - q)) if share < 1 else 0.0
    return n * (share * log(share / q) + rest)
