"""Endpoints of others, by the topic of an embedded AWS and real servers: each event as JSON, whatever the others do."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from demo.ministack import ministack
from demo.sandbox import sandbox
from demo.wiring import open_queue
from loopbreaker.aws.publisher import Places, Publisher
from tests.event_schema import follows_schema
from tests.telling.endpoint import SICK, Endpoint, running
from tests.telling.told import CASES, of

_TOLD = CASES[:6]


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Endpoint, Endpoint, list[dict[str, Any]]]]:
    """What two endpoints that confirmed got of six messages, of which one misbehaves in five ways; and a queue."""
    with sandbox("endpoint") as box, ministack(box, environment={}) as aws, running() as well, running(*SICK) as sick:
        sns, sqs = aws.client("sns"), aws.client("sqs")
        topic = sns.create_topic(Name="loops")["TopicArn"]
        for endpoint in (well, sick):
            sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url)
            wait(lambda endpoint=endpoint: bool(endpoint.invited))  # type: ignore[misc]
            (invitation,) = endpoint.invited
            sns.confirm_subscription(TopicArn=invitation["TopicArn"], Token=invitation["Token"])
        queue, arn = open_queue(sqs, "somebody", service="sns")
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        for case in _TOLD:
            # The cases are of one incident and bear one id, which one publisher would know again.
            Publisher(aws.client, Places(topic)).publish(of(case))
        wait(lambda: len(well.messages) >= len(_TOLD) and len(sick.messages) >= len(_TOLD))
        others: list[dict[str, Any]] = []
        while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                others.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        yield well, sick, others


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 45
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


Told = tuple[Endpoint, Endpoint, list[dict[str, Any]]]


def test_an_endpoint_gets_each_event_as_json(told: Told) -> None:
    """As the schema has it, with the words of the mail beside it and the attributes to filter by; each once."""
    well, _, _ = told
    got = {}
    for envelope in well.messages:
        detail = json.loads(envelope["Message"])
        assert envelope["Type"] == "Notification"
        assert envelope["Subject"].startswith("[Loopbreaker] checkout ")
        assert detail.pop("text").count("\n") > 5
        follows_schema(detail)
        got[detail["id"], detail["category"]] = detail
    assert len(well.messages) == len(got) == len(_TOLD)
    assert {(of(case).detail["id"], of(case).detail["category"]) for case in _TOLD} == set(got)


def test_an_endpoint_that_misbehaves_keeps_nothing_from_the_others(told: Told) -> None:
    """One that answers 429, 500 and rubbish, hangs and hangs up: the other endpoint and a queue have every message."""
    well, sick, others = told
    assert sick.moods == []
    expected = sorted(of(case).subject + str(of(case).detail["category"]) for case in _TOLD)
    for heard in (well.messages, others):
        assert sorted(m["Subject"] + str(json.loads(m["Message"])["category"]) for m in heard) == expected


def test_an_endpoint_is_asked_to_confirm(told: Told) -> None:
    """By a message of its own that holds the address to visit, before anything else comes."""
    well, _, _ = told
    (invitation,) = well.invited
    assert invitation["Type"] == "SubscriptionConfirmation"
    assert invitation["Token"] in invitation["SubscribeURL"]
