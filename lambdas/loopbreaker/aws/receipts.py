"""Who took which message, in the table: an item for each message, beside the service's record."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from loopbreaker.aws.codec import CodecError, decode
from loopbreaker.aws.pages import items
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.notice import NoticeKind, Receipt
from loopbreaker.stories.ports import UnreadableError

_KEEP = 400 * 86_400
_MOST_REASON = 300


class Receipts:
    """TOLD#<incident>#<number of the message>: 400 days, as long as the incident itself.

    Each place adds itself, in any order and as often as a delivery is repeated.
    """

    def __init__(self, client: Any, name: str, *, clock: Callable[[], float]) -> None:
        self._client, self._name, self._clock = client, name, clock

    def note(self, service: ServiceRef, incident: str, number: int, *, to: tuple[str, ...], said: str = "") -> None:
        """These places took the message; `said` is what `described` makes of it, given by whoever has it."""
        values: dict[str, Any] = {
            ":to": {"SS": sorted(to)},
            ":until": {"N": str(int(self._clock() + _KEEP))},
            **({":said": {"S": said}} if said else {}),
        }
        self._client.update_item(
            TableName=self._name,
            Key={"pk": {"S": service.key}, "sk": {"S": f"{_of(incident)}{number:06}"}},
            UpdateExpression=f"SET expires_at = :until{', body = :said' if said else ''} ADD #to :to",
            ExpressionAttributeNames={"#to": "to"},
            ExpressionAttributeValues=values,
        )

    def took(self, service: ServiceRef, incident: str, number: int, *, said: str = "") -> frozenset[str]:
        """The places that took the message; where `said` is given and another one had its number, none."""
        key = {"pk": {"S": service.key}, "sk": {"S": f"{_of(incident)}{number:06}"}}
        item = self._client.get_item(TableName=self._name, Key=key, ConsistentRead=True).get("Item", {})
        same = not said or item.get("body") == {"S": said}
        return frozenset(item["to"]["SS"]) if same and "to" in item else frozenset()

    def of(self, service: ServiceRef, incident: str) -> Iterator[Receipt]:
        """The messages of an incident that were taken by anybody, the first one first. Raises UnreadableError."""
        found = items(
            self._client.query,
            TableName=self._name,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :of)",
            ExpressionAttributeValues={":pk": {"S": service.key}, ":of": {"S": _of(incident)}},
        )
        # A channel may be quicker than the note of what it was sent.
        yield from (_read(item) for item in found if "body" in item)


def described(at: float, kind: NoticeKind, reason: str) -> str:
    """What is kept of a message beside who took it."""
    return json.dumps({"at": at, "kind": kind.value, "reason": reason[:_MOST_REASON]}, separators=(",", ":"))


def _read(item: dict[str, Any]) -> Receipt:
    try:
        return decode(Receipt, json.loads(item["body"]["S"]) | {"to": sorted(item["to"]["SS"])})
    except (KeyError, TypeError, ValueError, CodecError) as error:
        raise UnreadableError(f"{item['sk']['S']} of {item['pk']['S']}: {error}") from error


def _of(incident: str) -> str:
    return f"TOLD#{incident}#"
