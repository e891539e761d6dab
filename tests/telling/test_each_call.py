"""From the table's stream to people, killed or refused at any call: everybody is told, and hardly anybody twice.

Who was told is counted by a fake of AWS and Slack that knows nothing of the code but its calls.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlers import chat, notify, receipts, webhook, wiring
from loopbreaker.aws import clients, slack
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record
from tests.builders import T0, looping
from tests.task_events import Json
from tests.unit.test_handlers import CONTEXT, service, stream

QUEUES = {"chat": "https://sqs.test/chat.fifo", "webhook": "https://sqs.test/webhook.fifo"}
TOPIC, CHAT_TOPIC = "arn:aws:sns:eu-west-1:123456789012:loops", "arn:aws:sns:eu-west-1:123456789012:chat"
SECRETS = {"chat": "xoxb-planted-0123456789", "webhook": "https://hooks.slack.com/services/planted0123456789"}
ENVIRONMENT = {
    "TABLE_NAME": "loops",
    "INDEX_NAME": "due",
    "TOPIC_ARN": TOPIC,
    "CHAT_TOPIC_ARN": CHAT_TOPIC,
    "OUTLET_QUEUES": ",".join(QUEUES.values()),
    "SLACK_CHANNELS": "C0123456789",
    "SECRET_NAME": "ops/slack",
}
CACHES = (
    wiring.settings, wiring.table, notify.publisher, receipts.receipts,
    chat.bot, chat.token, chat.memory, webhook.pace, webhook.address, clients.client,
)  # fmt: skip


class Killed(BaseException):
    """The function was killed; nothing catches it."""


@dataclass
class World:
    """AWS and Slack. The call number `hurt_at` is refused, or the function is killed before or after it."""

    hurt_at: int = -1
    how: str = ""
    calls: list[str] = field(default_factory=list)
    table: dict[tuple[str, str], Json] = field(default_factory=dict)
    queues: dict[str, dict[str, Json]] = field(default_factory=lambda: {url: {} for url in QUEUES.values()})
    bus: list[str] = field(default_factory=list)
    mail: list[str] = field(default_factory=list)
    amazon_q: list[str] = field(default_factory=list)
    channel: dict[str, Json] = field(default_factory=dict)
    thread: list[tuple[str, str]] = field(default_factory=list)
    hook: list[str] = field(default_factory=list)
    at_work: str = ""

    def do(self, name: str, action: Any) -> Any:
        number = len(self.calls)
        self.calls.append(name)
        if number != self.hurt_at:
            return action()
        if self.how == "refused":
            if name.startswith("slack"):
                raise slack.UnreachableError(name)
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, name)
        if self.how == "killed after":
            action()
        raise Killed

    # -- AWS ----------------------------------------------------------------------------------------

    def create_client(self, _service: str, **_config: object) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        handle = object.__getattribute__(self, f"_{name}")
        return lambda **given: self.do(name, lambda: handle(given))

    def _get_item(self, given: Json) -> Json:
        item = self.table.get(_key(given["Key"]))
        return {"Item": item} if item else {}

    def _query(self, _given: Json) -> Json:
        return {"Items": []}

    def _put_item(self, given: Json) -> Json:
        self.table[_key(given["Item"])] = given["Item"]
        return {}

    def _update_item(self, given: Json) -> Json:
        values = given["ExpressionAttributeValues"]
        item = self.table.setdefault(_key(given["Key"]), {"to": {"SS": []}})
        item["to"]["SS"] = sorted({*item["to"]["SS"], *values[":to"]["SS"]})
        if ":said" in values:
            item["body"] = values[":said"]
        return {}

    def _put_events(self, given: Json) -> Json:
        self.bus += [json.loads(entry["Detail"])["id"] for entry in given["Entries"]]
        return {"FailedEntryCount": 0, "Entries": [{}]}

    def _publish(self, given: Json) -> Json:
        if given["TopicArn"] == CHAT_TOPIC:
            self.amazon_q.append(given["Message"])
        else:
            self.mail.append(json.loads(json.loads(given["Message"])["default"])["id"])
        return {}

    def _send_message(self, given: Json) -> Json:
        name = given["MessageDeduplicationId"]
        letter = {"messageId": name, "body": given["MessageBody"], "group": given["MessageGroupId"]}
        self.queues[given["QueueUrl"]].setdefault(name, letter)
        return {}

    def _get_secret_value(self, _given: Json) -> Json:
        return {"SecretString": SECRETS[self.at_work]}

    # -- Slack --------------------------------------------------------------------------------------

    def send(self, url: str, body: Json, _headers: Json, *, what: str) -> bytes:
        answer: bytes = self.do(f"slack {what}", lambda: self._slack(url, body, what))
        return answer

    def _slack(self, url: str, body: Json, what: str) -> bytes:
        if url == SECRETS["webhook"]:
            self.hook.append(body["text"])
            return b"ok"
        ts = body.get("ts") or f"{len(self.channel) + len(self.thread)}.0"
        if "thread_ts" in body:
            self.thread.append((body["thread_ts"], body["text"]))
        else:
            assert what == "chat.postMessage" or ts in self.channel
            self.channel[ts] = body
        return json.dumps({"ok": True, "ts": ts}).encode()


def _key(item: Json) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


@pytest.fixture
def lambdas(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment of the functions; nothing is waited for."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(chat, "Pace", lambda _clock, _sleep: lambda _channel: None)
    monkeypatch.setattr(webhook, "Pace", lambda _clock, _sleep: lambda _channel: None)
    yield monkeypatch
    monkeypatch.undo()
    a_new_process()


def a_new_process() -> None:
    for cached in CACHES:
        cached.cache_clear()


def a_week() -> Json:
    """One batch of the stream: a service is found, stopped and over; between these another is found."""

    def step(before: Record, kind: NoticeKind, **fields: Any) -> tuple[Record, Record]:
        told = tell(before, kind, at=T0 + 3600, reason=f"a reason for {kind}")
        return before, replace(told, version=before.version + 1, **fields)

    web = looping(service=service("web"))
    found, stopped = (first := step(web, NoticeKind.LOOPING)), step(first[1], NoticeKind.STOPPED)
    over = step(stopped[1], NoticeKind.RECOVERED, incident=None)
    other = step(looping(service=service("shop")), NoticeKind.LOOPING)
    return stream(found, other, stopped, over)


def live(world: World, patch: pytest.MonkeyPatch) -> World:
    """What AWS does: the stream's batch and then the queues', each again until it was taken."""
    patch.setattr(clients, "_session", lambda: world)
    patch.setattr(slack, "send", world.send)
    a_new_process()
    batch = a_week()["Records"]
    for _ in range(5):
        with suppress(Killed):
            answer = notify.handler({"Records": batch}, CONTEXT)["batchItemFailures"]
            numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
            batch = batch[numbers.index(answer[0]["itemIdentifier"]) :] if answer else []
            if not batch:
                break
            continue
        a_new_process()
    assert not batch
    for name, handler in (("chat", chat.handler), ("webhook", webhook.handler)):
        world.at_work = name
        empty(world.queues[QUEUES[name]], handler)
    return world


def empty(queue: dict[str, Json], handler: Any) -> None:
    for _ in range(5):
        given = [{**letter, "attributes": {"MessageGroupId": letter["group"]}} for letter in queue.values()]
        if not given:
            return
        try:
            answer = handler({"Records": given}, CONTEXT)["batchItemFailures"]
        except Killed:
            a_new_process()
            continue
        again = {entry["itemIdentifier"] for entry in answer}
        for letter in given:
            if letter["messageId"] not in again:
                del queue[letter["messageId"]]
    raise AssertionError("the queue does not get empty")


def surplus(told: list[Any]) -> list[Any]:
    return list((Counter(told) - Counter(set(told))).elements())


def test_each_call_of_the_way_to_people_may_fail(lambdas: pytest.MonkeyPatch) -> None:
    """Killed before a call, after it, or refused: all four messages reach bus, mail, Amazon Q, webhook and bot.

    A crash repeats nothing but the message that the function had in hand, once to each place; a refusal nothing but a
    message that Slack took and nobody could note.
    """
    well = live(World(), lambdas)
    assert [len(place) for place in places(well)] == [4, 4, 4, 4]
    assert (len(well.channel), len(well.thread)) == (2, 2)
    kinds = {name.split()[0] for name in well.calls}
    assert kinds >= {"get_item", "update_item", "put_item", "put_events", "publish", "send_message", "slack"}
    for how in ("killed before", "killed after", "refused"):
        for call, name in enumerate(well.calls):
            hurt, here = live(World(hurt_at=call, how=how), lambdas), (how, call, name)
            if not (how == "refused" and name == "get_item"):  # what could not be read is named in the message
                assert [set(place) for place in places(hurt)] == [set(place) for place in places(well)], here
            again = [surplus(place) for place in places(hurt)]
            assert all(len(place) <= (how != "refused") for place in again), (*here, again)
            assert len({*again[0], *again[1]}) <= 1, (*here, again)
            assert {text for _, text in hurt.thread} == {text for _, text in well.thread}, here
            # A post whose name nobody could note stays as it was beside the one that is edited.
            assert {post["text"] for post in hurt.channel.values()} >= {post["text"] for post in well.channel.values()}
            twice = len(hurt.channel) - 2 + len(surplus(hurt.thread))
            assert twice <= (name.startswith("slack") or name == "put_item"), here


def places(world: World) -> tuple[list[str], ...]:
    return world.bus, world.mail, world.amazon_q, world.hook
