"""`loopctl doctor`: does the installation work?"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import typer

from loopctl.options import ExitStatus, Json, Profile, Region, Stack, account

_EPILOG = """\b
Reads and changes nothing. `loopctl drill` shows that a message arrives.

\b
Exit status:
    0  nothing is wrong; a note is no fault
    1  something is wrong, or could not be looked at
    2  wrong usage
"""


def register(app: typer.Typer) -> None:
    app.command(epilog=_EPILOG)(doctor)


def doctor(stack: Stack = "Loopbreaker", region: Region = None, profile: Profile = None, as_json: Json = False) -> None:
    """Does the installation work? Rules, queues, subscriptions, alarms, permissions, version, tags of services."""
    bad = False
    with account(stack=stack, region=region, profile=profile) as asked:
        from loopctl.doctor import Health  # noqa: PLC0415

        for health, what in _findings(asked.session, stack):
            bad |= health == Health.BAD
            print(json.dumps({"health": health, "what": what}) if as_json else f"{health:4}  {what}", flush=True)
    if bad:
        raise typer.Exit(ExitStatus.REFUSED)


def _findings(session: Any, name: str) -> Iterator[tuple[str, str]]:
    """Every finding; a check that may not be made is one too."""
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    from loopctl import doctor as checks  # noqa: PLC0415
    from loopctl.faults import said  # noqa: PLC0415
    from loopctl.installation import read  # noqa: PLC0415
    from loopctl.operate import OperateError, asking  # noqa: PLC0415

    def client(service: str) -> Any:
        return session.client(service, config=Config(retries={"mode": "adaptive", "max_attempts": 10}))

    with asking(f"stack {name}"):
        stack = read(client("cloudformation"), name)
    steps: tuple[tuple[str, Callable[[], Iterator[checks.Finding]]], ...] = (
        ("version", lambda: checks.version(stack)),
        ("rules", lambda: checks.rules(stack, client("events"))),
        ("last event", lambda: checks.last_event(stack, client("cloudwatch"), now=datetime.now(UTC))),
        ("queues", lambda: checks.queues(stack, client("sqs"))),
        ("subscriptions", lambda: checks.subscriptions(stack, client("sns"))),
        ("alarms", lambda: checks.alarms(stack, client("cloudwatch"))),
        ("permissions", lambda: checks.permissions(stack, client("lambda"), client("iam"))),
        ("services", lambda: checks.services(stack, client("ecs"))),
    )
    for what, step in steps:
        try:
            for finding in step():
                yield finding.health.value, finding.what
        except (ClientError, BotoCoreError) as error:
            yield checks.Health.BAD.value, f"{what}: could not be looked at: {said(error)}"
        except OperateError as error:
            yield checks.Health.BAD.value, f"{what}: {error}"
