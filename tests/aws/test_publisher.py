"""One message goes to the bus and to the topic, in the form that each of them takes."""

import json
from typing import Any

import pytest

from loopbreaker.aws.publisher import Publisher, PublishError
from loopbreaker.telling.messages import Message
from tests.aws.fake_clients import FakeClient, refusal

TOPIC = "arn:aws:sns:eu-west-1:123456789012:loops"
MESSAGE = Message(
    subject="[Loopbreaker] web is in a restart loop in prod",
    text="web is in a restart loop.\n\nWhat to do: naïve things",
    chat={"version": "1.0", "source": "custom", "content": {"title": "é"}},
    post={"text": "web", "attachments": []},
    reply="web",
    thread="web#1",
    sequence=1,
    attributes={"cluster": "prod", "service": "web"},
    detail_type="Restart Loop State Change",
    detail={"version": 1, "id": "a#1"},
    resources=("arn:aws:ecs:eu-west-1:123456789012:service/prod/web",),
)
TAKEN: dict[str, Any] = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}


def publish(*, events: FakeClient, sns: FakeClient) -> None:
    Publisher(sns=sns, events=events, topic_arn=TOPIC, bus="ops").publish(MESSAGE)


def test_the_event_goes_to_the_bus() -> None:
    """With its own source, the detail as JSON and the service as its resource."""
    events, sns = FakeClient("events", put_events=TAKEN), FakeClient("sns", publish={"MessageId": "1"})
    publish(events=events, sns=sns)
    ((_, parameters),) = events.calls
    (entry,) = parameters["Entries"]
    assert json.loads(entry.pop("Detail")) == MESSAGE.detail
    assert entry == {
        "EventBusName": "ops",
        "Source": "loopbreaker",
        "DetailType": "Restart Loop State Change",
        "Resources": ["arn:aws:ecs:eu-west-1:123456789012:service/prod/web"],
    }


def test_people_get_text_and_programs_get_json() -> None:
    """Mail reads the text; queues, functions and other endpoints get the detail of the event, and the text in it."""
    events, sns = FakeClient("events", put_events=TAKEN), FakeClient("sns", publish={"MessageId": "1"})
    publish(events=events, sns=sns)
    ((_, parameters),) = sns.calls
    assert (parameters["TopicArn"], parameters["Subject"]) == (TOPIC, MESSAGE.subject)
    assert parameters["MessageStructure"] == "json"
    body = json.loads(parameters["Message"])
    assert body["email"] == MESSAGE.text
    assert json.loads(body["default"]) == MESSAGE.detail | {"text": MESSAGE.text}
    assert set(body) == {"default", "email"}
    assert parameters["MessageAttributes"] == {
        "cluster": {"DataType": "String", "StringValue": "prod"},
        "service": {"DataType": "String", "StringValue": "web"},
    }


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}, "ops: try again"),
        ({"ErrorCode": "InternalFailure"}, "ops: InternalFailure"),
        ({}, "ops: not taken"),
    ],
)
def test_an_event_that_is_not_taken_is_an_error(entry: dict[str, str], problem: str) -> None:
    """PutEvents answers 200 with failed entries; the mail waits for the retry, so that it is not sent twice."""
    events = FakeClient("events", put_events={"FailedEntryCount": 1, "Entries": [entry]})
    sns = FakeClient("sns", publish={"MessageId": "1"})
    with pytest.raises(PublishError, match=problem):
        publish(events=events, sns=sns)
    assert sns.calls == []


def test_a_topic_that_refuses_is_an_error() -> None:
    """The event has gone by then; its repetition carries the same id."""
    events = FakeClient("events", put_events=TAKEN)
    refused = refusal("AuthorizationError", "Publish")
    with pytest.raises(type(refused)):
        publish(events=events, sns=FakeClient("sns", publish=refused))
    assert len(events.calls) == 1
