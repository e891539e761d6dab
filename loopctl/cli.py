"""`loopctl`: the names of its commands. Each is a module of `loopctl.commands`, loaded when it is asked for."""

import io
import os
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from loopbreaker import VERSION

_HELP = """Operators' tools for Loopbreaker, which finds Amazon ECS services in a restart loop.

scan needs an account and no installation; replay, explain and policy read files and make no AWS call;
the others ask a deployed stack."""

_EPILOG = """\b
Examples:
  loopctl scan                        what loops now, without an installation
  loopctl backtest --since 30d        what would have been told of the past
  loopctl doctor                      does the installation work
  loopctl drill                       does a message arrive
  loopctl opt-in prod/web stop        how a service opts in
  loopctl status                      the services that loop now
  loopctl history --since 7d          what looped in a week
  loopctl show prod/web               one loop: its picture and its story
  loopctl ack prod/web                somebody is at it: no more reminders
  loopctl mute prod/web 2h            silence for two hours
  loopctl resume prod/web             bring a stopped service back
  loopctl replay events.jsonl         the restart loops in a recording
  loopctl explain events.jsonl        each event, and whether it counts
  loopctl policy                      the thresholds that may be tried
  loopctl mcp                         a read-only server for agents
  loopctl --install-completion        completion for the current shell

\b
Exit status, where a command says no other:
    0  done
    1  it could not be done; standard error says why
    2  wrong usage
"""

_BEFORE = ("scan", "backtest")
_INSTALLED = ("doctor", "drill", "opt-in", "status", "history", "show", "ack", "mute", "unmute", "resume")
_RECORDED = ("replay", "explain", "policy")
COMMANDS = (*_BEFORE, *_INSTALLED, *_RECORDED, "mcp")
"""In the order in which the help lists them."""


class _Commands(Mapping[str, Any]):
    """The commands by name. One that is looked at is loaded; their names alone load none."""

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        return _loaded(name)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Group(TyperGroup):
    """What typer makes of an app, with commands that are not loaded yet."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given | {"commands": None})
        self.commands = _Commands()  # type: ignore[assignment]  # nothing is ever added


# Plain help: it is as wide as the terminal, and a flag is shown as a flag.
_PLAIN: dict[str, Any] = {"pretty_exceptions_enable": False, "rich_markup_mode": None}
app = typer.Typer(cls=_Group, help=_HELP, epilog=_EPILOG, no_args_is_help=True, **_PLAIN)


@cache
def _loaded(name: str) -> Any:
    alone = typer.Typer(add_completion=False, **_PLAIN)
    import_module(f"loopctl.commands.{name.replace('-', '_')}").register(alone)
    command = get_command(alone)
    # The first sentence whole: what is too long for a line would be cut within it.
    command.short_help = re.split(r"(?<=[.?])\s", command.help or "", maxsplit=1)[0]
    return command


def _version(asked: bool) -> None:
    if asked:
        print(f"loopctl {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Say it, and exit.")
    ] = False,
) -> None:
    """Options of the command itself."""


def main() -> None:
    """The command `loopctl`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="loopctl")
    finally:
        _flush()


def _flush() -> None:
    """What is still to be written, unless its reader has gone: Python would say so, and exit with 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
