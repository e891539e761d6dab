"""What stands between the simulated ECS, the stack and the people: events onto the bus, messages out of the topic."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from demo.ministack import Ministack

# PutEvents takes 10 entries (EventBridge API reference).
_ENTRIES = 10


class WiringError(Exception):
    """The event bus refused an event."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as a subscriber of the topic gets it."""

    subject: str
    text: str


def put(bus: Any, events: Sequence[dict[str, Any]]) -> None:
    """Put events of ECS on the default event bus, by a client of it. Raises WiringError where it refuses one."""
    for start in range(0, len(events), _ENTRIES):
        entries = [
            {
                "Source": event["source"],
                "DetailType": event["detail-type"],
                "Resources": event["resources"],
                "Detail": json.dumps(event["detail"]),
            }
            for event in events[start : start + _ENTRIES]
        ]
        answer = bus.put_events(Entries=entries)
        if answer["FailedEntryCount"]:
            raise WiringError(f"PutEvents: {[entry for entry in answer['Entries'] if 'ErrorCode' in entry]}")


def open_queue(sqs: Any, name: str, *, service: str) -> tuple[str, str]:
    """A queue that an AWS service, such as `sns`, may send to: its URL and its ARN."""
    sender = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**sender, "Resource": "*"}]})
    url: str = sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, answer["Attributes"]["QueueArn"]


class Mailbox:
    """A queue that subscribes to the topic in place of a person."""

    def __init__(self, aws: Ministack, topic_arn: str) -> None:
        self._sqs = aws.client("sqs")
        self._url, arn = open_queue(self._sqs, "mailbox", service="sns")
        aws.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)

    def collect(self) -> list[Letter]:
        """The messages that came since the last time."""
        letters: list[Letter] = []
        while found := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                envelope = json.loads(message["Body"])
                text = json.loads(envelope["Message"])["text"]
                letters.append(Letter(subject=envelope["Subject"], text=text))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return letters


def waiting(sqs: Any, queues: Iterable[str]) -> int:
    """Messages in these queues, those that are being worked on among them; `sqs` is a client."""
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = (sqs.get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"] for url in queues)
    return sum(int(attributes[name]) for attributes in told for name in counts)
