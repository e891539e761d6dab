"""The drawing. One SVG without script, for light and dark, that says in words and shapes what it says in colours."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from loopbreaker.model import Category
from loopbreaker.picture.labels import Label, labels
from loopbreaker.picture.lanes import Arrangement, Arrow, arrange
from loopbreaker.picture.scale import Scale, scale
from loopbreaker.picture.style import DEFS, STYLE, sign
from loopbreaker.picture.timeline import Count, Task, Timeline, counted, spent
from loopbreaker.picture.words import (
    Cause,
    cause,
    clock,
    count,
    cut,
    description,
    duration,
    headline,
    left_out,
    money,
    plain,
    summary,
)

_WIDTH, _LEFT, _RIGHT = 960, 132, 916
_LANE, _BAR = 27, 13
_CHART = 46


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where things are: heights of the rows of labels, of the lanes, of the charts."""

    timeline: Timeline
    shown: Arrangement
    scale: Scale
    labels: tuple[Label, ...]
    counts: tuple[Count, ...]

    @property
    def lanes_top(self) -> float:
        return 84 + 17 * max((label.row + 1 for label in self.labels), default=0)

    @property
    def lanes_bottom(self) -> float:
        extra = bool(self.shown.more) + bool(self.timeline.serving)
        return self.lanes_top + _LANE * max(len(self.shown.lanes) + extra, 1) + 4

    @property
    def rate_bottom(self) -> float:
        return self.lanes_bottom + 18 + _CHART

    @property
    def bottom(self) -> float:
        return self.rate_bottom + (14 + _CHART) * (self.timeline.dollars is not None)

    def lane(self, number: int) -> float:
        """The middle of a row."""
        return self.lanes_top + _LANE * number + _LANE / 2

    def x(self, at: float) -> float:
        return self.scale.place(at)


def svg(timeline: Timeline, *, name: str = "lb") -> str:
    """The picture of a timeline, as one document. `name` tells those apart that stand on one page."""
    shown = arrange(timeline)
    room = scale(timeline, shown, left=_LEFT, right=_RIGHT)
    frame = _Frame(
        timeline=timeline,
        shown=shown,
        scale=room,
        labels=labels(timeline, room, right=_RIGHT + 28, near=5, width=lambda text: 6.4 * len(text) + 12),
        counts=counted(timeline),
    )
    height = frame.bottom + 66
    told = description(timeline, lanes=len(shown.lanes) + shown.more, folded=shown.folded)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" width="{_WIDTH}" '
        f'height="{height:.0f}" role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{_safe(headline(timeline))}: restart loop</title>'
        f'<desc id="{name}-desc">{_safe(told)}</desc>'
        f"<style>{STYLE}</style>{DEFS}"
        f'<rect class="card" x=".5" y=".5" width="{_WIDTH - 1}" height="{height - 1:.0f}" rx="8"/>'
    )
    return head + "".join(_parts(frame)) + "</svg>\n"


def _parts(frame: _Frame) -> Iterator[str]:
    yield _text(24, 36, headline(frame.timeline), "h")
    yield _text(24, 59, summary(frame.timeline), "s")
    yield from _folds(frame)
    yield from _held(frame)
    yield from _axis(frame)
    yield from _rows(frame)
    yield from (_arrow(frame, arrow) for arrow in frame.shown.arrows)
    yield from _held_labels(frame)
    yield from _lines(frame)
    yield from _rates(frame)
    if frame.timeline.dollars is not None:
        yield from _money(frame)
    yield from _legend(frame)


# -- the background ----------------------------------------------------------------------------------


def _folds(frame: _Frame) -> Iterator[str]:
    """Stretches with a coarse scale of their own, between two torn edges."""
    top, bottom = frame.lanes_top, frame.bottom
    for piece in frame.scale.pieces:
        if not piece.folded:
            continue
        yield _rect("f", piece.left, top, piece.right - piece.left, bottom - top)
        teeth = int((bottom - top) // 10)
        for edge in (piece.left, piece.right):
            yield f'<path class="z" d="M{edge:.1f} {top:.1f}{"l2.5 5l-2.5 5" * teeth}"/>'


def _held(frame: _Frame) -> Iterator[str]:
    top, bottom = frame.lanes_top, frame.lanes_bottom
    for begin, end in frame.timeline.held():
        left, right = frame.x(begin), frame.x(end)
        yield _rect("held", left, top, right - left, bottom - top)


def _held_labels(frame: _Frame) -> Iterator[str]:
    middle = (frame.lanes_top + frame.lanes_bottom) / 2
    for begin, end in frame.timeline.held():
        left, right = frame.x(begin), frame.x(end)
        if right - left > 60:
            text = f"held at 0 for {duration(end - begin)}" if right - left > 150 else "held at 0"
            yield _plate((left + right) / 2, middle, text, "p")


def _plate(x: float, y: float, text: str, behind: str) -> str:
    """Bold text around a point, on a plate that hides what is behind it."""
    width = 7.2 * len(text) + 10
    return _rect(behind, x - width / 2, y - 9, width, 19) + _text(x, y + 5, text, "m b")


def _axis(frame: _Frame) -> Iterator[str]:
    span = frame.timeline.until - frame.timeline.since
    room = 92.0 if span > 1.5 * 86_400 else 62.0
    folded = [piece for piece in frame.scale.pieces if piece.folded]
    middles = [(piece.left + piece.right) / 2 for piece in folded]
    y = frame.bottom + 17
    for piece, middle in zip(folded, middles, strict=True):
        yield _text(middle, y, duration(piece.until - piece.since), "m t")
    last = -room
    for at, x in frame.scale.ticks(room):
        yield f'<path class="g" d="M{x:.1f} {frame.lanes_top:.1f}V{frame.bottom:.1f}"/>'
        if x - last >= room and all(abs(x - middle) >= room * 0.8 for middle in middles):
            yield _text(x, y, clock(at, span=span), "m t")
            last = x
    # Where the ticks have dates, one beside them would only be in the way.
    yield _text(24, y, "UTC" if span > 1.5 * 86_400 else f"UTC, {_day(frame)}", "t")
    yield f'<path class="g" d="M{_LEFT} {frame.bottom:.1f}H{_RIGHT}"/>'


def _day(frame: _Frame) -> str:
    return clock(frame.timeline.since, span=10 * 86_400)[:6]


# -- tasks -------------------------------------------------------------------------------------------


def _rows(frame: _Frame) -> Iterator[str]:
    many = len(frame.timeline.services) > 1
    for number, lane in enumerate(frame.shown.lanes):
        y = frame.lane(number)
        name = lane.service if many else f"slot {number + 1}"
        yield _text(24, y + 4, cut(name, 16), "s")
        yield f'<path class="g" d="M{_LEFT} {y:.1f}H{_RIGHT}"/>'
        yield from (_bar(frame, task, y) for task in lane.tasks)
    y = frame.lane(len(frame.shown.lanes))
    if frame.shown.more:
        noun = "service" if many else "slot"
        yield _text(24, y + 4, f"and {count(frame.shown.more, f'more {noun}')}", "s")
        y += _LANE
    if frame.timeline.serving:
        yield _text(24, y + 4, f"{frame.timeline.serving:,} others", "s")
        yield _rect("r", _LEFT, y - 2, _RIGHT - _LEFT, 4)
        yield _rect("p", _LEFT + 8, y - 9, 92, 18)
        yield _text(_LEFT + 14, y + 4, "run all along", "t")
    if frame.shown.fold:
        yield _fold_label(frame)


def _fold_label(frame: _Frame) -> str:
    assert frame.shown.fold is not None
    left, right = (frame.x(at) for at in frame.shown.fold)
    text = left_out(frame.timeline, frame.shown.folded)
    return _plate((left + right) / 2, (frame.lanes_top + frame.lane(len(frame.shown.lanes)) - _LANE / 2) / 2, text, "f")


def _bar(frame: _Frame, task: Task, y: float) -> str:
    """One task: hatched while it starts, solid while it runs, a sign where it failed."""
    end = task.failed_at if task.failed_at is not None else frame.timeline.until
    runs = task.started_at if task.started_at is not None else end
    a, b, c = (frame.x(at) for at in (task.created_at, runs, end))
    top = y - _BAR / 2
    parts = [f"<g><title>{_safe(_told(task))}</title>"]
    if b - a > 0.6:
        parts.append(_rect("w", a, top, b - a, _BAR))
    if c - b > 0.3:
        parts.append(_rect("r", b, top, c - b, _BAR))
    if task.failed_at is not None:
        path = sign(cause(task.category), c, y)
        parts.append(f'<path class="k" d="{path}"/><path class="x" d="{path}"/>')
    return "".join([*parts, "</g>"])


def _told(task: Task) -> str:
    if task.failed_at is None:
        return "still runs"
    lived = task.failed_at - task.started_at if task.started_at is not None else None
    how = f"lived {duration(lived)}" if lived is not None else "never started"
    why = task.category or Category.UNKNOWN
    code = f", exit code {task.exit_code}" if task.exit_code is not None else ""
    return f"failed {clock(task.failed_at, span=0)}: {why.value}{code}, {how}"


def _arrow(frame: _Frame, arrow: Arrow) -> str:
    """From where a task failed to where its replacement begins: below the bars of a row, or across rows."""
    assert arrow.failed.failed_at is not None
    end, begin = frame.x(arrow.failed.failed_at), frame.x(arrow.replacement.created_at)
    low, high = frame.lane(arrow.failed_lane), frame.lane(arrow.lane)
    if arrow.failed_lane == arrow.lane:
        begin = max(begin, end + 7)
        y = low + _BAR / 2 + 1.5
        bow = f"C{end:.1f} {y + 7:.1f} {begin:.1f} {y + 7:.1f} {begin:.1f} {y:.1f}"
        return f'<path class="a" d="M{end:.1f} {y:.1f}{bow}"/>'
    down = 1 if high > low else -1
    return f'<path class="a" d="M{begin - 1:.1f} {low + down * _BAR / 2:.1f}V{high - down * (_BAR / 2 + 1):.1f}"/>'


# -- moments -----------------------------------------------------------------------------------------


def _lines(frame: _Frame) -> Iterator[str]:
    for label in frame.labels:
        y = 84 + 17 * label.row
        kind = label.moments[-1].split()[0]
        yield f'<path class="v v-{kind}" d="M{label.place:.1f} {y - 10:.1f}V{frame.bottom:.1f}"/>'
        x, anchor = (label.place - 4, "e ") if label.leftwards else (label.place + 4, "")
        yield _text(x, y, label.text, f"{anchor}b")


# -- below -------------------------------------------------------------------------------------------


def _rates(frame: _Frame) -> Iterator[str]:
    bottom = frame.rate_bottom
    yield _text(24, bottom - _CHART + 16, "restarts", "s")
    yield _text(24, bottom - _CHART + 32, "per hour", "s")
    rates = [(c.since, c.until, c.failures * 3600 / (c.until - c.since)) for c in frame.counts]
    most = max((rate for _, _, rate in rates), default=0.0)
    yield f'<path class="g" d="M{_LEFT} {bottom:.1f}H{_RIGHT}"/>'
    if not most:
        return
    path = [f"M{frame.x(rates[0][0]):.1f} {bottom:.1f}"]
    for since, until, rate in rates:
        path.append(f"H{frame.x(since):.1f}V{bottom - _CHART * rate / most:.1f}H{frame.x(until):.1f}")
    yield f'<path class="area" d="{"".join(path)}V{bottom:.1f}z"/>'
    yield _text(_LEFT - 6, bottom - _CHART + 8, f"{most:,.0f}", "e t")
    yield _text(_LEFT - 6, bottom + 1, "0", "e t")


def _money(frame: _Frame) -> Iterator[str]:
    """What the failed tasks have cost by then: each as much as the others."""
    dollars, bottom = frame.timeline.dollars or 0.0, frame.bottom
    yield _text(24, bottom - _CHART + 16, "money", "s")
    yield _text(24, bottom - _CHART + 32, "at most", "s")
    path = [f"M{_LEFT} {bottom:.1f}H{frame.x(frame.timeline.first_failure_at):.1f}"]
    path += [f"L{frame.x(at):.1f} {bottom - _CHART * share:.1f}" for at, share in spent(frame.timeline)]
    yield f'<path class="cash" d="{"".join(path)}H{_RIGHT}"/>'
    yield _text(_LEFT - 6, bottom - _CHART + 8, money(dollars), "e t")
    yield _text(_LEFT - 6, bottom - 3, "$0", "e t")


def _legend(frame: _Frame) -> Iterator[str]:
    y, x = frame.bottom + 46, 24.0
    yield _rect("w", x, y - 9, 22, 11)
    yield _text(x + 28, y + 1, "starting", "t")
    yield _rect("r", x + 88, y - 9, 22, 11)
    yield _text(x + 116, y + 1, "running", "t")
    x += 176
    seen = {cause(task.category) for lane in frame.shown.lanes for task in lane.tasks if task.failed_at is not None}
    for kind in (kind for kind in Cause if kind in seen):
        yield f'<path class="x" d="{sign(kind, x, y - 4)}"/>'
        yield _text(x + 10, y + 1, kind.value, "t")
        x += 30 + 6.2 * len(kind.value)
    if frame.shown.arrows:
        yield f'<path class="a" d="M{x:.1f} {y - 7:.1f}c0 7 14 7 14 0"/>'
        yield _text(x + 22, y + 1, "replaced by", "t")


def _rect(classes: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{classes}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _text(x: float, y: float, text: str, classes: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{classes}">{_safe(text)}</text>'


def _safe(text: str) -> str:
    return escape(plain(text))
