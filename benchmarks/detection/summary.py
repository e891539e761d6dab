"""From outcomes to numbers: totals per rule, the goal, and what shuffling changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.detection.judging import Found, Outcome
from benchmarks.detection.rules import EVENTS, OURS
from benchmarks.detection.scenario import Group

ELB_GOAL_MINUTES = 10.0
MOST_A_DAY = 6
_START_FIRST_90 = "ELB, grace 90 s, deregistration"


@dataclass(frozen=True, slots=True)
class Totals:
    """What one rule made of many streams. Times are None where it found nothing."""

    rule: str
    loops: int
    missed: int
    false_alarms: int
    streams_with_false_alarms: int
    streams: int
    median_minutes: float | None
    worst_minutes: float | None
    median_tasks: float | None
    worst_tasks: int | None
    messages: int
    most_a_day: int
    wrongly_over: int

    @property
    def is_right(self) -> bool:
        """Nothing missed, nothing false."""
        return not self.missed and not self.false_alarms


def totals(outcomes: Sequence[Outcome]) -> list[Totals]:
    """One line per rule, in the order in which the rules first appear. Scenarios judged apart are left out."""
    scored = [outcome for outcome in outcomes if outcome.group != Group.APART]
    return [_of_rule(rule, [o for o in scored if o.rule == rule]) for rule in dict.fromkeys(o.rule for o in scored)]


def _of_rule(rule: str, outcomes: Sequence[Outcome]) -> Totals:
    loops = [found for outcome in outcomes for found in outcome.found]
    minutes = sorted(one.minutes for one in loops if one)
    tasks = sorted(one.failed_tasks for one in loops if one)
    return Totals(
        rule=rule,
        loops=len(loops),
        missed=len(loops) - len(minutes),
        false_alarms=sum(outcome.false_alarms for outcome in outcomes),
        streams_with_false_alarms=sum(1 for outcome in outcomes if outcome.false_alarms),
        streams=len(outcomes),
        median_minutes=median(minutes) if minutes else None,
        worst_minutes=minutes[-1] if minutes else None,
        median_tasks=median(tasks) if tasks else None,
        worst_tasks=tasks[-1] if tasks else None,
        messages=sum(outcome.messages for outcome in outcomes),
        most_a_day=max(outcome.most_a_day for outcome in outcomes),
        wrongly_over=sum(outcome.wrongly_over for outcome in outcomes),
    )


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that the suite asks of Loopbreaker, and what came of it."""

    name: str
    met: bool
    measured: str


def goals(outcomes: Sequence[Outcome]) -> list[Goal]:
    """Nothing missed, nothing false, the fastest of the rules that have neither, ELB loops in time; few messages."""
    attacks = [outcome for outcome in outcomes if outcome.attack]
    usual = _usual(outcomes)
    return [*_usual_goals(usual), *([_few(outcomes)] if attacks else []), *(_against(attacks) if attacks else [])]


def _usual(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if not outcome.attack]


def _few(outcomes: Sequence[Outcome]) -> Goal:
    most = max(outcome.most_a_day for outcome in outcomes if outcome.rule == OURS)
    return Goal(f"at most {MOST_A_DAY} messages a service and day", most <= MOST_A_DAY, f"most: {most}")


def _against(attacks: Sequence[Outcome]) -> list[Goal]:
    ours = next(line for line in totals(attacks) if line.rule == OURS)
    return [
        Goal("attacks: nothing missed", not ours.missed, f"{ours.missed} of {ours.loops} loops missed"),
        Goal("attacks: nothing false", not ours.false_alarms, f"{ours.false_alarms} in {ours.streams} streams"),
        Goal(
            "attacks: never called over while it still loops",
            not ours.wrongly_over,
            f"{ours.wrongly_over} times in {ours.streams} streams",
        ),
    ]


def _usual_goals(outcomes: Sequence[Outcome]) -> list[Goal]:
    lines = totals(outcomes)
    ours = next(line for line in lines if line.rule == OURS)
    rivals = [line for line in lines if line.is_right and not line.rule.startswith(OURS)]
    faster = [line.rule for line in rivals if (line.median_minutes or 0) < (ours.median_minutes or 0)]
    elb = [found for found in _start_first(outcomes) if found]
    slowest = max((found.minutes for found in elb), default=0.0)
    return [
        Goal("nothing missed", not ours.missed, f"{ours.missed} of {ours.loops} loops missed"),
        Goal("nothing false", not ours.false_alarms, f"{ours.false_alarms} false alarms in {ours.streams} streams"),
        Goal(
            "the fastest of the rules that miss nothing and raise no false alarm",
            ours.is_right and not faster,
            f"others that have neither: {', '.join(line.rule for line in rivals) or 'none'}",
        ),
        Goal(
            f"ELB loops (start-first, grace 90 s) under {ELB_GOAL_MINUTES:.0f} minutes",
            slowest < ELB_GOAL_MINUTES,
            f"worst of {len(elb)}: {slowest:.1f} min",
        ),
    ]


def _start_first(outcomes: Iterable[Outcome]) -> list[Found | None]:
    ours = [o for o in outcomes if o.rule == OURS and o.scenario.startswith(_START_FIRST_90)]
    return [found for outcome in ours for found in outcome.found]


@dataclass(frozen=True, slots=True)
class Shuffle:
    """What became of the verdicts when the same streams came shuffled and repeated.

    changed: streams in which another loop was found, or more or fewer alarms were false.
    latest: minutes by which a loop was found later at most.
    """

    streams: int
    changed: tuple[str, ...]
    latest: float


def compare(usual: Iterable[Outcome], shuffled: Sequence[Outcome]) -> Shuffle:
    """Hold the shuffled streams against the same streams as usual."""
    before = {(o.scenario, o.tasks, o.seed): o for o in usual if o.rule == EVENTS}
    changed: list[str] = []
    latest = 0.0
    for after in shuffled:
        plain = before[after.scenario, after.tasks, after.seed]
        if [f is None for f in plain.found] != [f is None for f in after.found] or (
            plain.false_alarms != after.false_alarms
        ):
            changed.append(f"{after.scenario} × {after.tasks}")
        pairs = zip(plain.found, after.found, strict=True)
        latest = max([latest, *(b.minutes - a.minutes for a, b in pairs if a and b)])
    return Shuffle(len(shuffled), tuple(changed), latest)
