"""The results as a picture: one line per rule, from the median to the worst time to detection. Plain SVG."""

from collections.abc import Sequence
from html import escape
from math import log10

from benchmarks.detection.rules import OURS
from benchmarks.detection.summary import Totals

_WIDTH, _ROW, _TOP, _BOTTOM = 860, 38, 62, 44
_LEFT, _RIGHT = 262, 600  # where the time axis begins and ends
_MISSED, _FALSE = 668, 780
_FROM, _TICKS = 1.0, (1, 3, 10, 30, 100, 300)

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.small { font-size: 11px; fill: #59636e } .ours { font-weight: 600 } .right { text-anchor: end }
.middle { text-anchor: middle } .bad { fill: #b42318 } .good { fill: #1a7f37 }
.grid { stroke: #d1d9e0; stroke-width: 1 } .span { stroke: #818b98; stroke-width: 3 }
.dot { fill: #818b98 } .end { fill: #ffffff; stroke: #818b98; stroke-width: 2 }
.ours-span { stroke: #0969da; stroke-width: 4 } .ours-dot { fill: #0969da }
.ours-end { fill: #ffffff; stroke: #0969da; stroke-width: 2 } .back { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .small { fill: #9198a1 } .bad { fill: #ff7b72 } .good { fill: #3fb950 }
.grid { stroke: #3d444d } .span { stroke: #9198a1 } .dot { fill: #9198a1 } .end { fill: #0d1117; stroke: #9198a1 }
.ours-span { stroke: #4493f8 } .ours-dot { fill: #4493f8 } .ours-end { fill: #0d1117; stroke: #4493f8 }
.back { fill: #0d1117 }
}
"""


def draw(lines: Sequence[Totals]) -> str:
    """An SVG of these rules, readable on light and on dark pages."""
    height = _TOP + _ROW * len(lines) + _BOTTOM
    body = [*_axis(height - _BOTTOM), *(mark for row, line in enumerate(lines) for mark in _row(row, line))]
    title = "Minutes to detection, number of loops missed and of false alarms, of each rule"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{title}">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n"
        f'<rect class="back" width="{_WIDTH}" height="{height}" rx="6"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _x(minutes: float) -> float:
    reach = log10(_TICKS[-1] / _FROM)
    return _LEFT + (_RIGHT - _LEFT) * min(1.0, max(0.0, log10(max(minutes, _FROM) / _FROM) / reach))


def _axis(bottom: float) -> list[str]:
    marks = [
        _text(_LEFT, 24, "minutes from the first failure to the message", "small"),
        _text(_MISSED, 24, "loops missed", "small middle"),
        _text(_FALSE, 24, "false alarms", "small middle"),
        _text(_LEFT, bottom + 28, "● median   ○ worst of the loops that were found; logarithmic", "small"),
    ]
    for tick in _TICKS:
        x = _x(tick)
        marks.append(f'<line class="grid" x1="{x:.1f}" y1="50" x2="{x:.1f}" y2="{bottom}"/>')
        marks.append(_text(x, 44, str(tick), "small middle"))
    return marks


def _row(row: int, line: Totals) -> list[str]:
    y, prefix = _TOP + _ROW * row + _ROW / 2, "ours-" if line.rule.startswith(OURS) else ""
    marks = [
        _text(_LEFT - 16, y + 4, line.rule, f"right {'ours' if line.rule == OURS else ''}"),
        _text(_MISSED, y + 4, f"{line.missed} of {line.loops}", f"middle {_tone(line.missed)}"),
        _text(_FALSE, y + 4, str(line.false_alarms), f"middle {_tone(line.false_alarms)}"),
    ]
    if line.median_minutes is None or line.worst_minutes is None:
        return marks
    middle, end = _x(line.median_minutes), _x(line.worst_minutes)
    return [
        *marks,
        f'<line class="{prefix}span" x1="{middle:.1f}" y1="{y}" x2="{end:.1f}" y2="{y}"/>',
        f'<circle class="{prefix}end" cx="{end:.1f}" cy="{y}" r="5"/>',
        f'<circle class="{prefix}dot" cx="{middle:.1f}" cy="{y}" r="6"/>',
    ]


def _tone(count: int) -> str:
    return "bad" if count else "good"


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style.strip()}">{escape(text)}</text>'
