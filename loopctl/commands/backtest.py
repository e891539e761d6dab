"""`loopctl backtest`: what would have been told of the past, when, and what it cost until then."""

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from loopbreaker.seeing.events import unwrap
from loopbreaker.seeing.fields import MalformedEventError
from loopbreaker.telling.plain import count, dollars, iso, span, time_of
from loopbreaker.telling.prices import AS_OF
from loopctl.backtest import Result, Told, backtest, slim
from loopctl.options import FORMATS, ExitStatus, Json, Profile, Region, Tries, policy_of
from loopctl.session import Screen, Session, heard

if TYPE_CHECKING:
    from loopctl.backtest import Json as Event

_EPILOG = f"""\b
Without FILE it looks for recordings in CloudWatch Logs: log groups below
/aws/events/ecs/containerinsights/ and those to which rules eventsToLog* send.
Needs logs:DescribeLogGroups, logs:FilterLogEvents, events:ListRules,
events:ListTargetsByRule. Where nothing is recorded it prints what starts it.

{FORMATS}
\b
Examples:
  loopctl backtest --since 30d
  loopctl backtest --log-group /aws/events/ecs/recording --since 2026-11-01
  loopctl backtest events.jsonl.gz insights.csv
  loopctl backtest --policy fast.depth=4 events.jsonl

\b
Exit status:
    0  everything was read
    1  something could not be read, or nothing is recorded
    2  wrong usage
  130  interrupted
"""

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86_400.0}
Files = Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", hidden=True, show_default=False)]
Since = Annotated[str, typer.Option(metavar="TIME", help="From when on: 30d, 12h, or 2026-11-01.")]
Group = Annotated[list[str] | None, typer.Option("--log-group", metavar="NAME", help="A log group that holds events.")]


def register(app: typer.Typer) -> None:
    app.command("backtest", epilog=_EPILOG)(command)


def command(
    files: Files = None,
    *,
    since: Since = "30d",
    log_group: Group = None,
    region: Region = None,
    profile: Profile = None,
    policy: Tries = None,
    as_json: Json = False,
) -> None:
    """What would have been told, when, and what did it cost until then? Runs recordings, beside the usual rules."""
    chosen, begin = policy_of(policy), since_when(since, now=time.time())
    with heard():
        events, unread = _of_files(files) if files else _of_logs(log_group, begin, region=region, profile=profile)
        result = backtest(events, chosen)
        if as_json:
            for loop in result.loops:
                print(_as_json(loop))
        elif unread and not result.events:
            print(
                "loopctl: nothing could be read, so nothing is known; "
                "`loopctl backtest --help` says what FILE may hold",
                file=sys.stderr,
            )
        else:
            _tell_people(result)
    if unread or result.unreadable:
        for problem in result.unreadable[:5]:
            print(f"loopctl: {problem}", file=sys.stderr)
        raise typer.Exit(ExitStatus.UNREADABLE)


def since_when(text: str, *, now: float) -> float:
    """`30d`, `12h`, `90m` before now, or a date, as seconds since the epoch."""
    from datetime import UTC, datetime  # noqa: PLC0415

    if found := re.fullmatch(r"(\d{1,5})([mhd])", text):
        return max(0.0, now - int(found[1]) * _UNITS[found[2]])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            "a span such as 30d or 12h, or a date such as 2026-11-01", param_hint="--since"
        ) from None
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _of_files(files: list[Path]) -> "tuple[list[Event], int]":
    with Session(files, streams=False) as session:
        events = [event for recorded in session.events() if (event := slim(recorded.event))]
    return events, session.unreadable


def _of_logs(
    named: list[str] | None, since: float, *, region: str | None, profile: str | None
) -> "tuple[list[Event], int]":
    """The events of log groups. Where there is none, says how to record and ends."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    from loopctl import captured  # noqa: PLC0415
    from loopctl.faults import said  # noqa: PLC0415

    patient = Config(retries={"mode": "adaptive", "max_attempts": 10})
    unread, events = 0, list[Any]()
    try:
        session = boto3.Session(region_name=region, profile_name=profile)
        logs = session.client("logs", config=patient)
        groups = named or captured.groups(logs, session.client("events", config=patient))
        if not groups:
            account = session.client("sts").get_caller_identity()["Account"]
            _say_how_to_record(captured.start(region=str(session.region_name), account=account))
        for group in groups:
            with _progress(group) as told:
                for message in captured.messages(logs, group, since=since, told=told):
                    try:
                        event = slim(unwrap(message))
                    except MalformedEventError as error:
                        unread += 1
                        print(f"loopctl: {group}: {error}", file=sys.stderr)
                        continue
                    events += [event] if event else []
    except (ClientError, BotoCoreError) as error:
        print(f"loopctl: {said(error)}", file=sys.stderr)
        raise typer.Exit(ExitStatus.REFUSED) from error
    return events, unread


def _say_how_to_record(how: str) -> None:
    print("Nothing is recorded: no log group of ECS events was found in this Region.", file=sys.stderr)
    print("This starts a recording, kept for 30 days:\n", file=sys.stderr)
    print(how)
    print("What loops now can be seen without one: loopctl scan", file=sys.stderr)
    raise typer.Exit(ExitStatus.REFUSED)


@contextmanager
def _progress(group: str) -> Iterator[Any]:
    screen = Screen(stderr=True)
    if not screen.is_terminal:
        yield lambda _: None
        return
    with screen.status(f"{group} ...") as status:
        yield lambda read: status.update(f"{group}: {read:,} events ...")


def _tell_people(result: Result) -> None:
    screen = Screen()
    for loop in result.loops:
        print(_story(loop))
    print(_summary(result))
    if result.events:
        print()
        screen.print(_beside(result))


def _story(loop: Told) -> str:
    """One loop: four lines of at most 80 columns."""
    late = span(loop.told_at - loop.began_at)
    until = f"{count(loop.failed_until_told, 'task')} failed, at most {dollars(loop.dollars_until_told)}"
    over = f"over     {time_of(loop.over_at)}" if loop.over_at is not None else "goes on where the recording ends"
    usual = "; ".join(f"{rule}: {_when(loop, at)}" for rule, at in loop.usual.items())
    return "\n".join(
        [
            f"{loop.service.cluster}/{loop.service.name}: {loop.category.value}",
            f"  began    {time_of(loop.began_at)}",
            f"  told     {time_of(loop.told_at)}, after {late}: {until}",
            f"  {over}: {count(loop.failed, 'task')} failed, at most {dollars(loop.dollars)}",
            f"  {usual}",
            "",
        ]
    )


def _when(loop: Told, at: float | None) -> str:
    return "never" if at is None else f"after {span(at - loop.began_at).replace(' minutes', ' min')}"


def _summary(result: Result) -> str:
    if not result.events or result.began_at is None:
        return "0 events of stopped tasks: nothing to say."
    lines = [
        f"{count(result.events, 'event')} of {count(result.services, 'service')},",
        f"{time_of(result.began_at)} to {time_of(result.ended_at)}:",
        f"{count(len(result.loops), 'restart loop')}, {count(result.messages, 'message')}.",
    ]
    told, whole = sum(loop.dollars_until_told for loop in result.loops), sum(loop.dollars for loop in result.loops)
    if whole:
        lines.append(f"They cost at most {dollars(whole)}, of that {dollars(told)} before they were told of")
        lines.append(f"(list prices of {AS_OF}, us-east-1, with an image of 1 GB through a NAT gateway).")
    return "\n".join(lines)


def _beside(result: Result) -> Table:
    """What the usual rules would have said: alarms, loops found, services that do not loop."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("rule")
    for heading in ("messages", "loops told", "other services told"):
        table.add_column(heading, justify="right")
    loops = len(result.loops)
    table.add_row("Loopbreaker", f"{result.messages:,}", f"{loops} of {loops}", "")
    for rule, alarms in result.usual.items():
        found = sum(loop.usual[rule] is not None for loop in result.loops)
        table.add_row(rule, f"{len(alarms.sent):,}", f"{found} of {loops}", f"{result.beside(rule):,}")
    return table


def _as_json(loop: Told) -> str:
    return json.dumps(
        {
            "cluster": loop.service.cluster,
            "service": loop.service.name,
            "profile": loop.profile,
            "category": loop.category.value,
            "began_at": iso(loop.began_at),
            "told_at": iso(loop.told_at),
            "failed_until_told": loop.failed_until_told,
            "dollars_until_told": round(loop.dollars_until_told, 4),
            "over_at": None if loop.over_at is None else iso(loop.over_at),
            "failed": loop.failed,
            "dollars": round(loop.dollars, 4),
            "usual": {rule: None if at is None else iso(at) for rule, at in loop.usual.items()},
        }
    )
