"""What several commands share: options, exit statuses, and how an installation is found."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from loopbreaker.policy import Policy
from loopbreaker.thresholds import PolicyError, override, parse, thresholds
from loopctl import names

if TYPE_CHECKING:
    from loopctl.operate import Account


class ExitStatus(IntEnum):
    """What the exit status says, beside 0 and what typer says with 2 (usage) and 130 (interrupted)."""

    UNREADABLE = 1
    REFUSED = 1
    LOOP = 3


FORMATS = """\b
FILE holds EventBridge events in the order of their delivery:
  JSON Lines or a JSON list, plain or gzipped; SQS and SNS messages;
  CloudWatch Logs: exports, `aws logs tail`, `aws logs filter-log-events`,
  CSV of Logs Insights (fields @timestamp, @message); `aws ecs describe-tasks`.
  - is standard input.
"""


def _keys(incomplete: str) -> list[str]:
    return [f"{key}=" for key in thresholds() if key.startswith(incomplete)]


# Arguments stand in the usage line and are explained below the options: typer would add the type that Python has.
Files = Annotated[list[Path], typer.Argument(metavar="FILE", hidden=True)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]
Tries = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        metavar="KEY=VALUE,…",
        autocompletion=_keys,
        help="Try other thresholds, as the stack takes them; repeatable. `loopctl policy` lists them.",
    ),
]
Stack = Annotated[str, typer.Option(metavar="NAME", help="Name of the deployed stack.")]
Region = Annotated[
    str | None, typer.Option(metavar="REGION", help="AWS Region; the usual settings hold where it is left out.")
]
Profile = Annotated[str | None, typer.Option(metavar="PROFILE", help="Profile of the AWS configuration.")]

ServiceName = Annotated[str, typer.Argument(metavar="CLUSTER/SERVICE", hidden=True)]
Since = Annotated[str, typer.Option("--since", metavar="AGE", help="Only what is younger, such as 30m, 24h or 7d.")]


def policy_of(tries: list[str] | None) -> Policy:
    """The default policy with the thresholds that were asked for."""
    try:
        return override(Policy(), parse(",".join(tries or [])))
    except PolicyError as error:
        raise typer.BadParameter(str(error), param_hint="--policy") from error


@contextmanager
def account(*, stack: str, region: str | None, profile: str | None) -> Iterator["Account"]:
    """The installation to ask. What cannot be done is one line on standard error, and status 1."""
    # The AWS SDK takes longer to import than all the rest, and most commands do not need it.
    from loopctl.operate import Account, OperateError  # noqa: PLC0415

    try:
        yield Account(stack=stack, region=region, profile=profile)
    except OperateError as error:
        print(f"loopctl: {error}", file=sys.stderr)
        raise typer.Exit(ExitStatus.REFUSED) from error


Choice = TypeVar("Choice", bound=StrEnum)


def one_of(kind: type[Choice]) -> Callable[[str], Choice]:
    """Reads one of the words of an enumeration, in whatever case, as one or many."""

    def read(text: str) -> Choice:
        words = [one.value for one in kind]
        for said in (text.lower(), text.lower().removesuffix("s")):
            if said in words:
                return kind(said)
        near = get_close_matches(text.lower(), words, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise typer.BadParameter(f"{text!r} is none of {', '.join(words)}{meant}")

    return read


_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


def duration(text: str) -> float | None:
    """Seconds in `90s`, `30m`, `2h`, `3d`, `1w`, at most six digits; None where it is not such a text."""
    found = re.fullmatch(r"([0-9]{1,6})([smhdw])", text)
    return int(found[1]) * _UNITS[found[2]] if found else None


def seconds_ago(text: str) -> float:
    """The same, where nothing else will do."""
    found = duration(text)
    if found is None:
        raise typer.BadParameter(f"not an age such as 30m, 24h or 7d: {text!r}", param_hint="--since")
    return found


def named(text: str) -> tuple[str, str, str]:
    """Cluster, service and number of an incident; a text that names none is wrong usage."""
    try:
        return names.named(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
