"""The table: one folded record per service, one item per closed incident.

SERVICE                              the record
INCIDENT#<time it was opened>        a closed incident, 400 days
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from loopbreaker.aws.codec import decode, encode
from loopbreaker.model import ServiceRef
from loopbreaker.record import Incident, Record, keep_until
from loopbreaker.stories.ports import ATTEMPTS, ConflictError

_DAY = 86_400
_KEEP_INCIDENT = 400 * _DAY
# The sparse index by time has one partition: due records are few.
_SHARD = "due"
# One item lists when services began to loop, so that a shared cause is seen.
_BEGINNINGS = {"pk": {"S": "LOOPS"}, "sk": {"S": "BEGAN"}}
_KEEP_BEGINNINGS = 6 * 3600


class Table:
    """The store that the stories use, on DynamoDB."""

    def __init__(self, client: Any, name: str, index: str = "due") -> None:
        self._client = client
        self._name = name
        self._index = index

    def load(self, service: ServiceRef) -> Record:
        answer = self._client.get_item(TableName=self._name, Key=_key(service, "SERVICE"), ConsistentRead=True)
        item = answer.get("Item")
        return from_item(item) if item else Record(service=service)

    def save(self, record: Record) -> bool:
        return self._put_unchanged(to_item(record), record.version)

    def archive(self, service: ServiceRef, incident: Incident, *, closed_at: float, reason: str) -> None:
        body = {"incident": encode(incident), "closed_at": closed_at, "reason": reason}
        item = {
            **_key(service, f"INCIDENT#{_stamp(incident.opened_at)}"),
            "body": {"S": json.dumps(body, separators=(",", ":"))},
            "expires_at": {"N": str(int(closed_at + _KEEP_INCIDENT))},
        }
        self._client.put_item(TableName=self._name, Item=item)

    def gather(self, service: ServiceRef, *, at: float, window: float) -> tuple[ServiceRef, ...]:
        for _ in range(ATTEMPTS):
            version, times = self._beginnings()
            times = {key: began for key, began in times.items() if began > at - _KEEP_BEGINNINGS}
            # A repetition keeps the first time.
            if not at - window <= times.get(service.key, 0.0) <= at:
                times[service.key] = at
                item = {**_BEGINNINGS, "times": {"S": json.dumps(times, separators=(",", ":"))}}
                if not self._put_unchanged(item, version):
                    continue
            return _within(times, at, window)
        raise ConflictError(f"{service.key}: lost {ATTEMPTS} races for the list of loops that began")

    def began(self, *, at: float, window: float) -> tuple[ServiceRef, ...]:
        return _within(self._beginnings()[1], at, window)

    def due(self, *, now: float, limit: int) -> list[ServiceRef]:
        """Services whose records want attention by now, the longest overdue first; an eventually consistent read."""
        answer = self._client.query(
            TableName=self._name,
            IndexName=self._index,
            KeyConditionExpression="due_shard = :shard AND due_at <= :now",
            ExpressionAttributeValues={":shard": {"S": _SHARD}, ":now": {"N": _number(now)}},
            Limit=limit,
        )
        return [service_of(item) for item in answer["Items"]]

    def _put_unchanged(self, item: dict[str, Any], loaded: int) -> bool:
        """Put an item with the next version, if the stored one is still the one that was loaded."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if loaded:
            condition = {
                "ConditionExpression": "#version = :loaded",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": {":loaded": {"N": str(loaded)}},
            }
        item = {**item, "version": {"N": str(loaded + 1)}}
        try:
            self._client.put_item(TableName=self._name, Item=item, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _beginnings(self) -> tuple[int, dict[str, float]]:
        answer = self._client.get_item(TableName=self._name, Key=_BEGINNINGS, ConsistentRead=True)
        item = answer.get("Item")
        return (int(item["version"]["N"]), json.loads(item["times"]["S"])) if item else (0, {})


def to_item(record: Record) -> dict[str, Any]:
    """The record as a DynamoDB item. What filters, indexes and people look at stands beside the body."""
    body = encode(replace(record, version=0, notices=()))
    item: dict[str, Any] = {
        **_key(record.service, "SERVICE"),
        "version": {"N": str(record.version)},
        "verdict": {"S": record.verdict.value},
        "breaker": {"S": record.breaker.value},
        "body": {"S": json.dumps(body, separators=(",", ":"))},
        "expires_at": {"N": str(int(keep_until(record)))},
    }
    if record.notices:
        item["notices"] = {"L": [{"S": json.dumps(encode(n), separators=(",", ":"))} for n in record.notices]}
        # A scalar, because filters of an event source mapping see only those.
        item["notice_number"] = {"N": str(record.notices[-1].number)}
    if record.asked_at is not None:
        item["asked_at"] = {"N": _number(record.asked_at)}
    if record.due_at is not None:
        item["due_shard"] = {"S": _SHARD}
        item["due_at"] = {"N": _number(record.due_at)}
    return item


def from_item(item: dict[str, Any]) -> Record:
    """The record in a DynamoDB item, also one that a stream brings. Raises CodecError where it cannot be read."""
    body = json.loads(item["body"]["S"])
    body["version"] = int(item["version"]["N"])
    body["notices"] = [json.loads(notice["S"]) for notice in item.get("notices", {}).get("L", [])]
    return decode(Record, body)


def _key(service: ServiceRef, sort_key: str) -> dict[str, Any]:
    return {"pk": {"S": service.key}, "sk": {"S": sort_key}}


def service_of(item: dict[str, Any]) -> ServiceRef:
    """The service that an item is about, by its key."""
    cluster_arn, _, name = item["pk"]["S"].partition("#")
    return ServiceRef(cluster_arn=cluster_arn, name=name)


def _stamp(at: float) -> str:
    """A time that sorts as text."""
    return datetime.fromtimestamp(at, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _within(times: dict[str, float], at: float, window: float) -> tuple[ServiceRef, ...]:
    return tuple(service_of({"pk": {"S": key}}) for key, began in times.items() if abs(began - at) <= window)


def _number(at: float) -> str:
    return f"{at:.3f}"
