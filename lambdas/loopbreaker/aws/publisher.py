"""Where messages go: the bus and the topic, the queues of chat channels, the topic of Amazon Q."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from loopbreaker.telling.messages import LIMIT, Message
from loopbreaker.telling.parcel import pack

Noted = Callable[[Message, tuple[str, ...]], None]
"""Told which places took a message, in words."""
Took = Callable[[Message], frozenset[str]]
"""Which places took a message before, in words."""

# What was sent is remembered for as long as an invocation is likely to be repeated.
_REMEMBERED = 500


class PublishError(Exception):
    """Some place did not take a message; the others have it."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where messages go. `chat_topic` is Amazon Q's, `queues` those of the outlets; empty where there are none."""

    topic: str
    bus: str = "default"
    chat_topic: str = ""
    queues: tuple[str, ...] = ()


class Publisher:
    """Publishes one message in all its forms; `client` makes the client of one AWS service.

    A place that does not take a message keeps it from no other place. The message is delivered again then, with the
    rest of its batch where the function was killed, and is sent only where it is not known to have been taken.
    """

    def __init__(
        self, client: Callable[[str], Any], places: Places, *, noted: Noted | None = None, took: Took | None = None
    ) -> None:
        """`noted` is told who took a message, and `took` knows it again.

        Nobody reads in a queue: whoever empties it tells for itself, and the queue knows a repetition.
        """
        self._client = client
        self._places = places
        self._noted = noted
        self._took = took
        self._sent: dict[tuple[str, str], None] = {}

    def publish(self, message: Message) -> None:
        """Send the message everywhere. Raises PublishError that names each place that did not take it."""
        problems: list[str] = []
        took: list[str] = []
        before = self._took(message) if self._took else frozenset()
        for place, words, send in self._sends(message):
            key = (str(message.detail["id"]), place)
            if key in self._sent or words in before:
                continue
            try:
                send()
            except (ClientError, BotoCoreError, PublishError) as error:
                problems.append(f"{place}: {error}")
            else:
                self._sent[key] = None
                took += [words] if words else []
        if took and self._noted:
            self._noted(message, tuple(took))
        for key in list(self._sent)[:-_REMEMBERED]:
            del self._sent[key]
        if problems:
            raise PublishError("; ".join(problems))

    def _sends(self, message: Message) -> Iterator[tuple[str, str, Callable[[], None]]]:
        """Each place, what people call it, and how to send. Mail last: what comes before carries its own id, so that
        a repetition is known for one."""
        bus, topic, chat = self._places.bus, self._places.topic, self._places.chat_topic
        yield bus, f"event bus {bus}", lambda: self._put(message)
        for url in self._places.queues:
            yield url, "", lambda url=url: self._enqueue(url, message)  # type: ignore[misc]
        if chat:
            yield chat, f"Amazon Q topic {_last(chat)}", lambda: self._chat(message)
        yield topic, f"mail topic {_last(topic)}", lambda: self._tell(message)

    def _put(self, message: Message) -> None:
        entry = {
            "EventBusName": self._places.bus,
            "Source": "loopbreaker",
            "DetailType": message.detail_type,
            "Resources": list(message.resources),
            "Detail": json.dumps(message.detail),
        }
        answer = self._client("events").put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            refused = answer["Entries"][0]
            raise PublishError(refused.get("ErrorMessage") or refused.get("ErrorCode") or "not taken")

    def _enqueue(self, url: str, message: Message) -> None:
        """In the order of each service: its messages are one group of the queue."""
        self._client("sqs").send_message(
            QueueUrl=url,
            MessageBody=pack(message),
            MessageGroupId=_digest(message.service.key),
            MessageDeduplicationId=_digest(str(message.detail["id"])),
        )

    def _chat(self, message: Message) -> None:
        text = json.dumps(message.chat, ensure_ascii=False)
        self._client("sns").publish(TopicArn=self._places.chat_topic, Message=text)

    def _tell(self, message: Message) -> None:
        """Mail reads the text; queues, functions and endpoints get what the bus gets, and the text with it.

        Where both would be too long together, the text goes to mail alone.
        """
        body = {"default": json.dumps(message.detail | {"text": message.text}), "email": message.text}
        if len(json.dumps(body, ensure_ascii=False).encode()) > LIMIT:
            body["default"] = json.dumps(message.detail)
        self._client("sns").publish(
            TopicArn=self._places.topic,
            Subject=message.subject,
            Message=json.dumps(body, ensure_ascii=False),
            MessageStructure="json",
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
            },
        )


def _last(arn: str) -> str:
    return arn.rpartition(":")[2]


def _digest(text: str) -> str:
    """Short enough for SQS, whatever the names of cluster and service (SQS API reference, SendMessage)."""
    return hashlib.sha256(text.encode()).hexdigest()
