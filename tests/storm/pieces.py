"""Storms that several tests live through, and what goes wrong in them."""

from collections.abc import Callable
from random import Random
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

from benchmarks.cost.events import CLUSTER
from benchmarks.cost.installation import Installation, Killed
from benchmarks.cost.workloads import BEGIN
from benchmarks.storm.storms import Tally, loop, weather

AWAY = EndpointConnectionError(endpoint_url="https://dynamodb.us-east-1.amazonaws.com")
REFUSED = ClientError({"Error": {"Code": "InternalError", "Message": ""}}, "Publish")


def one_loop(*, hours: float, meanwhile: Callable[[Installation], None]) -> Tally:
    """One service that fails each minute, for so long."""
    events = loop("web", begin=BEGIN, failures=int(hours * 60), every=60, random=Random(9))
    return weather(events, until=BEGIN + hours * 3600, meanwhile=meanwhile)


def down_between(begin: float, end: float, *, what: str) -> Callable[[Installation], None]:
    """Something is away for that time."""

    def weather_now(ours: Installation) -> None:
        down = begin <= ours.now < end

        def away(_call: str, _key: str) -> None:
            if begin <= ours.now < end:
                raise AWAY

        if what == "table":
            ours.table.fault = away
        elif what == "topic":
            ours.outbox.down = REFUSED if down else None
        else:
            ours.ecs.down = "DescribeServices: ServiceUnavailable" if down else ""

    return weather_now


def kill_at(ours: Installation, function: str, at: int, *, after: bool) -> None:
    """The function dies at its call of that number, before it is made or after."""
    seen, running = 0, ""
    invoke = ours._invoke

    def invoked(name: str, event: Any) -> Any:
        nonlocal running
        running = name
        return invoke(name, event)

    def call(*_what: str) -> None:
        nonlocal seen
        if running != function:
            return
        seen += 1
        if seen == at:
            raise Killed

    ours._invoke = invoked  # type: ignore[assignment,method-assign]
    if after:
        ours.table.after = call
    else:
        ours.table.fault = ours.table.fault if not function else call
        ours.outbox.before = call


def unreadable(service: str) -> dict[str, Any]:
    """A record that says what this version does not know."""
    return {
        "pk": {"S": f"{CLUSTER}#{service}"},
        "sk": {"S": "SERVICE"},
        "version": {"N": "3"},
        "body": {"S": '{"verdict": "puzzled"}'},
        "due_shard": {"S": "due"},
        "due_at": {"N": "1.000"},
    }
