"""Where the parts of the drawing are, and the two shapes that it is made of."""

from dataclasses import dataclass
from html import escape

from loopbreaker.picture.labels import Label
from loopbreaker.picture.lanes import Arrangement
from loopbreaker.picture.scale import Scale
from loopbreaker.picture.timeline import Count, Timeline
from loopbreaker.picture.words import plain

WIDTH, LEFT, RIGHT = 960, 132, 916
LANE, BAR = 27, 13
CHART = 46


@dataclass(frozen=True, slots=True)
class Frame:
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
        return self.lanes_top + LANE * max(len(self.shown.lanes) + extra, 1) + 4

    @property
    def rate_bottom(self) -> float:
        return self.lanes_bottom + 18 + CHART

    @property
    def bottom(self) -> float:
        return self.rate_bottom + (14 + CHART) * (self.timeline.dollars is not None)

    def lane(self, number: int) -> float:
        """The middle of a row."""
        return self.lanes_top + LANE * number + LANE / 2

    def x(self, at: float) -> float:
        return self.scale.place(at)


def rect(classes: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{classes}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def text(x: float, y: float, text: str, classes: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{classes}">{safe(text)}</text>'


def safe(text: str) -> str:
    return escape(plain(text))
