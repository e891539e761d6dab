"""The results as a page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.breaker.judgement import Judgement
from benchmarks.breaker.kinds import SECTIONS
from benchmarks.breaker.kinds.unserved import UNSERVED
from benchmarks.breaker.stage import HOUR
from benchmarks.breaker.summary import PATIENCE, Goal, Line, goals, lines, unstopped

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the benchmark."""

    command: str
    machine: str
    date: str
    seconds: float
    worlds: int
    judgements: tuple[Judgement, ...]


def as_markdown(run: Run) -> str:
    """The page that the README links to."""
    every, asked = lines(run.judgements), goals(run.judgements)
    parts = [
        "# The breaker: what it does to services, beside the same services without it",
        f"`{run.command}` on {run.machine}, {run.date}: {run.worlds} worlds, {run.seconds / 60:.0f} min.",
        _INTRODUCTION,
        "![What each kind of world cost](breaker.svg)",
        _table(("goal", "met", "measured"), ((g.name, "yes" if g.met else "**no**", g.measured) for g in asked)),
        *(part for title, kinds in SECTIONS.items() for part in _section(title, [x for x in every if x.kind in kinds])),
        *_unstopped(run.judgements),
        *_excuses(every),
        *_failing(asked),
    ]
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = """\
Each world is lived twice from the same seed: once with Loopbreaker, once without it.
The judge knows the truth of the simulation, which tasks would answer a request at each moment, and no rule of ours.

- *Lost*: services of which a task that would have served did not, before the cause ended; in brackets the task-hours.
- *Late*: services that were not whole again in time after the cause had ended.
- *At 0 after the end*: minutes in which nobody was served and without Loopbreaker somebody would have been;
  median and worst of the services that it acted on.
- *Wrong rollbacks*: of a revision that had served, or that became good without Loopbreaker; of all its rollbacks.
- *Otherwise wrong*: at 0 in silence, a message that did not come, a count raised against a person, something left
  changed, an act that the owner had not asked for."""


def _section(title: str, own: Sequence[Line]) -> Iterable[str]:
    if not own:
        return
    yield f"## {title}"
    head = (
        "world",
        "services",
        "acted on",
        "lost",
        "late",
        "at 0 after the end, min",
        "wrong rollbacks",
        "otherwise wrong",
        "restarts avoided",
        "most messages",
    )
    yield _table(head, (_row(line) for line in own))


def _row(line: Line) -> Sequence[str]:
    lost = f"{_count(line.lost)} ({line.lost_seconds / HOUR:.1f} h)" if line.lost else "none"
    return (
        line.kind.name + (" ¹" if line.kind.excused else ""),
        str(line.services),
        str(line.acted),
        lost,
        _count(line.late),
        "–" if line.down is None else f"{line.down[0]:.0f} ({line.down[1]:.0f})",
        f"{_count(line.wrong_rollbacks)} of {line.rollbacks}" if line.rollbacks else "–",
        _count(line.broken),
        "–" if line.avoided is None else f"{line.avoided:.0%}",
        str(line.messages),
    )


def _count(number: int) -> str:
    return f"**{number}**" if number else "none"


def _unstopped(judgements: Sequence[Judgement]) -> Iterable[str]:
    found: dict[str, list[Judgement]] = {}
    for judgement in unstopped(judgements):
        found.setdefault(judgement.kind, []).append(judgement)
    if not found:
        return
    yield f"## Nobody was served for more than {PATIENCE / HOUR:.0f} hours, and tasks were started on and on"
    longest = {kind: max(j.unserved for j in own) for kind, own in found.items()}
    rows = [
        (kind, str(len(own)), f"{longest[kind] / HOUR:.1f}", UNSERVED.get(kind, "**unknown**"))
        for kind, own in sorted(found.items(), key=lambda one: -longest[one[0]])
    ]
    yield _table(("world", "services", "hours at most", "why"), rows)


def _excuses(every: Sequence[Line]) -> Iterable[str]:
    excused = [line.kind for line in every if line.kind.excused]
    if excused:
        yield "¹ Shown, and not asked of by a goal:"
        yield "\n".join(f"- {kind.name}: {kind.why}." for kind in excused)


def _failing(asked: Sequence[Goal]) -> Iterable[str]:
    if all(goal.met for goal in asked):
        return
    yield "## Worlds in which a goal is not met"
    for goal in asked:
        if goal.failing:
            more = len(goal.failing) - _MOST_NAMED
            named = [f"- {text}" for text in goal.failing[:_MOST_NAMED]]
            yield f"{goal.name}:"
            yield "\n".join([*named, *([f"- and {more} more"] if more > 0 else [])])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows))
