"""The table, on moto's DynamoDB."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from loopbreaker.aws.store import Table, from_item, service_of
from loopbreaker.model import ServiceRef
from loopbreaker.record import Record
from tests.schema import create_table
from tests.store_contract import OTHERS, WEB, StoreContract, looping
from tests.task_events import CREATED

NAME = "loopbreaker"


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    """A client, and an empty table with the keys and the index that the stack gives it."""
    with mock_aws():
        client = boto3.client("dynamodb")
        create_table(client, NAME)
        yield client


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
