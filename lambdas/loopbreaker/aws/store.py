"""The table: one folded record per service, one item per closed incident, one per loop that began.

pk = cluster ARN # service name   sk = SERVICE                          the record
the same                          sk = INCIDENT#<time it was found>     a closed incident, 400 days
pk = LOOPS                        sk = <time>#<service>                 a service that began to loop, 2 days
pk = LOOPS                        sk = SUMMARY#<service>                its loop goes on, and a summary stands for it
pk = LOOPS                        sk = TOLD                             of how many at once people were told
"""

from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from loopbreaker.aws.codec import CodecError, decode, encode, pack, unpack
from loopbreaker.aws.pages import items
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.record import Record, keep_until
from loopbreaker.remembering.trip import Step
from loopbreaker.stories.ports import MOST_BEGINNINGS, UnreadableError

_DAY = 86_400
_KEEP_INCIDENT = 400 * _DAY
# The sparse index by time has one partition: due records are few.
_SHARD = "due"
# Loops that began: a shared cause shows in the newest few, so no more of them are read.
_LOOPS = "LOOPS"
_KEEP_BEGINNING = 48 * 3600
_KEEP_SUMMARY = 30 * _DAY
_MOST_COUNTED = 25_000
_SUMMARY = "SUMMARY#"
_TOLD = {"pk": {"S": _LOOPS}, "sk": {"S": "TOLD"}}
# `asked_at` invokes `respond`: it stands in the item that asks, and not in each that follows before it is answered.
# Clocks of two functions may differ by so many seconds.
_CLOCKS = 5.0


@dataclass(frozen=True, slots=True)
class ClosedIncident:
    """An incident that is over, since when, and why."""

    incident: Incident
    closed_at: float
    reason: str


class Table:
    """The store that the stories use, on DynamoDB."""

    def __init__(self, client: Any, name: str, index: str = "due") -> None:
        self._client = client
        self._name = name
        self._index = index

    def load(self, service: ServiceRef) -> Record:
        answer = self._client.get_item(TableName=self._name, Key=_key(service, "SERVICE"), ConsistentRead=True)
        item = answer.get("Item")
        if not item:
            return Record(service=service)
        try:
            return from_item(item)
        except CodecError as error:
            raise UnreadableError(f"the record of {service.key}: {error}") from error

    def save(self, record: Record) -> bool:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if record.version:
            condition = {
                "ConditionExpression": "#version = :loaded",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": {":loaded": {"N": str(record.version)}},
            }
        return self._taken(self._client.put_item, Item=to_item(record), **condition)

    def archive(self, service: ServiceRef, incident: Incident, *, closed_at: float, reason: str) -> None:
        closed = ClosedIncident(incident=incident, closed_at=closed_at, reason=reason)
        item = {
            # One that was taken up again keeps the id of the first, and each has its own failures and messages.
            **_key(service, f"INCIDENT#{_stamp(incident.found_at)}"),
            "body": {"B": pack(encode(closed))},
            "expires_at": {"N": str(int(closed_at + _KEEP_INCIDENT))},
        }
        self._client.put_item(TableName=self._name, Item=item)

    def incidents(self, service: ServiceRef) -> Iterator[ClosedIncident]:
        """The closed incidents of a service, the newest first. Raises UnreadableError."""
        yield from map(closed_in, self._query(service.key, "INCIDENT#", "INCIDENT#~"))

    def gather(self, service: ServiceRef, *, at: float, window: float) -> tuple[ServiceRef, ...]:
        key = {"pk": {"S": _LOOPS}, "sk": {"S": f"{_stamp(at)}#{service.key}"}}
        expires_at = {"N": str(int(at + _KEEP_BEGINNING))}
        self._client.put_item(TableName=self._name, Item={**key, "expires_at": expires_at})
        return self.began(at=at, window=window)

    def began(self, *, at: float, window: float) -> tuple[ServiceRef, ...]:
        return self._beginnings(at, window, most=MOST_BEGINNINGS)

    def number_began(self, *, at: float, window: float) -> int:
        return len(self._beginnings(at, window, most=_MOST_COUNTED))

    def _beginnings(self, at: float, window: float, *, most: int) -> tuple[ServiceRef, ...]:
        found = self._query(_LOOPS, _stamp(max(0.0, at - window)), f"{_stamp(at + window)}~", most=most)
        # Who gathered twice, because it could not save in between, is one.
        return tuple(dict.fromkeys(_service(item["sk"]["S"].partition("#")[2]) for item in found))

    def announce(self, service: ServiceRef, number: int, *, at: float, window: float) -> bool:
        told = self._client.get_item(TableName=self._name, Key=_TOLD, ConsistentRead=True).get("Item", {})
        if told and int(told["number"]["N"]) >= number and float(told["at"]["N"]) > at - window:
            # Who could not save what it was to tell comes again.
            return bool(told["by"]["S"] == service.key and told["number"]["N"] == str(number))
        return self._taken(
            self._client.put_item,
            Item=_told(number, service, at),
            ConditionExpression="attribute_not_exists(pk) OR #number < :number OR #at <= :old",
            ExpressionAttributeNames={"#number": "number", "#at": "at"},
            ExpressionAttributeValues={":number": {"N": str(number)}, ":old": {"N": _number(at - window)}},
        )

    def enter_summary(self, service: ServiceRef, *, at: float) -> None:
        expires_at = {"N": str(int(at + _KEEP_SUMMARY))}
        self._client.put_item(TableName=self._name, Item={**_of_summary(service), "expires_at": expires_at})

    def leave_summary(self, service: ServiceRef) -> None:
        self._client.delete_item(TableName=self._name, Key=_of_summary(service))

    def in_summary(self, *, most: int) -> tuple[ServiceRef, ...]:
        found = self._query(_LOOPS, _SUMMARY, f"{_SUMMARY}~", most=most)
        return tuple(_service(item["sk"]["S"].removeprefix(_SUMMARY)) for item in found)

    def announce_end(self, service: ServiceRef, *, at: float) -> bool:
        told = self._client.get_item(TableName=self._name, Key=_TOLD, ConsistentRead=True).get("Item")
        if told is None or told["number"]["N"] == "0":
            return told is not None and bool(told["by"]["S"] == service.key)
        return self._taken(
            self._client.put_item,
            Item=_told(0, service, at),
            ConditionExpression="#number = :number",
            ExpressionAttributeNames={"#number": "number"},
            ExpressionAttributeValues={":number": told["number"]},
        )

    def due(self, *, now: float, limit: int) -> list[ServiceRef]:
        """Services whose records want attention by now, the longest overdue first; an eventually consistent read."""
        found = items(
            self._client.query,
            TableName=self._name,
            IndexName=self._index,
            KeyConditionExpression="due_shard = :shard AND due_at <= :now",
            ExpressionAttributeValues={":shard": {"S": _SHARD}, ":now": {"N": _number(now)}},
            Limit=limit,
        )
        return [service_of(item) for item in islice(found, limit)]

    def all_records(self) -> Iterator[Record]:
        """Every record that can be read; an eventually consistent read of the whole table, for once a day."""
        for item in items(self._client.scan, TableName=self._name):
            if item["sk"]["S"] == "SERVICE":
                with suppress(CodecError):  # who loads it says so
                    yield from_item(item)

    def _query(self, pk: str, first: str, last: str, *, most: int | None = None) -> Iterator[dict[str, Any]]:
        """Items of one partition between two sort keys, the newest first."""
        found = items(
            self._client.query,
            TableName=self._name,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={":pk": {"S": pk}, ":first": {"S": first}, ":last": {"S": last}},
            ScanIndexForward=False,
            ConsistentRead=True,
            **({"Limit": most} if most else {}),
        )
        return islice(found, most)

    def _taken(self, write: Any, **parameters: Any) -> bool:
        """Whether the condition of a write held."""
        try:
            write(TableName=self._name, **parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True


def to_item(record: Record) -> dict[str, Any]:
    """The item that saving the record writes, one version later. What filters and the index look at is no part of
    the body; messages that are new in it, and a wish that `respond` looks, each invoke a function once.
    """
    version = record.version + 1
    body = encode(record)
    body.pop("version", None)
    del body["service"]
    item: dict[str, Any] = {
        **_key(record.service, "SERVICE"),
        "version": {"N": str(version)},
        "verdict": {"S": record.verdict.value},
        "breaker": {"S": record.breaker.value},
        "body": {"B": pack(body)},
        "expires_at": {"N": str(int(keep_until(record)))},
    }
    if any(notice.version == version for notice in record.notices):
        # A scalar, because filters of an event source mapping see only those.
        item["notice_number"] = {"N": str(record.notices[-1].number)}
    if record.asked_at is not None and record.asked_at >= record.touched_at - _CLOCKS:
        item["asked_at"] = {"N": _number(record.asked_at)}
    if record.due_at is not None:
        item["due_shard"] = {"S": _SHARD}
        item["due_at"] = {"N": _number(record.due_at)}
    return item


def from_item(item: dict[str, Any]) -> Record:
    """The record in a DynamoDB item, also one that a stream brings. Raises CodecError where it cannot be read."""
    body = _body(item)
    service = service_of(item)
    body["service"] = {"cluster_arn": service.cluster_arn, "name": service.name}
    try:
        # They once stood beside the body.
        if "notices" in item:
            body["notices"] = [unpack(notice["S"]) for notice in item["notices"]["L"]]
        body["version"] = int(item["version"]["N"])
    except (KeyError, TypeError) as wrong:
        raise CodecError(f"version or notices: absent, or not of their types: {wrong}") from wrong
    record = decode(Record, body)
    if record.trip and record.trip.step is Step.HELD:
        # Who held a service before that was written down set it to 0 all the same: nobody else would bring it back.
        return replace(record, trip=replace(record.trip, zeroed=True))
    return record


def closed_in(item: dict[str, Any]) -> ClosedIncident:
    """The closed incident in an item. Raises UnreadableError."""
    try:
        return decode(ClosedIncident, _body(item))
    except CodecError as error:
        raise UnreadableError(f"{item['sk']['S']} of {item['pk']['S']}: {error}") from error


def _body(item: dict[str, Any]) -> dict[str, Any]:
    """What the body holds: packed bytes, in a stream's event as text in base 64; or JSON text, as it once was."""
    match item.get("body"):
        case {"B": bytes(packed)}:
            body = unpack(packed)
        case {"B": str(text)}:
            body = unpack(b64decode(text))
        case {"S": str(text)}:
            body = unpack(text)
        case other:
            raise CodecError(f"body: neither bytes nor text: {other!r}")
    if not isinstance(body, dict):
        raise CodecError(f"body: not an object: {body!r}")
    return body


def _told(number: int, service: ServiceRef, at: float) -> dict[str, Any]:
    """Of how many people were told, by whose record; of 0 once they were told that it is over."""
    return {
        **_TOLD,
        "number": {"N": str(number)},
        "at": {"N": _number(at)},
        "by": {"S": service.key},
        "expires_at": {"N": str(int(at + _KEEP_SUMMARY))},
    }


def _of_summary(service: ServiceRef) -> dict[str, Any]:
    return {"pk": {"S": _LOOPS}, "sk": {"S": f"{_SUMMARY}{service.key}"}}


def _key(service: ServiceRef, sort_key: str) -> dict[str, Any]:
    return {"pk": {"S": service.key}, "sk": {"S": sort_key}}


def service_of(item: dict[str, Any]) -> ServiceRef:
    """The service that an item is about, by its key."""
    return _service(item["pk"]["S"])


def _service(key: str) -> ServiceRef:
    cluster_arn, _, name = key.partition("#")
    return ServiceRef(cluster_arn=cluster_arn, name=name)


def _stamp(at: float) -> str:
    """A time that sorts as text."""
    return datetime.fromtimestamp(at, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _number(at: float) -> str:
    return f"{at:.3f}"
