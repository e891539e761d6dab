"""The results on paper: Markdown for people, JSON for machines."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

from benchmarks.detection.churn import MTBF_HOURS, flaky_name
from benchmarks.detection.judging import Outcome
from benchmarks.detection.loops import SIZES
from benchmarks.detection.rules import EVENTS, OURS, RULES, UNDOUBTING
from benchmarks.detection.scenario import Group
from benchmarks.detection.summary import Goal, Shuffle, Totals

RIVALS = tuple(rule for rule in RULES if not rule.startswith(OURS))
_FLAKY_SIZES = (1, 4, 20, 200)


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run. `seeds` says which streams of a scenario, at most; `seconds` is the time it took."""

    command: str
    machine: str
    date: str
    seeds: str
    seconds: float
    outcomes: tuple[Outcome, ...]
    totals: tuple[Totals, ...]
    goals: tuple[Goal, ...]
    shuffle: Shuffle
    attacks: tuple[Totals, ...] = ()


def as_json(run: Run) -> str:
    """Everything but the single streams: they are summed up by scenario, size and rule, one of them a line."""
    head = {key: value for key, value in asdict(run).items() if key != "outcomes"}
    kinds = dict.fromkeys((o.scenario, o.tasks, o.rule) for o in run.outcomes)
    lines = [json.dumps(_kind([o for o in run.outcomes if (o.scenario, o.tasks, o.rule) == kind])) for kind in kinds]
    return json.dumps(head, indent=1)[:-2] + ',\n "scenarios": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n"


def _kind(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    first, loops = outcomes[0], [found for outcome in outcomes for found in outcome.found]
    return {
        "scenario": first.scenario,
        "group": first.group,
        "tasks": first.tasks,
        "rule": first.rule,
        "streams": len(outcomes),
        "loops": len(loops),
        "missed": loops.count(None),
        "minutes": [round(found.minutes, 1) for found in loops if found],
        "failed_tasks": [found.failed_tasks for found in loops if found],
        "false_alarms": sum(outcome.false_alarms for outcome in outcomes),
        "most_a_day": max(outcome.most_a_day for outcome in outcomes),
        "wrongly_over": sum(outcome.wrongly_over for outcome in outcomes),
        "messages": sum(outcome.messages for outcome in outcomes),
    }


def as_markdown(run: Run) -> str:
    """The page that the README links to."""
    parts = [
        "# Detection: what is found, how soon, and what is false",
        f"`{run.command}` on {run.machine}, {run.date}, {run.seeds}, {run.seconds / 60:.1f} min.",
        _INTRODUCTION,
        "![Time to detection of each rule](detection.svg)",
        _table(_TOTALS, (_totals_row(line) for line in run.totals if line.rule != UNDOUBTING)),
        _table(("goal", "met", "measured"), ((g.name, "yes" if g.met else "**no**", g.measured) for g in run.goals)),
        "## Minutes to detection, by kind of loop and number of tasks",
        "Median over the streams of each kind, and in brackets the worst; `–` is a loop that was missed.",
        _table(("loop", *map(_tasks, SIZES)), _loop_rows(run.outcomes)),
        _table(("harder shapes of a loop", "tasks", "minutes", "failed tasks by then"), _hard_rows(run.outcomes)),
        "## False alarms, by kind of life without a loop",
        "Alarms over all streams of the kind; an empty cell is none.",
        _table(("no loop here", "Loopbreaker", *RIVALS), _false_rows(run.outcomes)),
        "## Attacks",
        _ATTACKS,
        _table(_TOTALS, (_totals_row(line) for line in run.attacks if line.rule != UNDOUBTING)),
        _table(_ATTACK_HEAD, _attack_rows(run.outcomes)),
        "## Flaky services",
        _FLAKY,
        _table(("rule", "each task fails every", *map(_tasks, _FLAKY_SIZES)), _flaky_rows(run.outcomes)),
        _table(_TOTALS, (_totals_row(line) for line in run.totals if line.rule in (OURS, EVENTS, UNDOUBTING))),
        "## Judged apart",
        _APART,
        _table(("scenario", "tasks", *RULES), _apart_rows(run.outcomes)),
        "## Shuffled and repeated",
        _shuffled(run.shuffle),
    ]
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = """\
Each rule sees the same simulated streams; 3 % of the events come twice and 3 % come late.
A loop counts as found when the rule says so between its cause and its end.
An alarm at any other time is false.
Minutes run from the first failure of the loop to the message, and failed tasks are those that had failed by then;
both are of the loops that the rule found.
Loopbreaker is judged as in operation, where ECS answers it: the desired count, the tasks that run, the deployments.
It then asks for one more generation from 10 tasks and two from 100.
`events alone` is `loopctl replay` on the same stream."""

_ATTACKS = """\
Kinds that were written to break what passes the others, told in no other table.
Each line says what people would have read in operation, where ECS answers, and in brackets from events alone."""

_ATTACK_HEAD = (
    "kind",
    "tasks",
    "loops missed",
    "false alarms",
    "minutes",
    "messages a service and day, most",
    "called over while it loops",
)

_FLAKY = """\
Alarms in 30 days of a service whose tasks each fail at random, on average once in the time given.
With one task that is the mean time between failures of the service; with 20 tasks the service sees 20 times as many.
`depth alone` is Loopbreaker without the tests whether a merely flaky service, or a short outage, could show such a
chain of failures; the second table shows what those tests cost.
Crash storms, in brackets, see a failure every five minutes or more often, last three days and count in no total."""

_APART = """\
Neither plainly a loop nor plainly none: a failure in the service every five minutes or more often, by chance;
and a dependency that is away for three minutes while tasks start in seconds, so that each slot restarts six times in a
row and then recovers by itself; and workers that end without an error, which their owner may have meant."""

_TOTALS = (
    "rule",
    "loops missed",
    "false alarms",
    "minutes, median",
    "worst",
    "failed tasks, median",
    "worst",
    "messages",
    "most to one service in a day",
    "called over while it loops",
)


def _totals_row(line: Totals) -> Sequence[str]:
    name = f"**{line.rule}**" if line.rule == OURS else line.rule
    false = f"{line.false_alarms} in {line.streams_with_false_alarms} streams" if line.false_alarms else "none"
    missed = f"{line.missed} of {line.loops}" if line.missed else f"none of {line.loops}"
    return (
        name,
        missed,
        false,
        _number(line.median_minutes),
        _number(line.worst_minutes),
        _number(line.median_tasks, digits=0),
        _number(line.worst_tasks, digits=0),
        str(line.messages),
        str(line.most_a_day),
        str(line.wrongly_over or "none"),
    )


def _tasks(count: int) -> str:
    return "1 task" if count == 1 else f"{count} tasks"


def _number(value: float | None, *, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _of(outcomes: Iterable[Outcome], rule: str, *groups: Group) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.rule == rule and outcome.group in groups and not outcome.attack]


def _minutes(outcomes: Sequence[Outcome]) -> str:
    """Median and worst over all loops of these streams."""
    return _spread(outcomes, lambda found: found.minutes, "{:.1f}")


def _spread(outcomes: Sequence[Outcome], measure: Callable[[Any], float], form: str) -> str:
    loops = [found for outcome in outcomes for found in outcome.found]
    values = [measure(found) for found in loops if found]
    if not values:
        return "–" if loops else ""
    text = f"{form.format(median(values))} ({form.format(max(values))})"
    missed = len(loops) - len(values)
    return f"{text}, {missed} –" if missed else text


def _loop_rows(outcomes: Iterable[Outcome]) -> Iterable[Sequence[str]]:
    ours = _of(outcomes, OURS, Group.LOOP)
    for name in dict.fromkeys(o.scenario for o in ours if o.tasks == SIZES[-1]):
        cells = [[o for o in ours if o.scenario == name and o.tasks == size] for size in SIZES]
        yield name, *(_minutes(cell) for cell in cells)


def _hard_rows(outcomes: Iterable[Outcome]) -> Iterable[Sequence[str]]:
    ours = _of(outcomes, OURS, Group.LOOP, Group.RECOVERY)
    plain = {o.scenario for o in ours if o.tasks == SIZES[-1]}
    for name, tasks in dict.fromkeys((o.scenario, o.tasks) for o in ours if o.scenario not in plain):
        cell = [o for o in ours if (o.scenario, o.tasks) == (name, tasks)]
        yield name, str(tasks), _minutes(cell), _spread(cell, lambda found: found.failed_tasks, "{:.0f}")


def _false_rows(outcomes: Sequence[Outcome]) -> Iterable[Sequence[str]]:
    quiet = [o for o in outcomes if o.group != Group.APART and not o.attack]
    for name in dict.fromkeys(o.scenario for o in quiet if o.group in (Group.CHURN, Group.FLAKY)):
        counts = [sum(o.false_alarms for o in quiet if o.scenario == name and o.rule == r) for r in (OURS, *RIVALS)]
        yield name, *(str(count or "") for count in counts)


def _attack_rows(outcomes: Sequence[Outcome]) -> Iterable[Sequence[str]]:
    attacks = [o for o in outcomes if o.attack and o.rule in (OURS, EVENTS)]
    for name, tasks in dict.fromkeys((o.scenario, o.tasks) for o in attacks):
        of_kind = [[o for o in attacks if (o.scenario, o.tasks, o.rule) == (name, tasks, r)] for r in (OURS, EVENTS)]
        yield name, str(tasks), *(_both(measure, *of_kind) for measure in _MEASURES)


def _both(measure: Callable[[Sequence[Outcome]], str], ours: Sequence[Outcome], events: Sequence[Outcome]) -> str:
    here, there = measure(ours), measure(events)
    return here if here == there else f"{here or 'none'} [{there or 'none'}]"


def _missed(outcomes: Sequence[Outcome]) -> str:
    loops = [found for outcome in outcomes for found in outcome.found]
    return f"{loops.count(None)} of {len(loops)}" if None in loops else ""


_MEASURES: tuple[Callable[[Sequence[Outcome]], str], ...] = (
    _missed,
    lambda outcomes: str(sum(o.false_alarms for o in outcomes) or ""),
    lambda outcomes: _minutes([replace(o, found=tuple(f for f in o.found if f)) for o in outcomes]),
    lambda outcomes: str(max(o.most_a_day for o in outcomes) or ""),
    lambda outcomes: str(sum(o.wrongly_over for o in outcomes) or ""),
)


def _flaky_rows(outcomes: Sequence[Outcome]) -> Iterable[Sequence[str]]:
    for rule in (OURS, EVENTS, UNDOUBTING, "3 failures in 60 min"):
        for hours in MTBF_HOURS:
            of_rule = [o for o in outcomes if o.scenario == flaky_name(hours) and o.rule == rule]
            yield rule, f"{hours} h", *(_per_month([o for o in of_rule if o.tasks == n]) for n in _FLAKY_SIZES)


def _per_month(outcomes: Sequence[Outcome]) -> str:
    """Alarms per stream; a storm's stands in brackets."""
    if not outcomes:
        return ""
    count = sum(o.false_alarms for o in outcomes) / len(outcomes)
    text = f"{count:.1f}".removesuffix(".0")
    return f"({text} in 3 days)" if outcomes[0].group == Group.APART else text


def _apart_rows(outcomes: Sequence[Outcome]) -> Iterable[Sequence[str]]:
    apart = [o for o in outcomes if o.group == Group.APART]
    for name, tasks in dict.fromkeys((o.scenario, o.tasks) for o in apart):
        of_kind = [o for o in apart if (o.scenario, o.tasks) == (name, tasks)]
        yield name, str(tasks), *(str(sum(o.false_alarms for o in of_kind if o.rule == rule)) for rule in RULES)


def _shuffled(shuffle: Shuffle) -> str:
    changed = ", ".join(shuffle.changed) or "none"
    return (
        f"{shuffle.streams} streams came again, half of the events twice and all in any order within two minutes.\n"
        f"Verdicts that changed: {changed}.\nA loop was found at most {shuffle.latest:.1f} min later."
    )
