"""What a failure costs: calls to the table, counted at the client."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from loopbreaker.aws.store import Table
from loopbreaker.policy import Policy
from loopbreaker.stories.detect import Observation, detect
from tests.builders import SERVICE, T0, crash_loop
from tests.schema import create_table


class Counting:
    """A client whose calls are counted by name."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        def counted(**parameters: Any) -> Any:
            self.calls[name] += 1
            return getattr(self._client, name)(**parameters)

        return counted


@pytest.fixture
def client() -> Iterator[Counting]:
    with mock_aws():
        real = boto3.client("dynamodb")
        create_table(real, "records")
        yield Counting(real)


def test_one_failure(client: Counting) -> None:
    """One failure is one write and one read."""
    (failure,) = crash_loop(1)
    detect([Observation(SERVICE, failure)], store=Table(client, "records"), policy=Policy(), now=T0)
    assert client.calls == {"put_item": 1, "get_item": 1}


def test_a_batch_of_one_service(client: Counting) -> None:
    """Twenty failures of one service in one batch are one write and one read."""
    batch = [Observation(SERVICE, failure) for failure in crash_loop(2, slots=10)]
    detect(batch, store=Table(client, "records"), policy=Policy(), now=T0)
    assert client.calls == {"get_item": 1, "put_item": 1}


def test_a_repeated_failure(client: Counting) -> None:
    """A failure that is delivered again writes nothing."""
    (failure,) = crash_loop(1)
    store = Table(client, "records")
    detect([Observation(SERVICE, failure)], store=store, policy=Policy(), now=T0)
    client.calls.clear()
    detect([Observation(SERVICE, failure)], store=store, policy=Policy(), now=T0 + 60)
    assert client.calls == {"get_item": 1}
