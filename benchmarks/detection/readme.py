"""What the README says of detection, from the results: how it does in operation, and the worst beside the usual."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.detection.rules import EVENTS, OURS

MARK = "<!-- detection -->"
_ELB = "ELB, grace 90 s"

Results = Mapping[str, Any]


def with_detection(readme: str, results: Results) -> str:
    """The README with the sentences between its two marks made anew."""
    head, _, rest = readme.partition(MARK)
    _, _, tail = rest.partition(MARK)
    return f"{head}{MARK}\n{chr(10).join(_sentences(results))}\n{MARK}{tail}"


def _sentences(results: Results) -> Iterator[str]:
    ours = _line(results["totals"], OURS)
    # Runs of before had no line for events alone: what bears the plain name was judged from events then.
    asked = ", asking ECS as in operation," if any(line["rule"] == EVENTS for line in results["totals"]) else ""
    yield (
        f"Of {ours['loops']:,} loops in {ours['streams']:,} streams Loopbreaker{asked} missed "
        f"{ours['missed'] or 'none'} and raised {_alarms(ours)}."
    )
    yield _others([line for line in results["totals"] if not line["rule"].startswith(OURS)])
    yield f"Half of the loops were told within {ours['median_minutes']:.1f} minutes of their first failure."
    told = [(kind, max(kind["minutes"])) for kind in results["scenarios"] if kind["rule"] == OURS and kind["minutes"]]
    told = [one for one in told if one[0]["group"] == "loop"]
    worst = max(minutes for kind, minutes in told if _ELB in kind["scenario"])
    yield f"Loops of load balancer health checks with a grace period of 90 s were told within {worst:.1f} minutes."
    slowest, minutes = max(told, key=lambda one: one[1])
    yield f"The slowest took {minutes:.0f} minutes: {slowest['scenario']}, of {_tasks(slowest['tasks'])}."
    for line in results.get("attacks", ()):
        if line["rule"] == OURS:
            yield (
                f"Of {line['loops']:,} loops in streams that were written to break it, it missed "
                f"{line['missed'] or 'none'} and raised {_alarms(line)}."
            )
            if early := line.get("wrongly_over"):
                yield f"It called {early} of them over while it went on."


def _others(rivals: list[Results]) -> str:
    right = [line["rule"] for line in rivals if not line["missed"] and not line["false_alarms"]]
    if right:
        return f"Of the other rules these did neither: {', '.join(right)}."
    return "Each other rule missed loops, raised false alarms or did both."


def _line(totals: list[Results], rule: str) -> Results:
    return next(line for line in totals if line["rule"] == rule)


def _alarms(line: Results) -> str:
    number = line["false_alarms"]
    return f"{number or 'no'} false alarm{'' if number == 1 else 's'}"


def _tasks(number: int) -> str:
    return "1 task" if number == 1 else f"{number} tasks"
