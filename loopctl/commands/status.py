"""`loopctl status`: what loops now."""

import json
import sys
import time
from typing import Annotated

import typer

from loopbreaker.picture.loops import Loop, to_json
from loopbreaker.remembering.record import Record
from loopctl.options import ExitStatus, Json, Profile, Region, Stack, account
from loopctl.prose import status as told
from loopctl.session import Screen

AllRegions = Annotated[bool, typer.Option("--all-regions", help="Every Region that has the stack.")]
OfHub = Annotated[bool, typer.Option("--hub", help="All accounts: asks the hub, by default the stack LoopbreakerHub.")]
_HUB = "LoopbreakerHub"


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(
    *,
    stack: Stack = "Loopbreaker",
    region: Region = None,
    profile: Profile = None,
    all_regions: AllRegions = False,
    hub: OfHub = False,
    as_json: Json = False,
) -> None:
    """The services that loop now, and those that Loopbreaker holds at 0."""
    if hub:
        if all_regions:
            raise typer.BadParameter("one of --hub and --all-regions: a hub knows all Regions")
        _of_hub(_HUB if stack == "Loopbreaker" else stack, region, profile, as_json=as_json)
        return
    loops: list[Loop] = []
    suspected: list[Record] = []
    if all_regions:
        loops, suspected = _everywhere(stack, profile)
    else:
        with account(stack=stack, region=region, profile=profile) as asked:
            records = asked.remembered()
        loops, suspected = _sorted(records)
    if as_json:
        for loop in loops:
            print(json.dumps(to_json(loop)))
    elif loops or suspected:
        print(told(loops, suspected, now=time.time(), width=Screen().width))
    else:
        print("No service loops.")


def _of_hub(stack: str, region: str | None, profile: str | None, *, as_json: bool) -> None:
    from loopctl.hub import HubAccount, lines  # noqa: PLC0415 - the AWS SDK is slow to load
    from loopctl.operate import OperateError  # noqa: PLC0415

    try:
        loops = HubAccount(stack, region, profile).open()
    except OperateError as error:
        print(f"loopctl: {error}", file=sys.stderr)
        raise typer.Exit(ExitStatus.REFUSED) from error
    for line in map(json.dumps, loops) if as_json else lines(loops, now=time.time()):
        print(line)


def _sorted(records: list[Record]) -> tuple[list[Loop], list[Record]]:
    loops = [Loop(record.service, record.incident, record=record) for record in records if record.incident]
    return loops, [record for record in records if not record.incident]


def _everywhere(stack: str, profile: str | None) -> tuple[list[Loop], list[Record]]:
    """Those of every Region with such a stack; a Region that cannot be asked is said, and the others are shown."""
    from loopctl.operate import Account, OperateError, regions  # noqa: PLC0415 - the AWS SDK is slow to load

    records: list[Record] = []
    asked = 0
    for region in regions(profile):
        try:
            records += Account(stack=stack, region=region, profile=profile).remembered()
            asked += 1
        except OperateError as error:
            if "does not exist" not in str(error):
                print(f"loopctl: {region}: {error}", file=sys.stderr)
    if not asked:
        print(f"loopctl: no Region has a stack {stack}", file=sys.stderr)
        raise typer.Exit(ExitStatus.REFUSED)
    return _sorted(records)
