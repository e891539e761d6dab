"""One message goes to every place that was configured, in the form that each of them takes."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from loopbreaker.aws.publisher import Places, Publisher, PublishError
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.notice import Notice, NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.telling.contents import Background
from loopbreaker.telling.mass import Other
from loopbreaker.telling.messages import Message, compose
from loopbreaker.telling.parcel import unpack
from tests.aws.fake_clients import FakeClient, refusal
from tests.builders import T0, looping
from tests.task_events import arn

TOPIC = "arn:aws:sns:eu-west-1:123456789012:loops"
CHAT = "arn:aws:sns:eu-west-1:123456789012:chat"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/slack.fifo"
PLACES = Places(TOPIC, bus="ops", chat_topic=CHAT, queues=(QUEUE,))
MESSAGE = Message(
    subject="[Loopbreaker] web is in a restart loop in prod",
    text="web is in a restart loop.\n\nWhat to do: naïve things",
    chat={"version": "1.0", "source": "custom", "content": {"title": "é"}},
    post={"text": "wéb", "attachments": []},
    reply="web",
    service=ServiceRef("arn:aws:ecs:eu-west-1:123456789012:cluster/prod", "web"),
    incident="1767225690",
    notice=Notice(number=1, kind=NoticeKind.LOOPING, at=1_767_225_700.0, reason="a reason"),
    channel="C0123456789",
    attributes={"cluster": "prod", "service": "web"},
    detail_type="Restart Loop State Change",
    detail={"version": 2, "id": "a#1"},
    resources=("arn:aws:ecs:eu-west-1:123456789012:service/prod/web",),
)
TAKEN: dict[str, Any] = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}
SENT = {"MessageId": "1", "MD5OfMessageBody": "x"}


class Places4:
    """The bus, the two topics and the queue, each of which may refuse."""

    def __init__(self) -> None:
        self.events = FakeClient("events", put_events=TAKEN)
        self.sns = FakeClient("sns", publish={"MessageId": "1"})
        self.sqs = FakeClient("sqs", send_message=SENT)

    def client(self, name: str) -> Any:
        return getattr(self, name)

    def taken(self) -> list[str]:
        calls = [*self.events.calls, *self.sqs.calls, *self.sns.calls]
        return [name + ":" + str(parameters.get("TopicArn", "")).rpartition(":")[2] for name, parameters in calls]


def publish(places: Places4, where: Places = PLACES) -> None:
    Publisher(places.client, where).publish(MESSAGE)


@pytest.mark.parametrize("length", [8, 30, 120, 255])
def test_nothing_that_is_sent_is_above_ten_kilobytes(length: int) -> None:
    """A summary of ten thousand services, their names as long as ECS allows: also with all that SNS is given."""
    services = [ServiceRef(arn(f"cluster/{'c' * length}"), f"{n:04}".ljust(length, "s")) for n in range(40)]
    record = replace(looping(evidence="CannotPullContainerError: " + "x" * 200), service=services[0])
    others = tuple(Other(service, record.incident) for service in services)
    names = ", ".join(f"{service.cluster}/{service.name}" for service in services[:10])
    why = f"10000 services began to loop within 30 minutes, so none is acted on: {names} and 9990 more"
    told = tell(record, NoticeKind.MASS, at=T0 + 90, reason=why, services=10_000)
    places = Places4()
    message = compose(record, told, told.notices[-1], Background(others=others))
    Publisher(places.client, PLACES).publish(message)
    sent = [call for client in (places.events, places.sns) for _, call in client.calls]
    sizes = [len(str(call.get("Message") or call["Entries"][0]).encode()) for call in sent]
    assert len(sizes) == 3
    # What waits in the queue of a chat is what is posted, and who it is for.
    assert max(*sizes, len(json.dumps(message.post).encode())) <= 10_000
    assert message.detail["serviceCount"] == 10_000
    assert "10,000 services" in message.text


def test_the_event_goes_to_the_bus() -> None:
    """With its own source, the detail as JSON and the service as its resource."""
    places = Places4()
    publish(places)
    ((_, parameters),) = places.events.calls
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
    places = Places4()
    publish(places, Places(TOPIC))
    ((_, parameters),) = places.sns.calls
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
    assert places.sqs.calls == []


def test_only_amazon_q_gets_its_schema() -> None:
    """On a topic of its own, as the whole message: what it does not know it drops."""
    places = Places4()
    publish(places)
    (chat,) = [parameters for _, parameters in places.sns.calls if parameters["TopicArn"] == CHAT]
    assert json.loads(chat["Message"]) == MESSAGE.chat
    assert set(chat) == {"TopicArn", "Message"}


def test_a_chat_channel_has_its_own_queue() -> None:
    """In the order of each service, and once for each id; long names do not matter."""
    places = Places4()
    publish(places)
    ((_, parameters),) = places.sqs.calls
    parcel = unpack(parameters["MessageBody"])
    assert (parcel.service, parcel.incident, parcel.sequence) == (MESSAGE.service, "1767225690", 1)
    assert (parcel.post, parcel.reply, parcel.channel) == (MESSAGE.post, "web", "C0123456789")
    assert all(1 <= len(parameters[name]) <= 128 for name in ("MessageGroupId", "MessageDeduplicationId"))


def broken_bus(places: Places4) -> None:
    places.events = FakeClient("events", put_events={"FailedEntryCount": 1, "Entries": [{"ErrorCode": "Internal"}]})


def broken_queue(places: Places4) -> None:
    places.sqs = FakeClient("sqs", send_message=refusal("AWS.SimpleQueueService.NonExistentQueue", "SendMessage"))


def broken_topic(places: Places4) -> None:
    places.sns = FakeClient("sns", publish=refusal("AuthorizationError", "Publish"))


@pytest.mark.parametrize(
    ("damage", "named", "others"),
    [
        (broken_bus, "ops: Internal", ["send_message:", "publish:chat", "publish:loops"]),
        (broken_queue, "slack.fifo", ["put_events:", "publish:chat", "publish:loops"]),
        (broken_topic, "loops", ["put_events:", "send_message:"]),
    ],
)
def test_a_place_that_is_down_keeps_nothing_from_the_others(
    damage: Callable[[Places4], None], named: str, others: list[str]
) -> None:
    """All others have the message, the error names the one, and the repetition goes to that one alone."""
    places = Places4()
    damage(places)
    publisher = Publisher(places.client, PLACES)
    with pytest.raises(PublishError, match=named):
        publisher.publish(MESSAGE)
    assert set(others) <= set(places.taken())
    well = Places4()
    places.events, places.sqs, places.sns = well.events, well.sqs, well.sns
    publisher.publish(MESSAGE)
    assert set(places.taken()).isdisjoint(others)
    assert places.taken()


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}, "ops: try again"),
        ({"ErrorCode": "InternalFailure"}, "ops: InternalFailure"),
        ({}, "ops: not taken"),
    ],
)
def test_an_event_that_is_not_taken_is_an_error(entry: dict[str, str], problem: str) -> None:
    """PutEvents answers 200 with failed entries."""
    places = Places4()
    places.events = FakeClient("events", put_events={"FailedEntryCount": 1, "Entries": [entry]})
    with pytest.raises(PublishError, match=problem):
        publish(places)


def test_who_took_it_is_noted_and_nobody_else() -> None:
    """In words, at once, and where a repetition reaches the rest the rest alone; a queue has no reader yet."""
    places, noted = Places4(), list[tuple[str, ...]]()
    broken_bus(places)
    publisher = Publisher(places.client, PLACES, noted=lambda _message, to: noted.append(to))
    with pytest.raises(PublishError):
        publisher.publish(MESSAGE)
    places.events = Places4().events
    publisher.publish(MESSAGE)
    publisher.publish(MESSAGE)
    assert noted == [("Amazon Q topic chat", "mail topic loops"), ("event bus ops",)]


class Killed(BaseException):
    """The function was killed; nothing catches it."""


@pytest.mark.parametrize("call", range(4))
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_call_loses_nothing(call: int, after: bool) -> None:
    """Killed before or after each call, a new function tells everybody, and tells nobody a third time."""
    places, count = Places4(), iter(range(100))

    def deadly(name: str) -> Any:
        kills = next(count) == call
        real = places.client(name)

        class Client:
            def __getattr__(self, method: str) -> Any:
                def made(**parameters: Any) -> Any:
                    if kills and not after:
                        raise Killed
                    answer = getattr(real, method)(**parameters)
                    if kills:
                        raise Killed
                    return answer

                return made

        return Client()

    with pytest.raises(Killed):
        Publisher(deadly, PLACES).publish(MESSAGE)
    publish(places)
    for place in ("put_events:", "send_message:", "publish:chat", "publish:loops"):
        assert 1 <= places.taken().count(place) <= 2


def test_what_was_sent_is_not_remembered_for_ever() -> None:
    """A function that lives long does not grow."""
    places = Places4()
    publisher = Publisher(places.client, Places(TOPIC))
    for number in range(600):
        publisher.publish(Message(**{**fields_of(MESSAGE), "detail": {"id": f"a#{number}"}}))
    assert len(publisher._sent) == 500


def fields_of(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name in Message.__slots__}
