"""`loopctl status`: what loops now."""

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from loopbreaker.picture.loops import Loop, to_json
from loopbreaker.remembering.record import Record
from loopctl.options import ExitStatus, Json, Profile, Region, Stack, account
from loopctl.prose import fitted
from loopctl.prose import status as told
from loopctl.session import Screen

if TYPE_CHECKING:
    from loopctl.operate import Account

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
    stacks: list[str] = []
    if all_regions:
        loops, suspected = _everywhere(stack, profile, stacks)
    else:
        with account(stack=stack, region=region, profile=profile) as asked:
            loops, suspected = _sorted(asked)
            stacks.append(asked.installed())
    if as_json:
        for loop in loops:
            print(json.dumps(to_json(loop)))
        return
    width = Screen().width
    print(
        told(loops, suspected, now=time.time(), width=width, stack=stack) if loops or suspected else "No service loops."
    )
    print()
    for line in dict.fromkeys(stacks):
        print(fitted(line, width=width))


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


def _sorted(asked: "Account") -> tuple[list[Loop], list[Record]]:
    """What loops, and what may."""
    records = asked.remembered()
    return [asked.of(record) for record in records if record.incident], [r for r in records if not r.incident]


def _everywhere(stack: str, profile: str | None, stacks: list[str]) -> tuple[list[Loop], list[Record]]:
    """Those of every Region with such a stack; a Region that cannot be asked is said, and the others are shown.

    Adds what each stack is to `stacks`.
    """
    from loopctl.faults import Kind  # noqa: PLC0415 - the AWS SDK is slow to load
    from loopctl.operate import Account, OperateError, regions  # noqa: PLC0415

    loops: list[Loop] = []
    suspected: list[Record] = []
    closed: list[str] = []
    for region in regions(profile):
        try:
            asked = Account(stack=stack, region=region, profile=profile)
            found = _sorted(asked)
            stacks.append(f"{region}: {asked.installed()}")
        except OperateError as error:
            if error.kind is Kind.SIGN_IN:
                print(f"loopctl: {error}", file=sys.stderr)
                raise typer.Exit(ExitStatus.REFUSED) from error
            if error.kind is Kind.NOT_TAKEN:
                closed.append(f"{region}: {error}")
            elif error.kind is not Kind.NO_STACK:
                print(f"loopctl: {region}: {error}", file=sys.stderr)
            continue
        loops += found[0]
        suspected += found[1]
    if not stacks:
        # Regions that are not enabled are no news, unless there is no other.
        print(
            *(f"loopctl: {one}" for one in closed[:1]),
            f"loopctl: no Region has a stack {stack}",
            sep="\n",
            file=sys.stderr,
        )
        raise typer.Exit(ExitStatus.REFUSED)
    return loops, suspected
