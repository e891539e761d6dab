"""Closed incidents of all services, for those who look back. No function needs this."""

from collections.abc import Iterator
from typing import Any

from loopbreaker.aws.store import ClosedIncident, closed_in, service_of
from loopbreaker.model import ServiceRef


def everywhere(client: Any, table: str) -> Iterator[tuple[ServiceRef, ClosedIncident]]:
    """Every closed incident, in no order. Reads the whole table: for people, now and then. Raises UnreadableError."""
    start: dict[str, Any] = {}
    while True:
        page = client.scan(
            TableName=table,
            FilterExpression="begins_with(sk, :prefix)",
            ExpressionAttributeValues={":prefix": {"S": "INCIDENT#"}},
            **start,
        )
        for item in page["Items"]:
            yield service_of(item), closed_in(item)
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
