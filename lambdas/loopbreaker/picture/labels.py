"""The moments as labels that do not cover each other: in rows, each beside its line."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loopbreaker.picture.scale import Scale
from loopbreaker.picture.timeline import Mark, Moment, Timeline
from loopbreaker.picture.words import clock

_FIRST, _LAST = 7, 4


@dataclass(frozen=True, slots=True)
class Label:
    """One line from top to bottom. `row` counts from 0; `leftwards`: the text ends at the line."""

    moments: tuple[Moment, ...]
    place: float
    text: str
    row: int
    leftwards: bool


def labels(
    timeline: Timeline, scale: Scale, *, right: float, near: float, width: Callable[[str], float]
) -> tuple[Label, ...]:
    """The labels of a timeline's moments; those nearer than `near` share a line. `width` measures a text."""
    groups: list[list[Mark]] = []
    for mark in sorted(timeline.marks, key=lambda mark: mark.at):
        if groups and _together(groups[-1], mark, scale, near):
            groups[-1].append(mark)
        else:
            groups.append([mark])
    left_out = max(0, len(groups) - _FIRST - _LAST)
    if left_out:
        groups = [*groups[:_FIRST], *groups[-_LAST:]]
    span = timeline.until - timeline.since
    texts = [_text(group, span) for group in groups]
    if left_out:
        texts[-1] = f"(+{left_out} more) {texts[-1]}"
    return tuple(_placed(groups, texts, scale, right, width))


def _together(group: Sequence[Mark], mark: Mark, scale: Scale, near: float) -> bool:
    """Whether a moment shares the line of those before it: it is beside them, or one more reminder in a fold."""
    if scale.place(mark.at) - scale.place(group[0].at) <= near:
        return True
    reminders = {one.moment for one in (*group, mark)} == {Moment.REMINDED}
    return reminders and any(p.folded and p.since <= group[0].at and mark.at <= p.until for p in scale.pieces)


def _text(group: Sequence[Mark], span: float) -> str:
    moments = Counter(mark.moment.value for mark in group)
    words = ", ".join(f"{word} × {number}" if number > 1 else word for word, number in moments.items())
    return f"{words} {clock(group[0].at, span=span)}"


def _placed(
    groups: Sequence[Sequence[Mark]], texts: Sequence[str], scale: Scale, right: float, width: Callable[[str], float]
) -> list[Label]:
    """Each in the topmost row in which it covers no other, from left to right."""
    ends: list[float] = []
    found: list[Label] = []
    for group, text in zip(groups, texts, strict=True):
        place = scale.place(group[0].at)
        leftwards = place + width(text) > right
        begin = place - width(text) if leftwards else place
        row = next((row for row, end in enumerate(ends) if end <= begin), len(ends))
        ends[row:] = [begin + width(text), *ends[row + 1 :]]
        found.append(Label(tuple(dict.fromkeys(m.moment for m in group)), place, text, row, leftwards))
    return found
