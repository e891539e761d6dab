"""The results as a picture: for each kind the minutes at 0 after the cause had ended, and what was lost. Plain SVG."""

from collections.abc import Sequence
from html import escape
from math import log10

from benchmarks.breaker.summary import Line

_WIDTH, _ROW, _TOP, _BOTTOM = 900, 24, 62, 40
_LEFT, _RIGHT = 352, 610  # where the time axis begins and ends
_LOST, _WRONG, _AVOIDED = 668, 760, 850
_TICKS = (1, 3, 10, 30, 100, 300, 1000)

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.small { font-size: 11px; fill: #59636e } .right { text-anchor: end }
.middle { text-anchor: middle } .bad { fill: #b42318; font-weight: 600 } .good { fill: #1a7f37 }
.grid { stroke: #d1d9e0; stroke-width: 1 } .span { stroke: #0969da; stroke-width: 4 }
.dot { fill: #0969da } .end { fill: #ffffff; stroke: #0969da; stroke-width: 2 } .back { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .small { fill: #9198a1 } .bad { fill: #ff7b72 } .good { fill: #3fb950 }
.grid { stroke: #3d444d } .span { stroke: #4493f8 } .dot { fill: #4493f8 }
.end { fill: #0d1117; stroke: #4493f8 } .back { fill: #0d1117 }
}
"""


def draw(lines: Sequence[Line]) -> str:
    """An SVG of these kinds, readable on light and on dark pages."""
    height = _TOP + _ROW * len(lines) + _BOTTOM
    body = [*_axis(height - _BOTTOM), *(mark for row, line in enumerate(lines) for mark in _row(row, line))]
    title = "For each kind of world: minutes at 0 after the cause had ended, services of which something was lost"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{title}">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n"
        f'<rect class="back" width="{_WIDTH}" height="{height}" rx="6"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _x(minutes: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * min(1.0, log10(max(minutes, 1)) / log10(_TICKS[-1]))


def _axis(bottom: float) -> list[str]:
    marks = [
        _text(_LEFT, 24, "minutes at 0 after the cause had ended", "small"),
        _text(_LOST, 24, "lost", "small middle"),
        _text(_LOST, 44, "of services", "small middle"),
        _text(_WRONG, 24, "late or", "small middle"),
        _text(_WRONG, 44, "otherwise wrong", "small middle"),
        _text(_AVOIDED, 24, "restarts", "small middle"),
        _text(_AVOIDED, 44, "avoided", "small middle"),
        _text(_LEFT, bottom + 26, "● median   ○ worst of the services that were acted on; logarithmic", "small"),
    ]
    for tick in _TICKS:
        marks.append(f'<line class="grid" x1="{_x(tick):.1f}" y1="50" x2="{_x(tick):.1f}" y2="{bottom}"/>')
        marks.append(_text(_x(tick), 44, str(tick), "small middle"))
    return marks


def _row(row: int, line: Line) -> list[str]:
    y = _TOP + _ROW * row + _ROW / 2
    wrong = line.late + line.wrong_rollbacks + line.broken
    marks = [
        _text(_LEFT - 16, y + 4, line.kind.name, "right"),
        _text(_LOST, y + 4, f"{line.lost} of {line.services}", f"middle {_tone(line.lost)}"),
        _text(_WRONG, y + 4, str(wrong), f"middle {_tone(wrong)}"),
        _text(_AVOIDED, y + 4, "–" if line.avoided is None else f"{line.avoided:.0%}", "middle"),
    ]
    if line.down is None:
        return marks
    middle, end = _x(line.down[0]), _x(line.down[1])
    return [
        *marks,
        f'<line class="span" x1="{middle:.1f}" y1="{y}" x2="{end:.1f}" y2="{y}"/>',
        f'<circle class="end" cx="{end:.1f}" cy="{y}" r="4"/>',
        f'<circle class="dot" cx="{middle:.1f}" cy="{y}" r="5"/>',
    ]


def _tone(count: int) -> str:
    return "bad" if count else "good"


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style.strip()}">{escape(text)}</text>'
