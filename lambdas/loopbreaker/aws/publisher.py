"""Where messages go: the topic for people, the event bus for other people's automation."""

import json
from typing import Any

from loopbreaker.telling.messages import Message


class PublishError(Exception):
    """The event bus did not take an event."""


class Publisher:
    """Publishes one message in all its forms. Raises where any of them was not taken."""

    def __init__(self, *, sns: Any, events: Any, topic_arn: str, bus: str) -> None:
        self._sns = sns
        self._events = events
        self._topic_arn = topic_arn
        self._bus = bus

    def publish(self, message: Message) -> None:
        """The event first: a retry after a failed publish repeats an event, which carries its own id, not a mail."""
        entry = {
            "EventBusName": self._bus,
            "Source": "loopbreaker",
            "DetailType": message.detail_type,
            "Resources": list(message.resources),
            "Detail": json.dumps(message.detail),
        }
        answer = self._events.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            refused = answer["Entries"][0]
            raise PublishError(f"{self._bus}: {refused.get('ErrorMessage') or refused.get('ErrorCode') or 'not taken'}")
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()}
        # Mail reads the text; queues, functions and endpoints get what the bus gets, and the text with it.
        body = {"default": json.dumps(message.detail | {"text": message.text}), "email": message.text}
        self._sns.publish(
            TopicArn=self._topic_arn,
            Subject=message.subject,
            Message=json.dumps(body, ensure_ascii=False),
            MessageStructure="json",
            MessageAttributes=attributes,
        )
