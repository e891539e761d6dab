"""`loopctl resume`: bring a stopped service back."""

from typing import Annotated

import typer

from loopctl.options import Profile, Region, Stack, account, named


def register(app: typer.Typer) -> None:
    app.command()(resume)


def resume(
    name: Annotated[str, typer.Argument(metavar="CLUSTER[/SERVICE]", hidden=True)],
    service: Annotated[str, typer.Argument(metavar="[SERVICE]", hidden=True)] = "",
    *,
    stack: Stack = "Loopbreaker",
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Bring CLUSTER/SERVICE back, which Loopbreaker stopped: its saved count first, then its scaling flags."""
    cluster, service, _ = named(f"{name}/{service}" if service else name)
    with account(stack=stack, region=region, profile=profile) as asked:
        record = asked.resume(cluster, service)
    count = record.trip.desired_count if record.trip else 0
    print(f"{cluster}/{service}: asked to be brought back to {count}; a message says when it is done.")
