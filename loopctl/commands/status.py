"""`loopctl status`: what loops now."""

import typer

from loopctl import report
from loopctl.options import Json, Profile, Region, Stack, account
from loopctl.session import Screen


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(stack: Stack = "Loopbreaker", region: Region = None, profile: Profile = None, as_json: Json = False) -> None:
    """The services that loop, and those that Loopbreaker holds at 0."""
    with account(stack=stack, region=region, profile=profile) as asked:
        records = asked.remembered()
    if as_json:
        for record in records:
            print(report.record_json(record))
    elif records:
        Screen().print(report.records_table(records))
    else:
        print("No service loops.")
