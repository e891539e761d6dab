"""One message of an incident in one channel, call by call: what is posted, edited and remembered after each."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from loopbreaker.stories.post import Posted, post
from loopbreaker.telling.parcel import Parcel
from tests.builders import SERVICE

CHANNEL = "C0123456789"


@dataclass
class Channel:
    """A chat and a table, and what was done in order. `dies_at`: the call that is never answered."""

    done: list[str] = field(default_factory=list)
    known: dict[str, Posted] = field(default_factory=dict)
    gone: bool = False
    dies_at: str = ""

    def post(self, _channel: str, body: dict[str, Any], *, thread: str = "") -> str:
        self._do(f"reply {body['text']} to {thread}" if thread else f"post {body['text']}")
        return f"ts{len(self.done)}"

    def edit(self, _channel: str, ts: str, body: dict[str, Any]) -> bool:
        self._do(f"edit {ts} to {body['text']}")
        return not self.gone

    def posted(self, parcel: Parcel, _channel: str) -> Posted | None:
        return self.known.get(parcel.incident)

    def remember(self, parcel: Parcel, _channel: str, posted: Posted) -> None:
        self.known[parcel.incident] = posted

    def _do(self, what: str) -> None:
        if what == self.dies_at:
            raise TimeoutError
        self.done.append(what)


def deliver(channel: Channel, *numbers: int, incident: str = "1") -> list[str]:
    """What is done for these changes."""
    before = len(channel.done)
    for number in numbers:
        parcel = Parcel(SERVICE, incident, number, CHANNEL, {"text": f"state {number}"}, f"change {number}")
        post(parcel, CHANNEL, chat=channel, memory=channel)
    return channel.done[before:]


def test_the_first_change_is_the_message_and_each_later_one_edits_it_and_is_its_reply() -> None:
    """The same again does nothing."""
    channel = Channel()
    assert deliver(channel, 1) == ["post state 1"]
    assert deliver(channel, 2) == ["edit ts1 to state 2", "reply change 2 to ts1"]
    assert deliver(channel, 1, 2, 2) == []


def test_what_comes_late_is_a_reply_and_edits_nothing() -> None:
    """The message shows the newest state."""
    channel = Channel()
    assert deliver(channel, 1, 3, 2) == [
        "post state 1",
        "edit ts1 to state 3",
        "reply change 3 to ts1",
        "reply change 2 to ts1",
    ]
    assert deliver(channel, 2, 3) == []


def test_who_dies_before_the_reply_has_edited_already() -> None:
    """The repetition replies, and what is older does not turn it back."""
    channel = Channel(dies_at="reply change 3 to ts1")
    with pytest.raises(TimeoutError):
        deliver(channel, 1, 3)
    channel.dies_at = ""
    assert deliver(channel, 3, 2) == ["reply change 3 to ts1", "reply change 2 to ts1"]


def test_where_the_message_is_gone_the_change_is_a_new_one() -> None:
    """With its own thread."""
    channel = Channel(gone=True)
    assert deliver(channel, 1, 2) == ["post state 1", "edit ts1 to state 2", "post state 2"]
    channel.gone = False
    assert deliver(channel, 2, 3) == ["edit ts3 to state 3", "reply change 3 to ts3"]


def test_what_belongs_to_no_incident_is_a_message_each() -> None:
    """And nothing is remembered of it."""
    channel = Channel()
    assert deliver(channel, 1, 1, incident="") == ["post state 1"] * 2
    assert channel.known == {}


def test_a_hundred_replies_are_remembered() -> None:
    """The newest; an incident has a few changes and a reminder a day."""
    channel = Channel()
    deliver(channel, *range(1, 151))
    assert channel.known["1"].replied == tuple(range(51, 151))
