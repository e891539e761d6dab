"""What is kept beside a service's record: what was found out about an incident, and its messages in chat."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from loopbreaker.aws.findings import Findings
from loopbreaker.aws.posted import PostedTable
from loopbreaker.aws.receipts import Receipts
from loopbreaker.aws.store import ClosedIncident
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.record import Record
from loopbreaker.stories.ports import UnreadableError
from loopbreaker.stories.post import Posted
from loopbreaker.telling.diagnosis import NOTHING, Diagnosis
from loopbreaker.telling.parcel import Parcel
from tests.aws.fake_clients import FakeClient, refusal
from tests.builders import SERVICE, T0, incident, looping

DAY = 86_400


class Items:
    """The items of one table, by their keys; reads have to be consistent."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.client = FakeClient("dynamodb", get_item=self._get, put_item=self._put)

    def _get(self, **asked: Any) -> dict[str, Any]:
        assert (asked["TableName"], asked.get("ConsistentRead")) == ("loops", True)
        item = self.items.get((asked["Key"]["pk"]["S"], asked["Key"]["sk"]["S"]))
        return {"Item": item} if item else {}

    def _put(self, **asked: Any) -> dict[str, Any]:
        assert asked["TableName"] == "loops"
        self.items[asked["Item"]["pk"]["S"], asked["Item"]["sk"]["S"]] = asked["Item"]
        return {}


# -- messages in chat ---------------------------------------------------------------------------------------


def test_a_message_in_chat_is_known_again_by_incident_and_channel() -> None:
    """For 90 days; the last that is remembered stays."""
    table = Items()
    posts = PostedTable(table.client, "loops", clock=lambda: T0)
    parcel = Parcel(SERVICE, "17", 1, "", {}, "")
    assert posts.posted(parcel, "C1") is None
    for posted in (Posted("ts1", 1, (1,)), Posted("ts1", 2, (1, 2))):
        posts.remember(parcel, "C1", posted)
        assert posts.posted(parcel, "C1") == posted
    assert posts.posted(parcel, "C2") is None
    assert posts.posted(replace(parcel, incident="18"), "C1") is None
    [(key, item)] = table.items.items()
    assert key == (SERVICE.key, "POSTED#17#C1")
    assert item["expires_at"] == {"N": str(int(T0) + 90 * DAY)}


@pytest.mark.parametrize("item", [{}, {"body": {"S": "?"}}, {"body": {"S": '{"ts": 1}'}}, {"body": {"S": "[]"}}])
def test_a_message_that_cannot_be_read_is_posted_anew(item: dict[str, Any]) -> None:
    """Better a second one than none."""
    table = Items()
    table.items[SERVICE.key, "POSTED#17#C1"] = {"pk": {"S": "x"}} | item
    posts = PostedTable(table.client, "loops", clock=lambda: T0)
    assert posts.posted(Parcel(SERVICE, "17", 1, "", {}, ""), "C1") is None


def test_who_took_a_message_is_read_as_it_is_now() -> None:
    """A repetition that comes at once must not find what was before the note."""
    assert Receipts(Items().client, "loops", clock=lambda: T0).took(SERVICE, "17", 1) == frozenset()


# -- what was found out -------------------------------------------------------------------------------------

FOUND = Diagnosis(left_out=("the log could not be read",))


class Records:
    """Services that began at about one time, their records, and the closed incidents of each, the newest first."""

    def __init__(self, *names: str, closed: tuple[Incident, ...] = (), fault: Exception | None = None) -> None:
        self.services = tuple(ServiceRef(SERVICE.cluster_arn, name) for name in names)
        self.closed, self.fault = closed, fault

    def load(self, service: ServiceRef) -> Record:
        if service.name == "unreadable":
            raise UnreadableError(service.name)
        if service.name == "broken":
            raise refusal("ThrottlingException", "GetItem")
        return looping(service=service)

    def began(self, *, at: float, window: float) -> tuple[ServiceRef, ...]:
        assert (at, window) == (T0, 300.0)
        return self.services

    def incidents(self, service: ServiceRef) -> Iterator[ClosedIncident]:
        assert service == SERVICE
        for number, one in enumerate(self.closed):
            yield ClosedIncident(one, T0 + number, "it is over")
        if self.fault:
            raise self.fault


def findings(records: Records | None = None, *, table: Items | None = None, left: int = 1000) -> Findings:
    """`left`: how often there is still time."""
    times = iter([False] * left)
    client = (table or Items()).client
    return Findings(client, "loops", records or Records(), hurry=lambda: next(times, True))


def test_what_was_found_out_is_kept_by_incident() -> None:
    """For 90 days after the loop was found."""
    table, loop = Items(), incident(opened_at=T0, openings=(T0, T0 + 500))
    assert findings(table=table).find(SERVICE, loop) == NOTHING
    findings(table=table).keep(SERVICE, loop, FOUND)
    assert findings(table=table).find(SERVICE, loop) == FOUND
    assert findings(table=table).find(SERVICE, replace(loop, opened_at=T0 + 1)) == NOTHING
    [(key, item)] = table.items.items()
    assert key == (SERVICE.key, f"DIAGNOSIS#{T0:.0f}")
    assert item["expires_at"] == {"N": str(int(T0) + 500 + 90 * DAY)}


def test_where_there_is_no_time_the_message_goes_without() -> None:
    """And says so; nothing is asked."""
    table = Items()
    assert findings(table=table, left=0).find(SERVICE, incident()).left_out == (
        "the diagnosis could not be read: no time was left",
    )
    assert table.client.calls == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (refusal("ThrottlingException", "GetItem"), "GetItem: ThrottlingException"),
        ({"Item": {"body": {"B": b"?"}}}, "CodecError"),
        ({"Item": {}}, "KeyError"),
    ],
)
def test_a_diagnosis_that_cannot_be_read_is_said(answer: Any, why: str) -> None:
    """The message goes all the same."""
    client = FakeClient("dynamodb", get_item=answer)
    if why == "KeyError":
        answer["Item"]["pk"] = {"S": "x"}
    found = Findings(client, "loops", Records()).find(SERVICE, incident())
    assert found.left_out == (f"the diagnosis could not be read: {why}",)


@pytest.mark.parametrize(
    ("names", "left", "found"),
    [
        (("a", "b", "c", "d"), 9, ["a", "b", "c"]),
        (("a", "unreadable", "b"), 9, ["a", "b"]),
        (("a", "broken", "b"), 9, ["a"]),
        (("a", "b", "c"), 2, ["a", "b"]),
    ],
)
def test_the_others_that_began_at_once(names: tuple[str, ...], left: int, found: list[str]) -> None:
    """As many as are wanted, without those that cannot be read, and as far as there is time."""
    records = findings(Records(*names), left=left).at_once(at=T0, window=300.0, most=3)
    assert [record.service.name for record in records] == found


def test_how_it_was_before_it_came_again() -> None:
    """The same incident, the oldest first; neither another one nor what is written while it closes now."""
    times = [
        incident(opened_at=T0, openings=(T0,)),
        incident(opened_at=T0, openings=(T0, T0 + 500)),
        incident(opened_at=T0, openings=(T0, T0 + 500, T0 + 900)),
    ]
    another = incident(opened_at=T0 - 9000)
    newest_first = (*reversed(times), another, times[0])
    assert findings(Records(closed=newest_first)).earlier(SERVICE, times[2]) == (times[0], times[1])
    for fault in (refusal("ThrottlingException", "Query"), UnreadableError("not ours")):
        known = Records(closed=newest_first[:2], fault=fault)
        assert findings(known).earlier(SERVICE, times[2]) == (times[1],)
