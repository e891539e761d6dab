"""`loopctl ack`: somebody is at it."""

import typer

from loopctl.options import Profile, Region, ServiceName, Stack, account, named


def register(app: typer.Typer) -> None:
    app.command()(ack)


def ack(name: ServiceName, stack: Stack = "Loopbreaker", region: Region = None, profile: Profile = None) -> None:
    """Say that somebody is at the loop of CLUSTER/SERVICE: no more reminders; changes of state are still told."""
    cluster, service, _ = named(name)
    with account(stack=stack, region=region, profile=profile) as asked:
        record = asked.ack(asked.service(cluster, service))
    assert record.incident is not None
    print(f"{cluster}/{service}: acknowledged; no more reminders of this loop.")
