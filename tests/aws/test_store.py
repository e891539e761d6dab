"""The table, on moto's DynamoDB."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from loopbreaker.aws.archive import everywhere
from loopbreaker.aws.codec import encode
from loopbreaker.aws.store import ClosedIncident, Table, from_item, service_of
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record
from loopbreaker.stories.ports import UnreadableError
from tests.aws.fake_clients import FakeClient, refusal
from tests.schema import create_table
from tests.store_contract import OTHERS, WEB, StoreContract, looping
from tests.task_events import CREATED

NAME = "loopbreaker"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """One for all tests of this file: to make one takes longer than most of them."""
    with mock_aws():
        yield boto3.client("dynamodb")


@pytest.fixture
def dynamodb(client: Any) -> Iterator[Any]:
    """A client, and an empty table with the keys and the index that the stack gives it."""
    create_table(client, NAME)
    yield client
    client.delete_table(TableName=NAME)


@pytest.fixture
def table(dynamodb: Any) -> Table:
    return Table(dynamodb, NAME)


class TestTable(StoreContract):
    """The table keeps the contract of a store."""

    @pytest.fixture
    def store(self, table: Table) -> Table:
        return table


def items(dynamodb: Any) -> dict[str, dict[str, Any]]:
    """Every item of the table by its sort key."""
    return {item["sk"]["S"]: item for item in dynamodb.scan(TableName=NAME)["Items"]}


def test_due_services_come_the_longest_overdue_first(table: Table) -> None:
    """The index holds who is due by now, and nobody whose record has no time."""
    api, stage = OTHERS
    for service, due_at in ((WEB, CREATED + 20), (api, CREATED + 10), (stage, CREATED + 30.5)):
        table.save(Record(service=service, due_at=due_at))
    table.save(Record(service=ServiceRef(WEB.cluster_arn, "idle")))
    assert table.due(now=CREATED + 30, limit=10) == [api, WEB]
    assert table.due(now=CREATED + 30, limit=1) == [api]
    table.save(replace(table.load(api), due_at=None))
    assert table.due(now=CREATED + 31, limit=10) == [WEB, stage]


def test_every_item_expires(table: Table, dynamodb: Any) -> None:
    """A closed incident after 400 days, a quiet record a day after it was touched."""
    incident = looping().incident
    assert incident
    table.save(Record(service=WEB, touched_at=CREATED))
    table.archive(WEB, incident, closed_at=CREATED, reason="it is over")
    days = {key: (int(item["expires_at"]["N"]) - CREATED) / 86_400 for key, item in items(dynamodb).items()}
    assert days == {
        "SERVICE": 1,
        "INCIDENT#2026-01-01T00:00:02.000Z": 400,
    }


def test_an_image_of_the_stream_is_the_record(table: Table, dynamodb: Any) -> None:
    """What the table's stream brings reads as what was saved, and names its service."""
    table.save(looping())
    image = items(dynamodb)["SERVICE"]
    assert from_item(image) == table.load(WEB)
    assert service_of(image) == WEB


def test_an_image_of_a_stream_carries_bytes_as_text(table: Table, dynamodb: Any) -> None:
    """The event that Lambda makes of a stream's record has the body in base 64."""
    table.save(looping())
    image = items(dynamodb)["SERVICE"]
    text = b64encode(image["body"]["B"]).decode()
    assert from_item(image | {"body": {"B": text}}) == table.load(WEB)


def test_a_record_of_the_older_format_is_read(table: Table, dynamodb: Any) -> None:
    """JSON in a body of text, and the notices beside it, as they were stored before bodies were packed."""
    record = replace(looping(), notices=())
    body = json.dumps(encode(record))
    notice = {"number": 1, "kind": "looping", "at": CREATED + 2, "reason": "replacements failed 3 times in a row"}
    old = {
        "pk": {"S": WEB.key},
        "sk": {"S": "SERVICE"},
        "version": {"N": "7"},
        "body": {"S": body},
        "notices": {"L": [{"S": json.dumps(notice)}]},
        "notice_number": {"N": "1"},
    }
    dynamodb.put_item(TableName=NAME, Item=old)
    loaded = table.load(WEB)
    assert (loaded.version, loaded.incident, loaded.fast) == (7, record.incident, record.fast)
    assert [(n.number, n.kind, n.reason) for n in loaded.notices] == [(1, NoticeKind.LOOPING, notice["reason"])]
    assert table.save(loaded)
    assert set(items(dynamodb)["SERVICE"]["body"]) == {"B"}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"S": '{"verdict": "puzzled"}'}, "Record.verdict: 'puzzled' is not a valid Verdict"),
        ({"S": "[1]"}, "not an object"),
        ({"B": b"\x00\x01"}, "not a packed record"),
        ({"N": "4"}, "neither bytes nor text"),
    ],
)
def test_a_record_that_cannot_be_read_is_named(table: Table, dynamodb: Any, body: dict[str, Any], problem: str) -> None:
    """By its service, with what is wrong: a later version may have written what this one does not know."""
    key = {"pk": {"S": WEB.key}, "sk": {"S": "SERVICE"}}
    dynamodb.put_item(TableName=NAME, Item={**key, "version": {"N": "1"}, "body": body})
    with pytest.raises(UnreadableError, match=f"cluster/prod#web: .*{problem}"):
        table.load(WEB)


def test_a_message_invokes_notify_once(table: Table, dynamodb: Any) -> None:
    """Its number stands in the item that brings it, and in no later one; the message itself stays."""
    table.save(looping())
    assert items(dynamodb)["SERVICE"]["notice_number"] == {"N": "1"}
    table.save(replace(table.load(WEB), touched_at=CREATED + 60))
    assert "notice_number" not in items(dynamodb)["SERVICE"]
    assert [notice.number for notice in table.load(WEB).notices] == [1]
    table.save(tell(table.load(WEB), NoticeKind.RECOVERED, at=CREATED + 70, reason="over"))
    assert items(dynamodb)["SERVICE"]["notice_number"] == {"N": "2"}


def test_a_wish_to_look_invokes_respond_once(table: Table, dynamodb: Any) -> None:
    """What is folded in before `respond` has looked does not ask again, and the wish stands until it is answered."""
    table.save(looping())
    assert "asked_at" in items(dynamodb)["SERVICE"]
    table.save(replace(table.load(WEB), touched_at=CREATED + 60))
    assert "asked_at" not in items(dynamodb)["SERVICE"]
    assert table.load(WEB).asked_at == CREATED


def test_closed_incidents_are_read_the_newest_first(table: Table, dynamodb: Any) -> None:
    """As they were closed, and those of the older format too."""
    incident = looping().incident
    assert incident
    older = replace(incident, opened_at=CREATED - 9000)
    table.archive(WEB, incident, closed_at=CREATED + 900, reason="its task runs")
    old = {"incident": encode(older), "closed_at": CREATED - 8000, "reason": "it is over"}
    key = {"pk": {"S": WEB.key}, "sk": {"S": "INCIDENT#2025-12-31T21:30:00.000Z"}}
    dynamodb.put_item(TableName=NAME, Item={**key, "body": {"S": json.dumps(old)}})
    assert list(table.incidents(WEB)) == [
        ClosedIncident(incident, closed_at=CREATED + 900, reason="its task runs"),
        ClosedIncident(older, closed_at=CREATED - 8000, reason="it is over"),
    ]
    assert list(table.incidents(OTHERS[0])) == []


def test_a_loop_that_came_again_is_kept_each_time(table: Table) -> None:
    """It bears the id of the first, and what failed and was told the first time is not written over."""
    incident = looping().incident
    assert incident
    first = replace(incident, openings=(incident.opened_at,))
    again = replace(first, openings=(*first.openings, CREATED + 5000), times=2, failed_tasks=9)
    for one, closed_at in ((first, CREATED + 900), (again, CREATED + 6000), (again, CREATED + 6000)):
        table.archive(WEB, one, closed_at=closed_at, reason="its task runs")
    assert [closed.incident for closed in table.incidents(WEB)] == [again, first]
    assert first.id == again.id


def asked_of(**answers: Any) -> tuple[Table, FakeClient]:
    client = FakeClient("dynamodb", **answers)
    return Table(client, NAME), client


def test_what_is_decided_upon_is_read_consistently() -> None:
    """An old record, or an old list of who began, would undo what somebody has just saved."""
    table, client = asked_of(get_item={}, put_item={}, query={"Items": []})
    table.load(WEB)
    table.announce(WEB, 6, at=CREATED, window=600)
    table.announce_end(WEB, at=CREATED)
    table.gather(WEB, at=CREATED, window=600)
    table.in_summary(most=6)
    list(table.incidents(WEB))
    reads = [parameters for name, parameters in client.calls if name != "put_item"]
    assert [read.get("ConsistentRead") for read in reads] == [True] * 6


def test_no_more_is_read_than_is_asked_for() -> None:
    """Of the loops that began two hundred, or as many as are worth counting; of the due as many as one run can ask."""
    table, client = asked_of(query={"Items": []})
    table.began(at=CREATED, window=600)
    table.due(now=CREATED, limit=25)
    table.number_began(at=CREATED, window=600)
    table.in_summary(most=6)
    assert [parameters["Limit"] for _, parameters in client.calls] == [200, 25, 25_000, 6]
    assert client.calls[0][1]["ScanIndexForward"] is False, "the newest first"


def test_a_time_before_the_epoch_is_none() -> None:
    """A window that is longer than the clock is old asks from its beginning."""
    table, client = asked_of(query={"Items": []})
    table.began(at=10, window=600)
    assert client.calls[0][1]["ExpressionAttributeValues"][":first"] == {"S": "1970-01-01T00:00:00.000Z"}


def test_a_fault_of_the_table_is_no_lost_race() -> None:
    """Who is throttled is told so, and does not fold again for nothing."""
    table, _ = asked_of(put_item=refusal("ProvisionedThroughputExceededException", "PutItem"))
    with pytest.raises(ClientError, match="ProvisionedThroughput"):
        table.save(Record(service=WEB))
    lost, _ = asked_of(put_item=refusal("ConditionalCheckFailedException", "PutItem"))
    assert not lost.save(Record(service=WEB))


def test_what_is_noted_of_loops_that_began_expires() -> None:
    """Who began six hours later; what people were told, and whom it stands for, as long as loops may last, 30 days."""
    table, client = asked_of(get_item={}, put_item={}, query={"Items": []})
    table.gather(WEB, at=CREATED, window=600)
    table.announce(WEB, 6, at=CREATED, window=600)
    table.enter_summary(WEB, at=CREATED)
    noted = [parameters["Item"]["expires_at"]["N"] for name, parameters in client.calls if name == "put_item"]
    month = str(int(CREATED) + 30 * 86_400)
    assert noted == [str(int(CREATED) + 48 * 3600), month, month]


def test_two_that_announce_at_once_are_one() -> None:
    """Who read that nobody had is refused by the table where somebody has meanwhile."""
    table, client = asked_of(get_item={}, put_item=refusal("ConditionalCheckFailedException", "PutItem"))
    assert not table.announce(WEB, 6, at=CREATED, window=600)
    values = client.calls[-1][1]["ExpressionAttributeValues"]
    assert values == {":number": {"N": "6"}, ":old": {"N": f"{CREATED - 600:.3f}"}}


def test_two_that_announce_the_end_at_once_are_one(table: Table) -> None:
    """Who read what people had been told is refused by the table where somebody has told the end meanwhile."""
    api, _ = OTHERS
    table.announce(WEB, 6, at=CREATED, window=600)
    table.announce_end(api, at=CREATED + 60)
    before = {"number": {"N": "6"}, "by": {"S": WEB.key}}
    late = SimpleNamespace(get_item=lambda **_: {"Item": before}, put_item=table._client.put_item)
    assert not Table(late, NAME).announce_end(WEB, at=CREATED + 61)
    assert table.announce_end(api, at=CREATED + 62), "what was told first stands"


def test_a_closed_incident_that_cannot_be_read_is_named(table: Table, dynamodb: Any) -> None:
    """By its service and its time, whoever looks back."""
    key = {"pk": {"S": WEB.key}, "sk": {"S": "INCIDENT#2025-12-31T21:30:00.000Z"}}
    dynamodb.put_item(TableName=NAME, Item={**key, "body": {"S": "[1]"}})
    for look_back in (lambda: table.incidents(WEB), lambda: everywhere(dynamodb, NAME)):
        with pytest.raises(UnreadableError, match=r"INCIDENT#2025-12-31.*cluster/prod#web: .*not an object"):
            list(look_back())


def test_closed_incidents_of_all_services_are_found(table: Table, dynamodb: Any) -> None:
    """Each with its service, however many answers they come in, and nothing else that the table holds."""
    incident = looping().incident
    assert incident
    table.save(looping())
    for service in (WEB, *OTHERS):
        table.archive(service, incident, closed_at=CREATED + 900, reason="its task runs")
    closed = ClosedIncident(incident, closed_at=CREATED + 900, reason="its task runs")
    small = SimpleNamespace(scan=lambda **parameters: dynamodb.scan(**parameters, Limit=1))
    for client in (dynamodb, small):
        assert dict(everywhere(client, NAME)) == dict.fromkeys((WEB, *OTHERS), closed)


@pytest.mark.parametrize(("behind", "asks"), [(0.0, True), (5.0, True), (5.001, False)])
def test_clocks_of_two_functions_may_differ_by_five_seconds(behind: float, asks: bool) -> None:
    """A wish to look that is older than what touched the record was answered before."""
    table, client = asked_of(put_item={})
    table.save(Record(service=WEB, asked_at=CREATED - behind, touched_at=CREATED))
    assert ("asked_at" in client.calls[0][1]["Item"]) is asks


def test_more_are_due_than_one_answer_holds(table: Table, dynamodb: Any) -> None:
    """An answer of the table has a megabyte at most; all that are due are found."""
    fleet = [ServiceRef(WEB.cluster_arn, f"{'x' * 200}{number}") for number in range(40)]
    for service in fleet:
        table.save(Record(service=service, due_at=CREATED))
    real = dynamodb.query

    def paged(**parameters: Any) -> Any:
        return real(**(parameters | {"Limit": 7}))

    small = SimpleNamespace(query=paged)
    assert set(Table(small, NAME).due(now=CREATED, limit=100)) == set(fleet)
    assert len(Table(small, NAME).due(now=CREATED, limit=30)) == 30


def test_all_records_are_read_but_those_that_cannot_be(table: Table, dynamodb: Any) -> None:
    """Of every page, without what else is in the table; whoever loads a broken one says so."""
    fleet = [ServiceRef(WEB.cluster_arn, f"{'x' * 200}{number}") for number in range(9)]
    for service in fleet:
        table.save(Record(service=service, touched_at=CREATED))
    table.gather(WEB, at=CREATED, window=60)
    broken = dynamodb.get_item(TableName=NAME, Key={"pk": {"S": fleet[0].key}, "sk": {"S": "SERVICE"}})["Item"]
    dynamodb.put_item(TableName=NAME, Item=broken | {"body": {"S": "{"}})
    real = dynamodb.scan

    def paged(**parameters: Any) -> Any:
        return real(**(parameters | {"Limit": 4}))

    found = Table(SimpleNamespace(scan=paged), NAME).all_records()
    assert {record.service for record in found} == set(fleet[1:])
