"""`loopctl explain`: what each recorded event is to the detector."""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from loopbreaker.model import Category, Label
from loopctl import report
from loopctl.explain import Explanation
from loopctl.explain import explain as explained
from loopctl.options import FORMATS, ExitStatus, Files, Json, duration, one_of
from loopctl.session import Screen, Session, heard

_EPILOG = f"""{FORMATS}
\b
Examples:
  loopctl explain events.jsonl
  loopctl explain --only failure --service prod/web events.jsonl
  loopctl explain --since 2026-01-31T18:00Z events.jsonl
  loopctl explain --json events.jsonl | jq -c 'select(.counts)'
  aws logs tail /ecs/events --since 1h | loopctl explain -

\b
Labels:
  failure     a task of a service failed
  normal      ordinary life of a service
  not-final   the task is not STOPPED yet
  standalone  no service restarts the task
  not-a-stop  not about a task
  invalid     an event that cannot be read

\b
Exit status:
    0  everything was read
    1  something could not be read: said on standard error, the rest was read
    2  wrong usage
  130  interrupted
"""


Only = Annotated[
    list[Label] | None,
    typer.Option("--only", metavar="LABEL", parser=one_of(Label), help="Only events with this label; repeatable."),
]
OfService = Annotated[str, typer.Option("--service", metavar="[CLUSTER/]SERVICE", help="Only events of this service.")]
Since = Annotated[
    str, typer.Option("--since", metavar="AGE|TIME", help="Only events sent since then: 2h, or 2026-01-31T18:00Z.")
]


def register(app: typer.Typer) -> None:
    app.command(epilog=_EPILOG)(explain)


def explain(
    files: Files,
    *,
    only: Only = None,
    service: OfService = "",
    since: Since = "",
    as_json: Json = False,
) -> None:
    """What is each event to the detector: does it count, and why?"""
    screen = Screen()
    wanted = _Wanted(frozenset(only or Label), service, _moment(since))
    totals: Counter[tuple[Label, Category | None]] = Counter()
    with heard():
        labels = {label: _styled(screen, label) for label in Label}
        with Session(files, streams=True) as session:
            for recorded in session.events():
                found = explained(recorded.event)
                if found.label is Label.INVALID:
                    session.refuse(recorded, found.why)
                if not wanted.has(found):
                    continue
                totals[found.label, found.category] += 1
                if as_json:
                    print(report.explanation_json(found))
                else:
                    print(report.explanation_line(found, labels[found.label], width=screen.width))
        if totals and not as_json:
            screen.print()
            screen.print(report.totals_table(totals))
        elif not as_json and not session.unreadable:
            print("No event." if wanted.everything else "No such event.")
    if session.unreadable:
        raise typer.Exit(ExitStatus.UNREADABLE)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which events are told of."""

    labels: frozenset[Label]
    service: str
    since: float

    @property
    def everything(self) -> bool:
        return self == _Wanted(frozenset(Label), "", 0.0)

    def has(self, found: Explanation) -> bool:
        if found.label not in self.labels or (self.since and (found.at is None or found.at < self.since)):
            return False
        names = (found.service.name, f"{found.service.cluster}/{found.service.name}") if found.service else ()
        return not self.service or self.service in names


def _moment(text: str) -> float:
    """The time that `--since` means: itself, or so long before now; 0 where nothing is asked."""
    if not text:
        return 0.0
    age = duration(text)
    if age is not None:
        return time.time() - age
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"neither an age such as 2h nor a time: {text!r}", param_hint="--since") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _styled(screen: Screen, label: Label) -> str:
    """The label in its column, with the codes for its colour where there is a terminal to show it."""
    with screen.capture() as captured:
        screen.print(Text(f"{label.value:10}", style=report.LABEL_STYLES[label]), end="")
    return captured.get()
