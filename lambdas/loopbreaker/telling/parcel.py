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

    incident: its name within the service; empty where there is none. sequence: grows with each message of the service;
    0 is no state of the service, only a reply.
    channel: where the service's owner wants to read it beside the default; empty where nothing is wanted.
    post: what the message of the incident shows from now on. reply: the line about this change.
    transition, title, text: of the message, in words; empty in what was on its way before they were sent.
    """

    service: ServiceRef
    incident: str
    sequence: int
    channel: str
    post: dict[str, Any]
    reply: str
    transition: str = ""
    title: str = ""
    text: str = ""


def pack(message: Message) -> str:
    """The parcel of a message, as JSON."""
    return packed(
        Parcel(
            service=message.service,
            incident=message.incident,
            sequence=message.sequence,
            channel=message.channel,
            post=message.post,
            reply=message.reply,
            transition=message.notice.kind.value,
            title=message.subject,
            text=message.text,
        )
    )


def packed(parcel: Parcel) -> str:
    """A parcel as JSON."""
    return json.dumps(
        {
            "cluster": parcel.service.cluster_arn,
            "service": parcel.service.name,
            "incident": parcel.incident,
            "sequence": parcel.sequence,
            "channel": parcel.channel,
            "post": parcel.post,
            "reply": parcel.reply,
            "transition": parcel.transition,
            "title": parcel.title,
            "text": parcel.text,
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
    if not isinstance(data, dict):
        raise ParcelError("not an object")
    data = {"transition": "", "title": "", "text": ""} | data
    wrong = [name for name, kind in _KINDS.items() if type(data.get(name)) is not kind]
    if wrong:
        raise ParcelError(f"missing or of another type: {', '.join(wrong)}")
    rest: dict[str, Any] = {name: data[name] for name in _KINDS if name not in ("cluster", "service")}
    return Parcel(service=ServiceRef(data["cluster"], data["service"]), **rest)


_KINDS = {
    "cluster": str,
    "service": str,
    "incident": str,
    "sequence": int,
    "channel": str,
    "post": dict,
    "reply": str,
    "transition": str,
    "title": str,
    "text": str,
}
