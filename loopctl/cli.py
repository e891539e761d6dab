"""`loopctl`: the commands, their options, their exit statuses."""

import io
import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from loopbreaker.model import Category, Label
from loopbreaker.policy import Policy, PolicyError, override, thresholds
from loopbreaker.record import NoticeKind
from loopbreaker.seeing.events import MalformedEventError
from loopctl import report
from loopctl.explain import explain as explained
from loopctl.replay import Change, Replay
from loopctl.session import Screen, Session, heard

if TYPE_CHECKING:
    from loopctl.operate import Account


class Status(IntEnum):
    """What the exit status says, beside 0 and what typer says with 2 (usage) and 130 (interrupted)."""

    UNREADABLE = 1
    REFUSED = 1
    LOOP = 3


_HELP = """Operators' tools for Loopbreaker, which finds Amazon ECS services in a restart loop.

replay, explain and policy make no AWS call; status and resume ask the table of a deployed stack."""

_EPILOG = """\b
Examples:
  loopctl replay events.jsonl         the restart loops in a recording
  loopctl explain events.jsonl        each event, and whether it counts
  loopctl policy                      the thresholds that may be tried
  loopctl status                      the services that loop now
  loopctl resume prod web             bring a stopped service back
  loopctl --install-completion        completion for the current shell
"""

_FORMATS = """\b
FILE holds EventBridge events in the order of their delivery:
  JSON Lines or a JSON list, plain or gzipped; SQS and SNS messages;
  CloudWatch Logs: exports, `aws logs tail`, `aws logs filter-log-events`.
  - is standard input.
"""

_REPLAY_EPILOG = f"""{_FORMATS}
\b
Examples:
  loopctl replay events.jsonl
  loopctl replay --json monday.gz tuesday.gz
  loopctl replay --policy fast.depth=4 --policy slow.depth=5 events.jsonl
  loopctl replay --exit-code events.jsonl || echo "look at it"
  aws logs tail /ecs/events --since 1d | loopctl replay -

\b
Exit status:
    0  everything was read
    1  something could not be read: said on standard error, the rest was read
    2  wrong usage
    3  with --exit-code: a restart loop was found
  130  interrupted
"""

_EXPLAIN_EPILOG = f"""{_FORMATS}
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

app = typer.Typer(
    help=_HELP, epilog=_EPILOG, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich"
)


def _keys(incomplete: str) -> list[str]:
    return [f"{key}=" for key in thresholds() if key.startswith(incomplete)]


Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Recorded events; - is standard input.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]
Tries = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        metavar="KEY=VALUE",
        autocompletion=_keys,
        help="Try another threshold; repeatable. `loopctl policy` lists them.",
    ),
]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit with 3 where a restart loop was found.")]


@app.command(epilog=_REPLAY_EPILOG)
def replay(files: Files, as_json: Json = False, policy: Tries = None, exit_code: ExitCode = False) -> None:
    """What would Loopbreaker have said? Runs recorded events through its core on a virtual clock."""
    run = Replay(_policy(policy or []))
    told: list[Change] = []
    with heard():
        with Session(files, streams=as_json) as session:
            for change in _changes(run, session):
                told.append(change)
                if as_json:
                    print(report.change_json(change), flush=True)
        if not as_json:
            _tell_people(run, told)
    if run.late:
        session.say(f"{run.late:,} events are more than a day older than others before them, and were left out.")
    if exit_code and any(change.notice.kind is NoticeKind.LOOPING for change in told):
        raise typer.Exit(Status.LOOP)
    if session.unreadable:
        raise typer.Exit(Status.UNREADABLE)


def _changes(run: Replay, session: Session) -> Iterator[Change]:
    for recorded in session.events():
        try:
            yield from run.feed(recorded.event)
        except MalformedEventError as error:
            session.refuse(recorded, str(error))
    yield from run.finish()


def _tell_people(run: Replay, told: list[Change]) -> None:
    screen = Screen()
    if told:
        screen.print(report.changes_table(told, width=screen.width))
        screen.print()
    screen.print(report.replay_summary(run, told), markup=False, highlight=False, soft_wrap=True)


@app.command(epilog=_EXPLAIN_EPILOG)
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
        raise typer.Exit(Status.UNREADABLE)


@app.command()
def policy(as_json: Json = False) -> None:
    """The thresholds that `replay --policy` takes, with their defaults; durations are in seconds."""
    if as_json:
        print(json.dumps(thresholds()))
    else:
        Screen().print(report.thresholds_table(thresholds()))


Stack = Annotated[str, typer.Option(help="Name of the deployed stack.")]
Region = Annotated[str | None, typer.Option(help="AWS Region; the usual settings hold where it is left out.")]
Profile = Annotated[str | None, typer.Option(help="Profile of the AWS configuration.")]


@app.command()
def status(stack: Stack = "Loopbreaker", region: Region = None, profile: Profile = None, as_json: Json = False) -> None:
    """The services that loop, and those that Loopbreaker holds at 0."""
    with _account(stack=stack, region=region, profile=profile) as account:
        records = account.remembered()
    if as_json:
        for record in records:
            print(report.record_json(record))
    elif records:
        Screen().print(report.records_table(records))
    else:
        print("No service loops.")


@app.command()
def resume(
    cluster: Annotated[str, typer.Argument(help="Name of the cluster.")],
    service: Annotated[str, typer.Argument(help="Name of the service.")],
    stack: Stack = "Loopbreaker",
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Bring a service back that Loopbreaker stopped: its saved count first, then its scaling flags."""
    with _account(stack=stack, region=region, profile=profile) as account:
        record = account.resume(cluster, service)
    count = record.trip.restored_count if record.trip else 0
    print(f"{cluster}/{service}: asked to be brought back to {count}; a message says when it is done.")


@contextmanager
def _account(*, stack: str, region: str | None, profile: str | None) -> Iterator["Account"]:
    """The installation to ask. What cannot be done is one line on standard error, and status 1."""
    # The AWS SDK takes longer to import than all the rest, and most commands do not need it.
    from loopctl.operate import Account, OperateError  # noqa: PLC0415

    try:
        yield Account(stack=stack, region=region, profile=profile)
    except OperateError as error:
        print(f"loopctl: {error}", file=sys.stderr)
        raise typer.Exit(Status.REFUSED) from error


def _policy(tries: list[str]) -> Policy:
    """The default policy with the thresholds that were asked for; of one given twice the last holds."""
    try:
        return override(Policy(), {key: value for key, _, value in (one.partition("=") for one in tries)})
    except PolicyError as error:
        raise typer.BadParameter(str(error), param_hint="--policy") from error


def _styled(screen: Screen, label: Label) -> str:
    """The label in its column, with the codes for its colour where there is a terminal to show it."""
    with screen.capture() as captured:
        screen.print(Text(f"{label.value:10}", style=report.LABEL_STYLES[label]), end="")
    return captured.get()


def main() -> None:
    """The command `loopctl`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="loopctl")
