"""The twin of the drawing for a terminal: the same rows, moments and folds, in characters."""

from collections.abc import Iterator, Sequence

from loopbreaker.picture.labels import Label, labels
from loopbreaker.picture.lanes import Arrangement, arrange
from loopbreaker.picture.scale import Scale, scale
from loopbreaker.picture.timeline import Task, Timeline, counted, spent
from loopbreaker.picture.words import (
    Cause,
    cause,
    clock,
    count,
    cut,
    duration,
    headline,
    left_out,
    money,
    plain,
    summary,
)

_NARROW, _WIDE = 11, 24
_LEAST = 40
_START, _RUN, _LINE, _HELD = "░", "█", "│", "·"
_SIGNS = {
    Cause.ENDED: "✕",
    Cause.KILLED: "▲",
    Cause.NEVER_STARTED: "◇",
    Cause.UNHEALTHY: "○",
    Cause.OTHER: "?",
}
_LEVELS = " ▁▂▃▄▅▆▇█"
_ASCII = str.maketrans({**dict(zip("░█│·✕▲◇○×…╌", ":#|.x^oO*~-", strict=True)), **dict.fromkeys("▁▂▃▄▅▆▇", "=")})


def text(timeline: Timeline, *, width: int = 80, ascii_only: bool = False) -> str:
    """The picture in lines of at most `width` columns; `ascii_only` for a terminal that knows no others."""
    shown = arrange(timeline)
    width = max(width, _LEAST)
    left = max(_NARROW, min(width // 4, _WIDE, 2 + max(map(len, timeline.services), default=0)))
    left = left if len(timeline.services) > 1 else _NARROW
    label = len(left_out(timeline, shown.folded)) + 3
    room = scale(timeline, shown, left=left, right=width - 1, label=label)
    placed = labels(timeline, room, right=width, near=1, width=lambda text: len(text) + 2.0)
    lines = [
        headline(timeline),
        *_wrapped(summary(timeline), width),
        "",
        *_labels(placed, width),
        *_lanes(timeline, shown, room, placed, width),
        *_below(timeline, room, left, width),
        "",
        *_wrapped("  ".join(_legend(shown)), width),
    ]
    drawn = "\n".join(plain(line).rstrip() for line in lines)
    return drawn.translate(_ASCII).encode("ascii", "replace").decode() if ascii_only else drawn


def _wrapped(line: str, width: int) -> list[str]:
    """A line broken at its separators, never in a word."""
    separator = " · " if " · " in line else "  "
    found: list[str] = []
    for part in line.split(separator):
        if found and len(found[-1]) + len(separator) + len(part) <= width:
            found[-1] += separator + part
        else:
            found.append(part)
    return found


def _labels(placed: tuple[Label, ...], width: int) -> Iterator[str]:
    """Rows of labels, with the lines of those above running down between them."""
    rows = max((label.row + 1 for label in placed), default=0)
    for row in range(rows):
        cells = [" "] * width
        for label in placed:
            if label.row < row:
                cells[int(label.place)] = _LINE
        for label in placed:
            if label.row == row:
                begin = int(label.place) - len(label.text) - 1 if label.leftwards else int(label.place) + 2
                begin = max(0, min(begin, width - len(label.text)))
                cells[begin : begin + len(label.text)] = label.text[:width]
                cells[int(label.place)] = _LINE
        yield "".join(cells)


def _lanes(timeline: Timeline, shown: Arrangement, room: Scale, placed: tuple[Label, ...], width: int) -> Iterator[str]:
    many = len(timeline.services) > 1
    for number, lane in enumerate(shown.lanes):
        cells = [" "] * width
        name = cut(plain(lane.service) if many else f"slot {number + 1}", int(room.pieces[0].left) - 2)
        cells[: len(name)] = name
        for begin, end in timeline.held():
            for column in range(int(room.place(begin)), int(room.place(end))):
                cells[column] = _HELD
        for label in placed:
            cells[int(label.place)] = _LINE
        _bars(cells, lane.tasks, timeline, room)
        if shown.fold and number == len(shown.lanes) // 2:
            place = (room.place(shown.fold[0]) + room.place(shown.fold[1])) / 2
            _write(cells, place, left_out(timeline, shown.folded))
        yield "".join(cells)
    if shown.more:
        yield f"and {count(shown.more, 'more service' if many else 'more slot')}"
    if timeline.serving:
        yield f"{count(timeline.serving, 'other task')} run all along"


def _bars(cells: list[str], tasks: Sequence[Task], timeline: Timeline, room: Scale) -> None:
    """The tasks of one row; the signs last, so that no bar covers one."""
    for task in tasks:
        end = task.failed_at if task.failed_at is not None else timeline.until
        runs = task.started_at if task.started_at is not None else end
        first, middle, last = (int(room.place(at)) for at in (task.created_at, runs, end))
        for column in range(first, last + 1):
            # Where there is room for three characters, the start is one of them.
            starting = column < middle or (column == first and last - first > 2 and runs > task.created_at)
            cells[column] = _START if starting else _RUN
    for task in tasks:
        if task.failed_at is not None:
            cells[int(room.place(task.failed_at))] = _SIGNS[cause(task.category)]


def _below(timeline: Timeline, room: Scale, left: int, width: int) -> Iterator[str]:
    rates, shares = [0.0] * width, [0.0] * width
    for c in counted(timeline):
        first, last = int(room.place(c.since)), int(room.place(c.until))
        for column in range(first, max(last, first + 1)):
            rates[column] = max(rates[column], c.failures * 3600 / (c.until - c.since))
    for at, share in spent(timeline):
        column = int(room.place(at))
        shares[column:] = [share] * (width - column)
    if most := max(rates):
        yield f"{'per hour':{left}}{_curve(rates[left : width - 9], most)} {most:,.0f}"
    if timeline.dollars is not None and timeline.failures:
        yield f"{'money':{left}}{_curve(shares[left : width - 9], 1.0)} {money(timeline.dollars)}"
    cells = [" "] * width
    cells[:3] = "UTC"
    span = timeline.until - timeline.since
    for at, place in room.ticks(15 if span > 1.5 * 86_400 else 9):
        _write(cells, place, clock(at, span=span))
    for piece in room.pieces:
        if piece.folded:
            _write(cells, (piece.left + piece.right) / 2, f"({duration(piece.until - piece.since)})")
    yield "".join(cells)


def _curve(values: list[float], most: float) -> str:
    """A character a column, as high as the value; what is not nothing is seen."""
    top = len(_LEVELS) - 1
    return "".join(_LEVELS[min(top, max(round(value * top / most), int(value > 0)))] for value in values)


def _write(cells: list[str], middle: float, words: str) -> None:
    """Centred words, where they fit between blanks."""
    begin = max(0, min(int(middle - len(words) / 2), len(cells) - len(words)))
    around = cells[max(begin - 1, 0) : begin + len(words) + 1]
    if len(words) <= len(cells) - begin and not any(cell.isalnum() or cell in "()" for cell in around):
        cells[begin : begin + len(words)] = words


def _legend(shown: Arrangement) -> list[str]:
    seen = {cause(task.category) for lane in shown.lanes for task in lane.tasks if task.failed_at is not None}
    signs = [f"{_SIGNS[kind]} {kind.value}" for kind in Cause if kind in seen]
    return [f"{_START} starting", f"{_RUN} running", *signs]
