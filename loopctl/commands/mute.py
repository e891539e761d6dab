"""`loopctl mute` and its opposite: silence by the tag that the owner of a service would set."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from loopbreaker.telling.plain import time_of
from loopctl.options import Profile, Region, ServiceName, Stack, account, duration, named

_EPILOG = """\b
Examples:
  loopctl mute prod/web 2h
  loopctl mute prod/web 2026-01-31T18:00Z

It sets the tag loopbreaker:mute-until on the service, with your permissions (ecs:TagResource). Until then nothing is
told of the service and nothing is done to it. A tool that owns the tags of the service may take it away again.
"""

# What the tag can say: years have four digits.
_LAST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
Until = Annotated[str, typer.Argument(metavar="FOR|UNTIL", hidden=True)]


def register(app: typer.Typer) -> None:
    app.command(epilog=_EPILOG)(mute)


def mute(
    name: ServiceName, until: Until, stack: Stack = "Loopbreaker", region: Region = None, profile: Profile = None
) -> None:
    """Silence CLUSTER/SERVICE for a time, such as 30m, 2h or 3d, or until a time."""
    cluster, service, _ = named(name)
    end = _end(until, time.time())
    with account(stack=stack, region=region, profile=profile) as asked:
        asked.mute(asked.service(cluster, service), until=end)
    print(f"{cluster}/{service}: muted until {time_of(end)}. `loopctl unmute {cluster}/{service}` ends it.")


def _end(text: str, now: float) -> float:
    seconds = duration(text)
    if seconds is not None:
        return min(now + seconds, _LAST)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"neither a time span such as 30m, 2h or 3d, nor a time: {text!r}") from None
    end = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if end <= now:
        raise typer.BadParameter(f"{text!r} is past")
    return end
