"""Time to a place from left to right. What is dull, and what is folded, gets little room between two ends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from loopbreaker.picture.lanes import Arrangement
from loopbreaker.picture.timeline import Timeline

# Shares of the whole width: of a dull stretch, and of one with folded failures.
_DULL, _FOLDED = 0.085, 0.2
# A stretch in which nothing happens is folded where it is longer than this share of what happens.
_LONG = 0.6
_STEPS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of time and its room. `folded`: it has its own, coarse scale."""

    since: float
    until: float
    left: float
    right: float
    folded: bool

    def place(self, at: float) -> float:
        share = (at - self.since) / (self.until - self.since) if self.until > self.since else 0.0
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)


@dataclass(frozen=True, slots=True)
class Scale:
    """Pieces from left to right without a gap."""

    pieces: tuple[Piece, ...]

    def place(self, at: float) -> float:
        """Where a time is; before the first piece and after the last one, their ends."""
        return next((piece for piece in self.pieces if at <= piece.until), self.pieces[-1]).place(at)

    def ticks(self, apart: float) -> list[tuple[float, float]]:
        """Round times and their places, at least `apart` from each other; none in folded pieces."""
        return [tick for piece in self.pieces if not piece.folded for tick in _ticks(piece, apart)]


def scale(timeline: Timeline, shown: Arrangement, *, left: float, right: float, label: float = 0.0) -> Scale:
    """The scale for what is shown, between two places; what is folded has room for a label of a given width."""
    since, until = timeline.since, max(timeline.until, timeline.since + 1)
    busy = _merged(_busy(timeline, shown, since, until), near=0.0)
    near = _LONG * sum(end - begin for begin, end in busy)
    if shown.fold:
        before = _merged([(a, min(b, shown.fold[0])) for a, b in busy if a < shown.fold[0]], near=near)
        after = _merged([(max(a, shown.fold[1]), b) for a, b in busy if b > shown.fold[1]], near=near)
        stretches = [*before, *after]
    else:
        stretches = _merged(busy, near=max(near, 120.0))
    longest = max((lane.tasks for lane in shown.lanes), key=len, default=())
    starts = [task.created_at for task in longest]
    return Scale(
        _pieces(_padded(stretches, since, until, shown.fold), shown.fold, starts, left=left, right=right, label=label)
    )


def _busy(timeline: Timeline, shown: Arrangement, since: float, until: float) -> Iterable[tuple[float, float]]:
    """The times in which something happens that is shown; what a fold hides is not."""
    fold = shown.fold
    for lane in shown.lanes:
        for task in lane.tasks:
            end = task.failed_at if task.failed_at is not None else task.created_at + 60
            yield max(task.created_at, since), min(max(end, since), until)
    for mark in timeline.marks:
        if since <= mark.at <= until and not (fold and fold[0] < mark.at < fold[1]):
            yield mark.at, mark.at
    if not timeline.failures:
        yield since, until
    yield until, until


def _merged(stretches: Iterable[tuple[float, float]], *, near: float) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for begin, end in sorted(stretches):
        if found and begin - found[-1][1] <= near:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _padded(
    stretches: Sequence[tuple[float, float]], since: float, until: float, fold: tuple[float, float] | None
) -> list[tuple[float, float]]:
    """Each with a little time around it, so that nothing stands at a break; a lone moment becomes a stretch."""
    whole = sum(end - begin for begin, end in stretches) or until - since
    pad = whole * 0.02
    padded: list[tuple[float, float]] = []
    for begin, end in stretches:
        low = padded[-1][1] if padded else since
        high = until
        if fold:
            low, high = (low, min(high, fold[0])) if end <= fold[0] else (max(low, fold[1]), high)
        padded.append((max(low, begin - pad), max(min(high, end + pad), min(begin, high))))
    return padded


def _pieces(
    stretches: Sequence[tuple[float, float]],
    fold: tuple[float, float] | None,
    starts: Sequence[float],
    *,
    left: float,
    right: float,
    label: float,
) -> tuple[Piece, ...]:
    gaps = [(a[1], b[0]) for a, b in pairwise(stretches)]
    folded = max(_FOLDED, label / (right - left))
    shares = [folded if fold and gap[0] <= fold[0] and gap[1] >= fold[1] else _DULL for gap in gaps]
    room = max(1 - sum(shares), 0.4)
    shares = [share * (1 - room) / sum(shares) for share in shares]
    # A short stretch full of tasks is not squeezed by a long empty one: each has its own scale beside a break.
    weights = [_weight(begin, end, starts) for begin, end in stretches]
    pieces: list[Piece] = []
    at = left
    for number, (begin, end) in enumerate(stretches):
        width = (right - left) * room * weights[number] / sum(weights)
        pieces.append(Piece(begin, end, at, at + width, folded=False))
        at += width
        if number < len(gaps):
            width = (right - left) * shares[number]
            pieces.append(Piece(*gaps[number], at, at + width, folded=True))
            at += width
    return tuple(pieces)


def _weight(begin: float, end: float, starts: Sequence[float]) -> float:
    return sqrt(max(end - begin, 1.0)) * (1 + sum(begin <= at <= end for at in starts) / 4)


def _ticks(piece: Piece, apart: float) -> list[tuple[float, float]]:
    span, room = piece.until - piece.since, piece.right - piece.left
    step = next((s for s in _STEPS if s * room / max(span, 1e-9) >= apart), None)
    if step is None:
        return []
    first = piece.since + (-piece.since) % step
    found = [first + number * step for number in range(int(max(piece.until - first, -1) // step) + 1)]
    return [(at, piece.place(at)) for at in found if first <= piece.until]
