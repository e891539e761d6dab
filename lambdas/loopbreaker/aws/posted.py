"""What was posted to chat, in the table: an item of its own beside the service's record."""

import json
from collections.abc import Callable
from typing import Any

from loopbreaker.aws.codec import CodecError, decode, encode
from loopbreaker.stories.post import Posted
from loopbreaker.telling.parcel import Parcel

_KEEP = 90 * 86_400


class PostedTable:
    """POSTED#<incident>#<channel>: the message of an incident in a channel, for 90 days."""

    def __init__(self, client: Any, name: str, *, clock: Callable[[], float]) -> None:
        self._client, self._name, self._clock = client, name, clock

    def posted(self, parcel: Parcel, channel: str) -> Posted | None:
        answer = self._client.get_item(TableName=self._name, Key=_key(parcel, channel), ConsistentRead=True)
        item = answer.get("Item")
        if item is None:
            return None
        try:
            return decode(Posted, json.loads(item["body"]["S"]))
        except (KeyError, ValueError, CodecError):
            # Not to be read: a new message is better than none.
            return None

    def remember(self, parcel: Parcel, channel: str, posted: Posted) -> None:
        item = {
            **_key(parcel, channel),
            "body": {"S": json.dumps(encode(posted), separators=(",", ":"))},
            "expires_at": {"N": str(int(self._clock() + _KEEP))},
        }
        self._client.put_item(TableName=self._name, Item=item)


def _key(parcel: Parcel, channel: str) -> dict[str, Any]:
    return {"pk": {"S": parcel.service.key}, "sk": {"S": f"POSTED#{parcel.incident}#{channel}"}}
