"""What waits in the queue of a chat channel: one message for one incident. Pure."""

import json
from dataclasses import dataclass
from typing import Any

from loopbreaker.model import ServiceRef
from loopbreaker.telling.messages import Message


class ParcelError(ValueError):
    """A message in the queue is not a parcel; says what is wrong with it, and nothing that it holds."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message on its way to a channel.

    incident: its name within the service; empty where there is none. sequence: grows with each message of the service.
    channel: where the service's owner wants to read it beside the default; empty where nothing is wanted.
    post: what the message of the incident shows from now on. reply: the line about this change.
    """

    service: ServiceRef
    incident: str
    sequence: int
    channel: str
    post: dict[str, Any]
    reply: str


def pack(message: Message) -> str:
    """The parcel of a message, as JSON."""
    return json.dumps(
        {
            "cluster": message.service.cluster_arn,
            "service": message.service.name,
            "incident": message.incident,
            "sequence": message.sequence,
            "channel": message.channel,
            "post": message.post,
            "reply": message.reply,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def unpack(text: str) -> Parcel:
    """The parcel in a queue's message. Raises ParcelError."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ParcelError("not JSON") from error
    kinds = {
        "cluster": str,
        "service": str,
        "incident": str,
        "sequence": int,
        "channel": str,
        "post": dict,
        "reply": str,
    }
    if not isinstance(data, dict):
        raise ParcelError("not an object")
    wrong = [name for name, kind in kinds.items() if type(data.get(name)) is not kind]
    if wrong:
        raise ParcelError(f"missing or of another type: {', '.join(wrong)}")
    return Parcel(
        service=ServiceRef(data["cluster"], data["service"]),
        incident=data["incident"],
        sequence=data["sequence"],
        channel=data["channel"],
        post=data["post"],
        reply=data["reply"],
    )
