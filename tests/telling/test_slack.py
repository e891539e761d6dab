"""Slack, end to end against a real server: one living message for an incident, whatever Slack answers."""

import itertools
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import chat, webhook, wiring
from loopbreaker.aws import slack as adapter
from loopbreaker.aws.clients import client
from loopbreaker.aws.secrets import Secret, SecretError
from loopbreaker.aws.slack import Bot, Pace, PauseError, RefusedError, UnreachableError, Webhook
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record
from loopbreaker.stories.post import Posted, post
from loopbreaker.telling.messages import compose
from loopbreaker.telling.parcel import Parcel, ParcelError, pack, unpack
from tests.builders import SERVICE, T0, looping
from tests.telling.slack_server import (
    BROKEN,
    CLOSE,
    DENIED,
    GARBAGE,
    GONE,
    HANG,
    LIMITED,
    LIST,
    NO_TS,
    REDIRECT,
    Slack,
    running,
)

CHANNEL = "C0123456789"
TOKEN = "xoxb-planted-token-0123456789abcdef"


@pytest.fixture(scope="module")
def server() -> Iterator[Slack]:
    with running() as slack:
        yield slack


@pytest.fixture
def slack(server: Slack) -> Slack:
    """The server, with nothing said to it and in good health."""
    server.moods.clear()
    server.calls.clear()
    server.messages.clear()
    return server


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch, slack: Slack) -> None:
    """A server that hangs is given up on soon; one that answers has all the time that a busy machine takes."""
    opened = adapter._OPENER.open

    def give_up_soon(request: Any, timeout: float) -> Any:
        return opened(request, timeout=0.4 if HANG in slack.moods[:1] else timeout)

    monkeypatch.setattr(adapter._OPENER, "open", give_up_soon)


def bot(slack: Slack) -> Bot:
    return Bot(lambda: TOKEN, lambda _channel: None, f"{slack.url}/api")


class Notes:
    """Stands for the table: remembers what was posted."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Posted] = {}

    def posted(self, parcel: Parcel, channel: str) -> Posted | None:
        return self.known.get((parcel.incident, channel))

    def remember(self, parcel: Parcel, channel: str, posted: Posted) -> None:
        self.known[(parcel.incident, channel)] = posted


def parcel(sequence: int, incident: str = "1", channel: str = "") -> Parcel:
    body = {"text": f"state {sequence}", "attachments": []}
    return Parcel(SERVICE, incident, sequence, channel, body, f"change {sequence}")


def parcels_of_a_week() -> list[Parcel]:
    """The messages of an incident that is found, stopped, tried, brought back and over."""
    record = looping()
    kinds = [NoticeKind.LOOPING, NoticeKind.STOPPED, NoticeKind.PROBING, NoticeKind.BACK, NoticeKind.RECOVERED]
    found = []
    for kind in kinds:
        after = tell(record, kind, at=T0 + 3600, reason="a reason")
        if kind is NoticeKind.RECOVERED:
            after = Record(service=record.service, version=9, notices=after.notices)
        found.append(unpack(pack(compose(record, after, after.notices[-1]))))
        record = tell(record, kind, at=T0 + 3600, reason="a reason")
    return found


# -- one living message -----------------------------------------------------------------------------------


def test_an_incident_is_one_message_that_ends_green(slack: Slack) -> None:
    """Five changes: one message in the channel, edited to the last state, and four replies in its thread."""
    notes = Notes()
    for one in parcels_of_a_week():
        post(one, CHANNEL, chat=bot(slack), memory=notes)
    (parent,) = slack.parents()
    assert parent["attachments"][0]["color"] == "#2e7d32"
    assert "no longer in a restart loop" in parent["attachments"][0]["blocks"][0]["text"]["text"]
    assert len(slack.replies()) == 4
    assert {token for _, _, token in slack.calls} == {f"Bearer {TOKEN}"}


@given(st.permutations(range(1, 6)), st.lists(st.sampled_from(range(1, 6)), max_size=6))
def test_no_order_of_deliveries_turns_a_message_back(order: list[int], again: list[int]) -> None:
    """Whatever comes first, late or twice: one message, its newest state, one reply for every other change."""
    world, notes = World(), Notes()
    for sequence in (*order, *again):
        post(parcel(sequence), CHANNEL, chat=world, memory=notes)
    (ts,) = world.parents
    assert world.parents[ts] == "state 5"
    assert sorted(world.replies) == sorted(f"change {n}" for n in range(1, 6) if n != order[0])


class DeadError(Exception):
    """The function was killed."""


class World:
    """A chat in memory that may be killed before or after its n-th call."""

    def __init__(self, *, dies_at: int = -1, after: bool = False) -> None:
        self.parents: dict[str, str] = {}
        self.replies: list[str] = []
        self.calls, self._dies_at, self._after = 0, dies_at, after

    def post(self, _channel: str, body: dict[str, Any], *, thread: str = "") -> str:
        return str(self._do(lambda: self._post(body, thread)))

    def edit(self, _channel: str, ts: str, body: dict[str, Any]) -> bool:
        def change() -> bool:
            self.parents[ts] = body["text"]
            return True

        return bool(self._do(change))

    def _post(self, body: dict[str, Any], thread: str) -> str:
        if thread:
            self.replies.append(body["text"])
            return ""
        ts = f"ts{len(self.parents)}"
        self.parents[ts] = body["text"]
        return ts

    def _do(self, action: Any) -> Any:
        self.calls += 1
        dies = self.calls - 1 == self._dies_at
        if dies and not self._after:
            raise DeadError
        done = action()
        if dies:
            raise DeadError
        return done


@pytest.mark.parametrize(("dies_at", "after"), list(itertools.product(range(7), [False, True])))
def test_a_delivery_that_is_killed_is_finished_by_its_repetition(dies_at: int, after: bool) -> None:
    """Nothing is missing in the end, and at most one message or reply is there twice."""
    world, notes = World(dies_at=dies_at, after=after), Notes()
    for sequence in range(1, 5):
        try:
            post(parcel(sequence), CHANNEL, chat=world, memory=notes)
        except DeadError:
            post(parcel(sequence), CHANNEL, chat=world, memory=notes)
    *_, newest = world.parents.values()
    assert newest == "state 4"
    assert set(world.replies) == {"change 2", "change 3", "change 4"}
    assert len(world.parents) - 1 + len(world.replies) - 3 <= 1


def test_a_message_that_is_gone_is_posted_anew(slack: Slack) -> None:
    """Somebody deleted it, or it is too old to be edited: the incident goes on in a new one."""
    notes = Notes()
    post(parcel(1), CHANNEL, chat=bot(slack), memory=notes)
    slack.messages.clear()
    slack.messages["other"] = {"text": "somebody else's", "thread_ts": "x"}
    post(parcel(2), CHANNEL, chat=bot(slack), memory=notes)
    post(parcel(3), CHANNEL, chat=bot(slack), memory=notes)
    (parent,) = slack.parents()
    assert parent["text"] == "state 3"


def test_each_channel_has_its_own_message(slack: Slack) -> None:
    """The default channel and the owner's are told both."""
    notes = Notes()
    for channel in (CHANNEL, "C9999999999"):
        post(parcel(1), channel, chat=bot(slack), memory=notes)
    assert [message["channel"] for message in slack.parents()] == [CHANNEL, "C9999999999"]


def test_a_loop_of_a_week_makes_one_message(slack: Slack) -> None:
    """Of a loop that was found and reminded of nine times a person sees one message and nine replies."""
    notes = Notes()
    for sequence in range(1, 11):
        post(parcel(sequence), CHANNEL, chat=bot(slack), memory=notes)
    assert len(slack.parents()) == 1
    assert len(slack.replies()) == 9


# -- whatever Slack answers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mood", "error"),
    [
        (LIMITED, PauseError),
        (BROKEN, UnreachableError),
        (GARBAGE, UnreachableError),
        (LIST, UnreachableError),
        (NO_TS, UnreachableError),
        (HANG, UnreachableError),
        (CLOSE, UnreachableError),
        (REDIRECT, UnreachableError),
        (DENIED, RefusedError),
        (GONE, RefusedError),
    ],
)
def test_what_is_not_an_answer_is_an_error_without_the_token(slack: Slack, mood: str, error: type[Exception]) -> None:
    """Each has its own kind of error, and none says the token; a redirect is not followed."""
    slack.moods = [mood]
    with pytest.raises(error) as caught:
        bot(slack).post(CHANNEL, {"text": "x"})
    assert TOKEN not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert len(slack.calls) == 1
    assert bot(slack).post(CHANNEL, {"text": "x"})


def test_slack_says_how_long_to_wait(slack: Slack) -> None:
    """Retry-After is kept; without it, or with nonsense in it, half a minute; never a day."""
    slack.moods = [LIMITED]
    with pytest.raises(PauseError) as caught:
        bot(slack).post(CHANNEL, {"text": "x"})
    assert caught.value.seconds == 7
    assert [adapter._pause(text) for text in ("", "soon", "-3", "0", "999999")] == [30, 30, 30, 1, 300]


def test_nobody_is_there() -> None:
    """A port that nobody listens on is an error like any other."""
    with pytest.raises(UnreachableError, match=r"chat\.postMessage: URLError"):
        Bot(lambda: TOKEN, lambda _channel: None, "http://127.0.0.1:9").post(CHANNEL, {})


def test_a_webhook_posts(slack: Slack) -> None:
    """It takes `ok` for an answer and nothing else; its address is in no error."""
    address = f"{slack.url}/services/T000/B000/planted-webhook-secret"
    Webhook(lambda: address).send({"text": "x"})
    slack.moods = [BROKEN, LIMITED, GARBAGE, GONE, CLOSE, HANG]
    for _ in range(6):
        with pytest.raises((UnreachableError, PauseError, RefusedError)) as caught:
            Webhook(lambda: address).send({"text": "x"})
        assert "planted" not in repr(caught.value)
    with pytest.raises(UnreachableError) as caught:
        Webhook(lambda: "https://hooks.slack.com/services/planted secret").send({})
    assert "planted" not in repr(caught.value)


def test_a_channel_gets_at_most_one_message_a_second() -> None:
    """Slack hides messages above that; another channel does not wait."""
    now, slept = [100.0], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pace = Pace(lambda: now[0], sleep)
    for channel in ("a", "a", "b", "a"):
        pace(channel)
    assert slept == pytest.approx([1.1, 1.1])
    now[0] += 5
    pace("a")
    assert len(slept) == 2


# -- secrets ----------------------------------------------------------------------------------------------


def secret(values: list[str], clock: list[float]) -> Secret:
    def get_secret_value(**_parameters: str) -> dict[str, str]:
        return {"SecretString": values.pop(0)}

    made = SimpleNamespace(get_secret_value=get_secret_value)
    return Secret(lambda: made, "ops/slack", pattern=r"xoxb-\w+", what="a token", clock=lambda: clock[0])


def test_a_secret_is_read_once_and_anew_after_a_while() -> None:
    """Five minutes, or until it is said to be forgotten."""
    clock = [0.0]
    token = secret(["xoxb-one\n", "xoxb-two", "xoxb-three"], clock)
    assert (token(), token()) == ("xoxb-one", "xoxb-one")
    clock[0] = 301
    assert token() == "xoxb-two"
    token.forget()
    assert token() == "xoxb-three"


@pytest.mark.parametrize("value", ["", "xoxp planted", '{"token": "xoxb-planted"}'])
def test_a_secret_of_another_shape_is_named_and_not_told(value: str) -> None:
    """The error says which secret and what it should be."""
    token = secret([value], [0.0])
    with pytest.raises(SecretError) as caught:
        token()
    assert str(caught.value) == "secret ops/slack: is not a token"
    assert "planted" not in repr(token)


# -- the parcel -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "not JSON"), ("[]", "not an object"), ('{"cluster": 3}', "cluster, service"), ("[" * 100_000, "not JSON")],
)
def test_what_is_no_parcel_is_refused(text: str, problem: str) -> None:
    """With what is missing, and nothing of what it holds."""
    with pytest.raises(ParcelError, match=problem):
        unpack(text)


# -- the functions ----------------------------------------------------------------------------------------


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch, slack: Slack) -> Iterator[Notes]:
    """The handlers with the local server for Slack and notes for the table; time is not slept."""
    caches = (wiring.settings, chat.bot, chat.token, chat.memory, webhook.pace, webhook.address, client)
    for build in caches:
        build.cache_clear()
    monkeypatch.setenv("SLACK_CHANNELS", f"{CHANNEL},C9999999999")
    monkeypatch.setenv("SECRET_NAME", "ops/slack")
    monkeypatch.setenv("TABLE_NAME", "loops")
    notes = Notes()
    token = secret([TOKEN.replace("-", "_").replace("xoxb_", "xoxb-", 1)] * 9, [0.0])
    monkeypatch.setattr(chat, "token", lambda: token)
    monkeypatch.setattr(chat, "bot", lambda: Bot(token, lambda _channel: None, f"{slack.url}/api"))
    monkeypatch.setattr(chat, "memory", lambda: notes)
    monkeypatch.setattr(webhook, "pace", lambda: lambda _channel: None)
    monkeypatch.setattr(webhook, "address", lambda: Hook(f"{slack.url}/services/planted-webhook-secret"))
    monkeypatch.setattr("handlers.outlet.time.sleep", SLEPT.append)
    for handler in (chat, webhook):
        monkeypatch.setattr(handler, "note", lambda *told, to: NOTED.append((*told[1:], *to)))
    monkeypatch.setattr(webhook, "took", lambda *_message: frozenset())
    SLEPT.clear()
    NOTED.clear()
    yield notes
    for build in caches:
        if hasattr(build, "cache_clear"):
            build.cache_clear()


SLEPT: list[float] = []
NOTED: list[tuple[str | int, ...]] = []
"""Who took which message: incident, number, place."""


class Hook:
    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self) -> str:
        return self._url

    def forget(self) -> None:
        """Nothing is kept."""


class Context(SimpleNamespace):
    """What Lambda hands in, with so much time left."""

    left = 60_000
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "x"

    def get_remaining_time_in_millis(self) -> int:
        return self.left


def context(**fields: Any) -> Any:
    return Context(**fields)


def batch(*parcels: Parcel) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": f"m{n}", "body": body(one), "attributes": {"MessageGroupId": one.service.name}}
            for n, one in enumerate(parcels)
        ]
    }


def body(one: Parcel) -> str:
    fields = {
        "cluster": one.service.cluster_arn,
        "service": one.service.name,
        "incident": one.incident,
        "sequence": one.sequence,
        "channel": one.channel,
        "post": one.post,
        "reply": one.reply,
    }
    return json.dumps(fields)


def failed(answer: Any) -> list[str]:
    return [entry["itemIdentifier"] for entry in answer["batchItemFailures"]]


def test_the_bot_delivers_a_batch(function: Notes, slack: Slack) -> None:
    """Every message of it, in order, to the default channel."""
    assert failed(chat.handler(batch(parcel(1), parcel(2)), context())) == []
    assert [message["text"] for message in slack.parents()] == ["state 2"]


def test_an_owner_reads_in_their_own_channel_too(function: Notes, slack: Slack) -> None:
    """A channel of the allow-list beside the default; one that is not in it is passed over."""
    chat.handler(batch(parcel(1, channel="C9999999999")), context())
    chat.handler(batch(parcel(2, incident="2", channel="C0666666666")), context())
    assert [message["channel"] for message in slack.parents()] == [CHANNEL, "C9999999999", CHANNEL]


def test_who_was_told_is_noted_when_slack_has_taken_it(function: Notes, slack: Slack) -> None:
    """Each channel for itself, and none that refused."""
    chat.handler(batch(parcel(1, channel="C9999999999")), context())
    webhook.handler(batch(parcel(2)), context())
    slack.moods = [BROKEN, DENIED]
    chat.handler(batch(parcel(3)), context())
    webhook.handler(batch(parcel(3)), context())
    assert [
        ("1", 1, f"Slack channel {CHANNEL}"),
        ("1", 1, "Slack channel C9999999999"),
        ("1", 2, "Slack, by a webhook"),
    ] == NOTED


def test_a_pause_is_kept_where_there_is_time(function: Notes, slack: Slack) -> None:
    """Seven seconds are waited for; what Slack did not take is said once more."""
    slack.moods = [LIMITED]
    assert failed(chat.handler(batch(parcel(1)), context())) == []
    assert SLEPT == [7]
    assert len(slack.parents()) == 1


def test_a_pause_for_which_there_is_no_time_waits_in_the_queue(function: Notes, slack: Slack) -> None:
    """Nothing is lost: all that was not delivered comes again."""
    slack.moods = [LIMITED]
    assert failed(chat.handler(batch(parcel(1), parcel(2)), context(left=40_000))) == ["m0", "m1"]
    assert SLEPT == []
    assert failed(chat.handler(batch(parcel(1)), context(left=10_000))) == ["m0"]


@pytest.mark.parametrize("mood", [BROKEN, GARBAGE, HANG, CLOSE])
def test_while_slack_is_down_everything_waits(function: Notes, slack: Slack, mood: str) -> None:
    """One try in a batch, the rest is delivered again; when Slack is back nothing is missing."""
    slack.moods = [mood]
    both = batch(parcel(1), parcel(2))
    assert failed(chat.handler(both, context())) == ["m0", "m1"]
    assert len(slack.calls) == 1
    assert failed(chat.handler(both, context())) == []
    assert slack.replies() == ["change 2"]


def test_one_message_that_is_refused_does_not_stop_the_others(function: Notes, slack: Slack) -> None:
    """Those of its own service wait behind it, so that their order stays; those of another go on."""
    other = Parcel(type(SERVICE)(SERVICE.cluster_arn, "shop"), "1", 1, "", {"text": "shop"}, "r")
    slack.moods = [GONE]
    assert failed(chat.handler(batch(parcel(1), parcel(2), other), context())) == ["m0", "m1"]
    assert [message["text"] for message in slack.parents()] == ["shop"]


def test_rubbish_in_the_queue_goes_its_own_way(function: Notes, slack: Slack) -> None:
    """It fails alone, and ends in the failure queue."""
    event = batch(parcel(1), Parcel(type(SERVICE)(SERVICE.cluster_arn, "shop"), "1", 1, "", {"text": "shop"}, "r"))
    event["Records"][0]["body"] = "rubbish"
    assert failed(chat.handler(event, context())) == ["m0"]


def test_a_token_that_is_no_longer_taken_is_read_anew(function: Notes, slack: Slack) -> None:
    """Somebody replaced it: the next delivery uses the new one, and no deployment is needed."""
    slack.moods = [DENIED]
    assert failed(chat.handler(batch(parcel(1)), context())) == ["m0"]
    assert failed(chat.handler(batch(parcel(1)), context())) == []


@pytest.mark.parametrize("mood", [DENIED, BROKEN, GARBAGE, GONE, CLOSE, LIMITED])
def test_no_log_holds_a_secret(
    function: Notes, slack: Slack, mood: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever goes wrong, neither token nor address is written anywhere."""
    slack.moods = [mood, mood]
    with caplog.at_level(logging.DEBUG):
        chat.handler(batch(parcel(1)), context(left=36_000))
        webhook.handler(batch(parcel(1)), context(left=36_000))
    written = capsys.readouterr()
    everything = " ".join([*(str(vars(record)) for record in caplog.records), written.out, written.err])
    assert "planted" not in everything
    assert "not delivered" in everything


def test_the_webhook_posts_each_change(function: Notes, slack: Slack) -> None:
    """It can neither edit nor reply: each change is a message."""
    assert failed(webhook.handler(batch(parcel(1), parcel(2)), context())) == []
    assert [call[1]["text"] for call in slack.calls] == ["state 1", "state 2"]
    slack.moods = [GONE]
    assert failed(webhook.handler(batch(parcel(3)), context())) == ["m0"]
