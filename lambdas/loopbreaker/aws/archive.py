"""Closed incidents of all services, for those who look back. No function needs this."""

from collections.abc import Iterator
from typing import Any

from loopbreaker.aws.pages import items
from loopbreaker.aws.store import ClosedIncident, closed_in, service_of
from loopbreaker.model import ServiceRef


def everywhere(client: Any, table: str) -> Iterator[tuple[ServiceRef, ClosedIncident]]:
    """Every closed incident, in no order. Reads the whole table: for people, now and then. Raises UnreadableError."""
    found = items(
        client.scan,
        TableName=table,
        FilterExpression="begins_with(sk, :prefix)",
        ExpressionAttributeValues={":prefix": {"S": "INCIDENT#"}},
    )
    for item in found:
        yield service_of(item), closed_in(item)
