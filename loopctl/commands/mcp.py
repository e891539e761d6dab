"""`loopctl mcp`: a server for agents, over standard input and output."""

import sys
import time
from functools import cache
from typing import TYPE_CHECKING

import typer

from loopctl.options import ExitStatus, Profile, Region, Stack

if TYPE_CHECKING:
    from loopctl.operate import Account

_EPILOG = """\b
Tools: loops, history, incident, timeline, explain, backtest. None changes anything.

\b
Example of a client's configuration:
  {"mcpServers": {"loopbreaker": {"command": "loopctl", "args": ["mcp", "--region", "eu-west-1"]}}}

It needs the extra: pip install "loopbreaker[mcp]"
"""


def register(app: typer.Typer) -> None:
    app.command(epilog=_EPILOG)(mcp)


def mcp(stack: Stack = "Loopbreaker", region: Region = None, profile: Profile = None) -> None:
    """Serve agents by the Model Context Protocol: read only, over standard input and output."""
    try:
        from loopctl.agents import server  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as missing:
        print(f'loopctl: {missing.name} is not installed: pip install "loopbreaker[mcp]"', file=sys.stderr)
        raise typer.Exit(ExitStatus.REFUSED) from missing

    @cache
    def account() -> "Account":
        from loopctl.operate import Account  # noqa: PLC0415

        return Account(stack=stack, region=region, profile=profile)

    server(account, clock=time.time).run("stdio")
