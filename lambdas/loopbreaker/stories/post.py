"""What the chat outlet does with one message: an incident is one post, edited as it changes, with its thread."""

from dataclasses import dataclass, replace
from typing import Any, Protocol

from loopbreaker.telling.parcel import Parcel

# Replies are remembered so that a repeated delivery adds none; an incident has a few changes and a reminder a day.
_REMEMBERED = 100


@dataclass(frozen=True, slots=True)
class Posted:
    """The message of an incident in one channel.

    ts: Slack's name for it. sequence: of the newest state it shows. replied: which changes its thread has.
    """

    ts: str
    sequence: int
    replied: tuple[int, ...] = ()


class Chat(Protocol):
    """A chat that can edit. Raises where it cannot be reached, wants a pause, or refuses."""

    def post(self, channel: str, body: dict[str, Any], *, thread: str = "") -> str:
        """Post a message, or a reply in the thread of one; its name."""

    def edit(self, channel: str, ts: str, body: dict[str, Any]) -> bool:
        """Replace a message; False where it is gone, or can no longer be edited."""


class Posts(Protocol):
    """What was posted, by incident and channel."""

    def posted(self, parcel: Parcel, channel: str) -> Posted | None:
        """The incident's message in the channel; None where there is none yet."""

    def remember(self, parcel: Parcel, channel: str, posted: Posted) -> None:
        """Keep it; the last one stays."""


def post(parcel: Parcel, channel: str, *, chat: Chat, memory: Posts) -> None:
    """Bring the incident's message in one channel up to date; what belongs to no incident is a message of its own.

    Repeated or disordered deliveries neither turn it back nor add a reply twice. What was done is remembered after
    each call, so that a repetition goes on where this one ended; one that ended between a call and its note repeats it.
    """
    if not parcel.incident:
        chat.post(channel, parcel.post)
        return
    known = memory.posted(parcel, channel)
    if known is None:
        _begin(parcel, channel, chat=chat, memory=memory)
        return
    if parcel.sequence > known.sequence:
        if not chat.edit(channel, known.ts, parcel.post):
            _begin(parcel, channel, chat=chat, memory=memory)
            return
        known = replace(known, sequence=parcel.sequence)
        memory.remember(parcel, channel, known)
    if parcel.sequence not in known.replied:
        chat.post(channel, {"text": parcel.reply}, thread=known.ts)
        replied = (*known.replied, parcel.sequence)[-_REMEMBERED:]
        memory.remember(parcel, channel, replace(known, replied=replied))


def _begin(parcel: Parcel, channel: str, *, chat: Chat, memory: Posts) -> None:
    ts = chat.post(channel, parcel.post)
    memory.remember(parcel, channel, Posted(ts=ts, sequence=parcel.sequence, replied=(parcel.sequence,)))
