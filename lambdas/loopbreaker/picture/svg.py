"""The drawing. One SVG without script, for light and dark, that says in words and shapes what it says in colours."""

from collections.abc import Iterator

from loopbreaker.model import Category
from loopbreaker.picture.frame import BAR, CHART, LANE, LEFT, RIGHT, WIDTH, Frame, rect, safe, text
from loopbreaker.picture.labels import labels
from loopbreaker.picture.lanes import Arrow, arrange
from loopbreaker.picture.scale import scale
from loopbreaker.picture.style import DEFS, STYLE, sign
from loopbreaker.picture.timeline import Task, Timeline, counted, spent
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
    summary,
)


def svg(timeline: Timeline, *, name: str = "lb") -> str:
    """The picture of a timeline, as one document. `name` tells those apart that stand on one page."""
    shown = arrange(timeline)
    room = scale(timeline, shown, left=LEFT, right=RIGHT)
    frame = Frame(
        timeline=timeline,
        shown=shown,
        scale=room,
        labels=labels(timeline, room, right=RIGHT + 28, near=5, width=lambda text: 6.4 * len(text) + 12),
        counts=counted(timeline),
    )
    height = frame.bottom + 66
    told = description(timeline, lanes=len(shown.lanes) + shown.more, folded=shown.folded)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{safe(headline(timeline))}: restart loop</title>'
        f'<desc id="{name}-desc">{safe(told)}</desc>'
        f"<style>{STYLE}</style>{DEFS}"
        f'<rect class="card" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="8"/>'
    )
    return head + "".join(_parts(frame)) + "</svg>\n"


def _parts(frame: Frame) -> Iterator[str]:
    yield text(24, 36, headline(frame.timeline), "h")
    yield text(24, 59, summary(frame.timeline), "s")
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


def _folds(frame: Frame) -> Iterator[str]:
    """Stretches with a coarse scale of their own, between two torn edges."""
    top, bottom = frame.lanes_top, frame.bottom
    for piece in frame.scale.pieces:
        if not piece.folded:
            continue
        yield rect("f", piece.left, top, piece.right - piece.left, bottom - top)
        teeth = int((bottom - top) // 10)
        for edge in (piece.left, piece.right):
            yield f'<path class="z" d="M{edge:.1f} {top:.1f}{"l2.5 5l-2.5 5" * teeth}"/>'


def _held(frame: Frame) -> Iterator[str]:
    top, bottom = frame.lanes_top, frame.lanes_bottom
    for begin, end in frame.timeline.held():
        left, right = frame.x(begin), frame.x(end)
        yield rect("held", left, top, right - left, bottom - top)


def _held_labels(frame: Frame) -> Iterator[str]:
    middle = (frame.lanes_top + frame.lanes_bottom) / 2
    for begin, end in frame.timeline.held():
        left, right = frame.x(begin), frame.x(end)
        if right - left > 60:
            said = f"held at 0 for {duration(end - begin)}" if right - left > 150 else "held at 0"
            yield _plate((left + right) / 2, middle, said, "p")


def _plate(x: float, y: float, said: str, behind: str) -> str:
    """Bold text around a point, on a plate that hides what is behind it."""
    width = 7.2 * len(said) + 10
    return rect(behind, x - width / 2, y - 9, width, 19) + text(x, y + 5, said, "m b")


def _axis(frame: Frame) -> Iterator[str]:
    span = frame.timeline.until - frame.timeline.since
    room = 92.0 if span > 1.5 * 86_400 else 62.0
    folded = [piece for piece in frame.scale.pieces if piece.folded]
    middles = [(piece.left + piece.right) / 2 for piece in folded]
    y = frame.bottom + 17
    for piece, middle in zip(folded, middles, strict=True):
        yield text(middle, y, duration(piece.until - piece.since), "m t")
    last = -room
    for at, x in frame.scale.ticks(room):
        yield f'<path class="g" d="M{x:.1f} {frame.lanes_top:.1f}V{frame.bottom:.1f}"/>'
        if x - last >= room and all(abs(x - middle) >= room * 0.8 for middle in middles):
            yield text(x, y, clock(at, span=span), "m t")
            last = x
    # Where the ticks have dates, one beside them would only be in the way.
    yield text(24, y, "UTC" if span > 1.5 * 86_400 else f"UTC, {_day(frame)}", "t")
    yield f'<path class="g" d="M{LEFT} {frame.bottom:.1f}H{RIGHT}"/>'


def _day(frame: Frame) -> str:
    return clock(frame.timeline.since, span=10 * 86_400)[:6]


# -- tasks -------------------------------------------------------------------------------------------


def _rows(frame: Frame) -> Iterator[str]:
    many = len(frame.timeline.services) > 1
    for number, lane in enumerate(frame.shown.lanes):
        y = frame.lane(number)
        name = lane.service if many else f"slot {number + 1}"
        yield text(24, y + 4, cut(name, 16), "s")
        yield f'<path class="g" d="M{LEFT} {y:.1f}H{RIGHT}"/>'
        yield from (_bar(frame, task, y) for task in lane.tasks)
    y = frame.lane(len(frame.shown.lanes))
    if frame.shown.more:
        noun = "service" if many else "slot"
        yield text(24, y + 4, f"and {count(frame.shown.more, f'more {noun}')}", "s")
        y += LANE
    if frame.timeline.serving:
        yield text(24, y + 4, f"{frame.timeline.serving:,} others", "s")
        yield rect("r", LEFT, y - 2, RIGHT - LEFT, 4)
        yield rect("p", LEFT + 8, y - 9, 92, 18)
        yield text(LEFT + 14, y + 4, "run all along", "t")
    if frame.shown.fold:
        yield _fold_label(frame)


def _fold_label(frame: Frame) -> str:
    assert frame.shown.fold is not None
    left, right = (frame.x(at) for at in frame.shown.fold)
    omitted = left_out(frame.timeline, frame.shown.folded)
    return _plate(
        (left + right) / 2, (frame.lanes_top + frame.lane(len(frame.shown.lanes)) - LANE / 2) / 2, omitted, "f"
    )


def _bar(frame: Frame, task: Task, y: float) -> str:
    """One task: hatched while it starts, solid while it runs, a sign where it failed."""
    end = task.failed_at if task.failed_at is not None else frame.timeline.until
    runs = task.started_at if task.started_at is not None else end
    a, b, c = (frame.x(at) for at in (task.created_at, runs, end))
    top = y - BAR / 2
    parts = [f"<g><title>{safe(_told(task))}</title>"]
    if b - a > 0.6:
        parts.append(rect("w", a, top, b - a, BAR))
    if c - b > 0.3:
        parts.append(rect("r", b, top, c - b, BAR))
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


def _arrow(frame: Frame, arrow: Arrow) -> str:
    """From where a task failed to where its replacement begins: below the bars of a row, or across rows."""
    assert arrow.failed.failed_at is not None
    end, begin = frame.x(arrow.failed.failed_at), frame.x(arrow.replacement.created_at)
    low, high = frame.lane(arrow.failed_lane), frame.lane(arrow.lane)
    if arrow.failed_lane == arrow.lane:
        begin = max(begin, end + 7)
        y = low + BAR / 2 + 1.5
        bow = f"C{end:.1f} {y + 7:.1f} {begin:.1f} {y + 7:.1f} {begin:.1f} {y:.1f}"
        return f'<path class="a" d="M{end:.1f} {y:.1f}{bow}"/>'
    down = 1 if high > low else -1
    return f'<path class="a" d="M{begin - 1:.1f} {low + down * BAR / 2:.1f}V{high - down * (BAR / 2 + 1):.1f}"/>'


# -- moments -----------------------------------------------------------------------------------------


def _lines(frame: Frame) -> Iterator[str]:
    for label in frame.labels:
        y = 84 + 17 * label.row
        kind = label.moments[-1].split()[0]
        yield f'<path class="v v-{kind}" d="M{label.place:.1f} {y - 10:.1f}V{frame.bottom:.1f}"/>'
        x, anchor = (label.place - 4, "e ") if label.leftwards else (label.place + 4, "")
        yield text(x, y, label.text, f"{anchor}b")


# -- below -------------------------------------------------------------------------------------------


def _rates(frame: Frame) -> Iterator[str]:
    bottom = frame.rate_bottom
    yield text(24, bottom - CHART + 16, "restarts", "s")
    yield text(24, bottom - CHART + 32, "per hour", "s")
    rates = [(c.since, c.until, c.failures * 3600 / (c.until - c.since)) for c in frame.counts]
    most = max((rate for _, _, rate in rates), default=0.0)
    yield f'<path class="g" d="M{LEFT} {bottom:.1f}H{RIGHT}"/>'
    if not most:
        return
    path = [f"M{frame.x(rates[0][0]):.1f} {bottom:.1f}"]
    for since, until, rate in rates:
        path.append(f"H{frame.x(since):.1f}V{bottom - CHART * rate / most:.1f}H{frame.x(until):.1f}")
    yield f'<path class="area" d="{"".join(path)}V{bottom:.1f}z"/>'
    yield text(LEFT - 6, bottom - CHART + 8, f"{most:,.0f}", "e t")
    yield text(LEFT - 6, bottom + 1, "0", "e t")


def _money(frame: Frame) -> Iterator[str]:
    """What the failed tasks have cost by then: each as much as the others."""
    dollars, bottom = frame.timeline.dollars or 0.0, frame.bottom
    yield text(24, bottom - CHART + 16, "money", "s")
    yield text(24, bottom - CHART + 32, "at most", "s")
    path = [f"M{LEFT} {bottom:.1f}H{frame.x(frame.timeline.first_failure_at):.1f}"]
    path += [f"L{frame.x(at):.1f} {bottom - CHART * share:.1f}" for at, share in spent(frame.timeline)]
    yield f'<path class="cash" d="{"".join(path)}H{RIGHT}"/>'
    yield text(LEFT - 6, bottom - CHART + 8, money(dollars), "e t")
    yield text(LEFT - 6, bottom - 3, "$0", "e t")


def _legend(frame: Frame) -> Iterator[str]:
    y, x = frame.bottom + 46, 24.0
    yield rect("w", x, y - 9, 22, 11)
    yield text(x + 28, y + 1, "starting", "t")
    yield rect("r", x + 88, y - 9, 22, 11)
    yield text(x + 116, y + 1, "running", "t")
    x += 176
    seen = {cause(task.category) for lane in frame.shown.lanes for task in lane.tasks if task.failed_at is not None}
    for kind in (kind for kind in Cause if kind in seen):
        yield f'<path class="x" d="{sign(kind, x, y - 4)}"/>'
        yield text(x + 10, y + 1, kind.value, "t")
        x += 30 + 6.2 * len(kind.value)
    if frame.shown.arrows:
        yield f'<path class="a" d="M{x:.1f} {y - 7:.1f}c0 7 14 7 14 0"/>'
        yield text(x + 22, y + 1, "replaced by", "t")
