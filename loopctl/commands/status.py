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


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(
    stack: Stack = "Loopbreaker",
    region: Region = None,
    profile: Profile = None,
    all_regions: AllRegions = False,
    as_json: Json = False,
) -> None:
    """The services that loop now, and those that Loopbreaker holds at 0."""
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
