"""`loopctl unmute`: the end of `loopctl mute`."""

import typer

from loopctl.options import Profile, Region, ServiceName, Stack, account, named


def register(app: typer.Typer) -> None:
    app.command()(unmute)


def unmute(name: ServiceName, stack: Stack = "Loopbreaker", region: Region = None, profile: Profile = None) -> None:
    """End the silence of CLUSTER/SERVICE: its tag loopbreaker:mute-until is removed."""
    cluster, service, _ = named(name)
    with account(stack=stack, region=region, profile=profile) as asked:
        asked.unmute(asked.service(cluster, service))
    print(f"{cluster}/{service}: not muted.")
