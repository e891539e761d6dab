"""Who took which message is kept with the incident."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from handlers import receipts as noting
from loopbreaker.aws.receipts import Receipts, described
from loopbreaker.remembering.notice import NoticeKind, Receipt
from loopbreaker.stories.ports import UnreadableError
from tests.builders import SERVICE, T0
from tests.schema import create_table


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        create_table(client, "records")
        yield client


@pytest.fixture
def receipts(dynamodb: Any) -> Receipts:
    return Receipts(dynamodb, "records", clock=lambda: T0)


SAID = described(T0 + 1.5, NoticeKind.LOOPING, "why it is one")


def test_places_add_themselves_in_any_order(receipts: Receipts, dynamodb: Any) -> None:
    """A channel may be quicker than the note of what it was sent; repetitions add nothing."""
    receipts.note(SERVICE, "17", 1, to=("Slack channel C1",))
    assert list(receipts.of(SERVICE, "17")) == []
    for _ in range(2):
        receipts.note(SERVICE, "17", 1, to=("mail topic loops", "event bus default"), said=SAID)
        receipts.note(SERVICE, "17", 2, to=("mail topic loops",), said=described(T0 + 9, NoticeKind.BACK, "x" * 999))
    receipts.note(SERVICE, "171", 1, to=("mail topic loops",), said=SAID)
    first, second = receipts.of(SERVICE, "17")
    everybody = ("Slack channel C1", "event bus default", "mail topic loops")
    assert first == Receipt(T0 + 1.5, NoticeKind.LOOPING, "why it is one", everybody)
    assert (second.kind, second.to, len(second.reason)) == (NoticeKind.BACK, ("mail topic loops",), 300)
    items = dynamodb.scan(TableName="records")["Items"]
    assert {(int(item["expires_at"]["N"]) - T0) / 86_400 for item in items} == {400}


def test_who_took_a_message_is_known_again(receipts: Receipts) -> None:
    """Of this very message: another one that has its number, as in a record that began anew, was not told."""
    receipts.note(SERVICE, "17", 1, to=("mail topic loops",), said=SAID)
    receipts.note(SERVICE, "17", 2, to=("Slack, by a webhook",))
    assert receipts.took(SERVICE, "17", 1, said=SAID) == {"mail topic loops"}
    other = described(T0 + 1.5, NoticeKind.STOPPED, "why it is one")
    assert receipts.took(SERVICE, "17", 1, said=other) == frozenset()
    assert receipts.took(SERVICE, "17", 2, said=SAID) == frozenset()
    assert receipts.took(SERVICE, "17", 2) == {"Slack, by a webhook"}
    assert receipts.took(SERVICE, "17", 3) == frozenset()


@pytest.mark.parametrize("body", ["{", "[]", '{"at": 1}', '{"at": 1, "kind": "x", "reason": ""}'])
def test_what_cannot_be_read_is_named(receipts: Receipts, dynamodb: Any, body: str) -> None:
    """By its place in the table."""
    receipts.note(SERVICE, "17", 1, to=("mail topic loops",), said=body)
    with pytest.raises(UnreadableError, match="TOLD#17#000001"):
        list(receipts.of(SERVICE, "17"))


def test_what_cannot_be_noted_is_said_and_sent_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A message that went out is not delivered again because nobody could write that down."""

    class Broken:
        def note(self, *_args: object, **_fields: object) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "UpdateItem")

        took = note

    monkeypatch.setattr(noting, "receipts", Broken)
    noting.note(SERVICE, "17", 1, to=("mail topic loops",))
    noting.note(SERVICE, "", 1, to=("mail topic loops",))
    assert noting.took(SERVICE, "17", 1) == frozenset()
    assert noting.took(SERVICE, "", 1) == frozenset()
    assert [record.getMessage() for record in caplog.records] == [
        "told, and not noted",
        "not known who was told before",
    ]
