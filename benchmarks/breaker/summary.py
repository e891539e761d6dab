"""From judgements to one line for each kind, and to the goals."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.breaker.judgement import Judgement
from benchmarks.breaker.kinds import KINDS
from benchmarks.breaker.kinds.unserved import UNSERVED
from benchmarks.breaker.stage import HOUR, MINUTE, Kind

_BY_NAME = {kind.name: kind for kind in KINDS}
AVOIDED = 0.95
"""The share of a dead loop's restarts that is to be avoided within a day."""
PATIENCE = 3 * HOUR
"""A loop that serves nobody for longer than this, in seconds, is to be stopped."""


@dataclass(frozen=True, slots=True)
class Line:
    """One kind. Counts are of services (most worlds have one), minutes are of those after whose end something was due.

    broken: services at 0 in silence, untold, raised against a person, left otherwise or acted on unasked.
    """

    kind: Kind
    services: int
    acted: int
    lost: int
    lost_seconds: float
    late: int
    down: tuple[float, float] | None  # minutes at 0 after the end, median and worst, of those that were acted on
    wrong_rollbacks: int
    rollbacks: int
    broken: int
    avoided: float | None
    messages: int


@dataclass(frozen=True, slots=True)
class Goal:
    """What is asked, whether it is so, and the worlds in which it is not."""

    name: str
    met: bool
    measured: str
    failing: tuple[str, ...] = ()


def broken(judgement: Judgement) -> list[str]:
    """What else a service and its people can expect, and did not get."""
    excused = _BY_NAME[judgement.kind].excused if judgement.kind in _BY_NAME else ()
    found = {
        "at 0 in silence": judgement.silent and "silent" not in excused,
        "not told": judgement.untold,
        "raised against a person": judgement.defied and "defied" not in excused,
        "acted on unasked": judgement.unasked,
        "a failing deployment called successful": judgement.misled,
        f"left with {judgement.left}": judgement.left and "left" not in excused,
    }
    return [what for what, so in found.items() if so]


def lines(judgements: Sequence[Judgement]) -> list[Line]:
    """A line for each kind that was judged, in the order of the kinds."""
    return [_line(kind, own) for kind in KINDS if (own := [j for j in judgements if j.kind == kind.name])]


def _line(kind: Kind, own: Sequence[Judgement]) -> Line:
    down = [j.down_after / MINUTE for j in own if j.acted]
    without = sum(j.restarts_without for j in own)
    return Line(
        kind=kind,
        services=len(own),
        acted=sum(j.acted for j in own),
        lost=sum(j.lost_before > 0 for j in own),
        lost_seconds=sum(j.lost_before for j in own),
        late=sum(j.late > 0 for j in own),
        down=(median(down), max(down)) if down else None,
        wrong_rollbacks=sum(j.wrong_rollbacks for j in own),
        rollbacks=sum(j.rollbacks for j in own),
        broken=sum(bool(broken(j)) for j in own),
        avoided=1 - sum(j.restarts for j in own) / without if without else None,
        messages=max(sum(j.messages.values()) for j in own),
    )


def goals(judgements: Sequence[Judgement]) -> list[Goal]:
    """What the benchmark asks, each of every service that it may be asked of."""
    dead = [j for j in judgements if _BY_NAME[j.kind].dead]
    shares = {j.world: 1 - j.restarts / j.restarts_without for j in dead}
    least = min(shares.values(), default=1.0)
    return [
        _none("nothing that would have served is lost before the cause ends", "lost_before", judgements),
        _none("back within the larger of 15 min and half the time that the cause lasted", "late", judgements),
        Goal(
            f"at least {AVOIDED:.0%} of the restarts of a dead loop avoided within 24 h",
            least >= AVOIDED,
            f"least of {len(dead)}: {least:.1%}",
            tuple(f"{world}: {share:.1%}" for world, share in shares.items() if share < AVOIDED),
        ),
        _none("no good deployment is rolled back", "wrong_rollbacks", judgements),
        _stopped(judgements),
        _goal("what is at 0 says so, what a person wants stands, nothing is left behind", judgements, _odd),
        _goal("nobody is told more than 6 times and once an hour", judgements, _talkative),
        _goal("what people read is so at that moment", judgements, lambda judgement: "; ".join(judgement.untrue)),
    ]


def _none(name: str, measure: str, judgements: Iterable[Judgement]) -> Goal:
    asked = [j for j in judgements if not {measure, f"{measure} of {j.service}"} & set(_BY_NAME[j.kind].excused)]
    return _goal(name, asked, lambda j: f"{measure} {getattr(j, measure):.0f}" if getattr(j, measure) else "")


def unstopped(judgements: Iterable[Judgement]) -> list[Judgement]:
    """Services of which nobody was served for hours, although tasks were asked for."""
    return [j for j in judgements if j.unserved > PATIENCE]


def _stopped(judgements: Iterable[Judgement]) -> Goal:
    """Whatever serves nobody for hours is there to be stopped, unless it is known why it is not."""
    asked = [j for j in judgements if j.kind not in UNSERVED]
    long = {id(j) for j in unstopped(asked)}
    name = f"what serves nobody for {PATIENCE / HOUR:.0f} hours is stopped"
    return _goal(name, asked, lambda j: f"{j.unserved / HOUR:.1f} hours" if id(j) in long else "")


def _odd(judgement: Judgement) -> str:
    return ", ".join(broken(judgement))


def _talkative(judgement: Judgement) -> str:
    told = sum(judgement.messages.values())
    return f"{told} messages" if told > 6 + _BY_NAME[judgement.kind].hours else ""


def _goal(name: str, judgements: Iterable[Judgement], complaint: Callable[[Judgement], str]) -> Goal:
    every = list(judgements)
    failing = tuple(f"{j.world}, {j.service}: {said}" for j in every if (said := complaint(j)))
    return Goal(name, not failing, f"{len(failing)} of {len(every)} services", failing)


def lost_hours(judgements: Iterable[Judgement]) -> float:
    """Task-hours of service lost before the cause ended, over everything."""
    return sum(j.lost_before for j in judgements) / HOUR
