"""`loopctl history`: the loops of the last 400 days."""

import json
import time
from typing import Annotated

import typer

from loopbreaker.picture.loops import Loop, to_json
from loopctl.options import Json, Profile, Region, Since, Stack, account, named, seconds_ago
from loopctl.prose import history as told
from loopctl.session import Screen

_EPILOG = """\b
Examples:
  loopctl history                     every service, the newest first
  loopctl history prod/web            one service
  loopctl history --since 7d --json

CLUSTER/SERVICE is left out for all services; then the whole table is read.
"""

Name = Annotated[str, typer.Argument(metavar="[CLUSTER/SERVICE]", hidden=True)]
Most = Annotated[int, typer.Option("--limit", metavar="NUMBER", min=1, help="So many of the newest.")]


def register(app: typer.Typer) -> None:
    app.command(epilog=_EPILOG)(history)


def history(
    name: Name = "",
    *,
    since: Since = "",
    limit: Most = 20,
    stack: Stack = "Loopbreaker",
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """The restart loops of the last 400 days, those that go on among them."""
    now = time.time()
    earliest = now - seconds_ago(since) if since else 0.0
    with account(stack=stack, region=region, profile=profile) as asked:
        service = asked.service(*named(name)[:2]) if name else None
        loops = _newest([*asked.open(service), *asked.past(service)], earliest)
    for loop in loops[:limit] if as_json else []:
        print(json.dumps(to_json(loop)))
    if as_json:
        return
    print(told(loops[:limit], now=now, width=Screen().width, stack=stack) if loops else "No loop is remembered.")
    if len(loops) > limit:
        print(f"\n{len(loops) - limit:,} older ones: --limit {len(loops)} shows all.")


def _newest(loops: list[Loop], earliest: float) -> list[Loop]:
    """Each loop once: one that was taken up again is open and among those that were over before."""
    from loopctl.operate import merged  # noqa: PLC0415 - the AWS SDK is slow to load

    wanted = [loop for loop in merged(loops) if loop.incident.last_failure_at >= earliest]
    return sorted(wanted, key=lambda loop: -loop.incident.last_failure_at)
