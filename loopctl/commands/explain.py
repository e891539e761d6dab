"""`loopctl explain`: what each recorded event is to the detector."""

from collections import Counter

import typer
from rich.text import Text

from loopbreaker.model import Category, Label
from loopctl import report
from loopctl.explain import explain as explained
from loopctl.options import FORMATS, ExitStatus, Files, Json
from loopctl.session import Screen, Session, heard

_EPILOG = f"""{FORMATS}
\b
Examples:
  loopctl explain events.jsonl
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


def register(app: typer.Typer) -> None:
    app.command(epilog=_EPILOG)(explain)


def explain(files: Files, as_json: Json = False) -> None:
    """What is each event to the detector: does it count, and why?"""
    screen = Screen()
    totals: Counter[tuple[Label, Category | None]] = Counter()
    with heard():
        labels = {label: _styled(screen, label) for label in Label}
        with Session(files, streams=True) as session:
            for recorded in session.events():
                found = explained(recorded.event)
                totals[found.label, found.category] += 1
                if as_json:
                    print(report.explanation_json(found))
                else:
                    print(report.explanation_line(found, labels[found.label]))
                if found.label is Label.INVALID:
                    session.refuse(recorded, found.why)
        if not as_json:
            screen.print()
            screen.print(report.totals_table(totals))
    if session.unreadable:
        raise typer.Exit(ExitStatus.UNREADABLE)


def _styled(screen: Screen, label: Label) -> str:
    """The label in its column, with the codes for its colour where there is a terminal to show it."""
    with screen.capture() as captured:
        screen.print(Text(f"{label.value:10}", style=report.LABEL_STYLES[label]), end="")
    return captured.get()
