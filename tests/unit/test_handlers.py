"""What AWS calls, called as AWS does: real events, partial answers, one bad record among good ones."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from handlers import detect, notify, respond, sweep, wiring
from handlers.settings import Settings, SettingsError
from loopbreaker.aws.clients import client
from loopbreaker.aws.publisher import PublishError
from loopbreaker.aws.store import Table, to_item
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode, Policy
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record, Verdict
from loopbreaker.stories.notify import Library
from loopbreaker.stories.ports import Change, ConflictError, UnreadableError
from loopbreaker.stories.respond import Attended
from loopbreaker.stories.sweep import sweep as sweep_story
from loopbreaker.telling.messages import Message
from loopbreaker.treating.decide import Action, Decision
from loopbreaker.treating.scope import Scope
from loopbreaker.treating.steps import RECHECK
from tests.builders import SERVICE, T0, looping, trip
from tests.task_events import CLUSTER_ARN, CREATED, Json, deployment_event, service_action, task_stopped

THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "PutItem")
UNREACHED = ReadTimeoutError(endpoint_url="https://dynamodb")


@dataclass
class MemoryStore:
    """A table in memory. `faults` are raised by the next calls that name the service."""

    records: dict[ServiceRef, Record] = field(default_factory=dict)
    faults: dict[str, Exception] = field(default_factory=dict)
    lose_races: int = 0

    def load(self, service: ServiceRef) -> Record:
        if service.name in self.faults:
            raise self.faults[service.name]
        return self.records.get(service, Record(service=service))

    def save(self, record: Record) -> bool:
        if self.lose_races:
            self.lose_races -= 1
            return False
        self.records[record.service] = replace(record, version=record.version + 1)
        return True

    def due(self, *, now: float, limit: int) -> list[ServiceRef]:
        late = [r for r in self.records.values() if r.due_at is not None and r.due_at <= now]
        return [r.service for r in late][:limit]

    def all_records(self) -> list[Record]:
        return list(self.records.values())


@dataclass
class LambdaContext:
    """What Lambda passes beside the event."""

    function_name: str = "loopbreaker"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:loopbreaker"
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"
    remaining: tuple[int, ...] = (60_000,)

    def get_remaining_time_in_millis(self) -> int:
        """The next of the times that are left; the last one stays."""
        now, *later = self.remaining
        self.remaining = tuple(later) or (now,)
        return now


CONTEXT: Any = LambdaContext()
NO_FAILURES: dict[str, list[dict[str, str]]] = {"batchItemFailures": []}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    memory = MemoryStore()
    read = Settings.from_env({"TABLE_NAME": "loops", "INDEX_NAME": "due", "ACTION": "stop"}, needs=())
    for handler in (detect, sweep):
        monkeypatch.setattr(handler, "table", lambda: memory)
        monkeypatch.setattr(handler, "settings", lambda *_needs: read)
    return memory


def sqs(*bodies: Json | str) -> Json:
    """The event that Lambda makes of a batch of SQS messages; their ids are m0, m1, …"""
    return {
        "Records": [
            {
                "messageId": f"m{n}",
                "receiptHandle": "handle",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1767225600000"},
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:events",
                "awsRegion": "eu-west-1",
            }
            for n, body in enumerate(bodies)
        ]
    }


def stream(*steps: tuple[Record | None, Record]) -> Json:
    """The event that Lambda makes of a batch of the table's stream; sequence numbers are s0, s1, …"""
    records = []
    for number, (before, after) in enumerate(steps):
        images: Json = {
            "Keys": {name: value for name, value in to_item(after).items() if name in ("pk", "sk")},
            "NewImage": to_item(after),
            "SequenceNumber": f"s{number}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
        if before:
            images["OldImage"] = to_item(before)
        records.append(
            {"eventName": "MODIFY" if before else "INSERT", "eventSource": "aws:dynamodb", "dynamodb": images}
        )
    return {"Records": records}


def crash(generation: int, service: str = "web") -> Json:
    """The stop of one task of a one-task crash loop: created each 60 s, started 30 s and failed 40 s later."""
    return task_stopped(service=service, created=CREATED + 60 * generation, task_id=f"{generation:032x}")


def service(name: str) -> ServiceRef:
    return ServiceRef(CLUSTER_ARN, name)


def failed(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def metrics_of(output: str) -> dict[str, float]:
    """The sum of each metric that was printed in the embedded metric format."""
    found: dict[str, float] = {}
    for line in output.splitlines():
        blob = json.loads(line)
        for group in blob.get("_aws", {}).get("CloudWatchMetrics", []):
            for metric in group["Metrics"]:
                values, name = blob[metric["Name"]], metric["Name"]
                found[name] = found.get(name, 0) + sum(values if isinstance(values, list) else [values])
    return found


def logged(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, Any]]:
    """The fields of each log line with this message."""
    return [vars(record) for record in caplog.records if record.getMessage() == message]


@pytest.fixture(autouse=True)
def every_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


# -- detect -----------------------------------------------------------------------------------------------


def test_a_batch_becomes_records(
    store: MemoryStore, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Three generations of one service and one failure of another, in one batch: a suspicion, and a memory."""
    answer = detect.handler(sqs(*(crash(n) for n in range(3)), crash(0, "api")), CONTEXT)
    assert answer == NO_FAILURES
    assert store.records[SERVICE].suspicion is not None
    assert store.records[SERVICE].asked_at is not None
    assert store.records[service("api")].suspicion is None
    assert metrics_of(capsys.readouterr().out)["Failures"] == 4
    changed = {log["service_name"]: log for log in logged(caplog, "record changed")}
    assert changed["web"]["reason"] == "looks like a loop; ECS is asked"
    assert set(changed) == {"web"}


def test_one_bad_message_spoils_no_other(
    store: MemoryStore, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be read is delivered again and ends in the dead-letter queue; the rest is folded."""
    no_times = crash(1)
    del no_times["detail"]["createdAt"]
    answer = detect.handler(sqs(crash(0), "{not json", no_times, crash(2)), CONTEXT)
    assert failed(answer) == ["m1", "m2"]
    assert len(store.records[SERVICE].fast) == 2
    assert metrics_of(capsys.readouterr().out)["EventsMalformed"] == 2
    reasons = [log["reason"] for log in logged(caplog, "malformed event")]
    assert reasons[0].startswith("body: not JSON")
    assert "detail.createdAt" in reasons[1]


def test_a_batch_of_bad_messages_is_no_error_of_the_function(store: MemoryStore) -> None:
    """All of them are named, and nothing is raised."""
    assert failed(detect.handler(sqs("", "[]"), CONTEXT)) == ["m0", "m1"]
    assert store.records == {}


def test_ordinary_life_touches_no_table(store: MemoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    """Scaling in, standalone tasks, unfinished stops and foreign events are dropped without a word or a number."""
    ordinary = [
        task_stopped(stop_code="ServiceSchedulerInitiated"),
        task_stopped(group="family:job"),
        task_stopped(last_status="DEPROVISIONING"),
        {"detail-type": "EC2 Instance State-change Notification", "detail": {}},
        service_action("SERVICE_STEADY_STATE"),
    ]
    assert detect.handler(sqs(*ordinary), CONTEXT) == NO_FAILURES
    assert store.records == {}
    assert capsys.readouterr().out == ""


def test_statements_of_ecs_and_missing_capacity_are_folded(store: MemoryStore) -> None:
    """They have no failure to keep, and change the record all the same."""
    no_room = task_stopped(stop_code="TaskFailedToStart", reason="RESOURCE:MEMORY", containers=[])
    assert detect.handler(sqs(service_action(), no_room, deployment_event()), CONTEXT) == NO_FAILURES
    record = store.records[SERVICE]
    assert (len(record.impaired), len(record.unplaced)) == (1, 1)


def test_an_unfamiliar_stop_is_logged(store: MemoryStore, caplog: pytest.LogCaptureFixture) -> None:
    """A stop that ECS's scheduler does not explain is shown, so that the tables can be extended."""
    strange = task_stopped(stop_code="ServiceSchedulerInitiated", reason="the moon was full")
    detect.handler(sqs(strange), CONTEXT)
    assert store.records == {}
    (log,) = logged(caplog, "unfamiliar stop")
    assert log["stopped_reason"] == "the moon was full"


def test_repetition_saves_nothing(store: MemoryStore) -> None:
    """A batch that is delivered twice leaves the record at its version."""
    batch = sqs(*(crash(n) for n in range(3)))
    detect.handler(batch, CONTEXT)
    version = store.records[SERVICE].version
    assert detect.handler(batch, CONTEXT) == NO_FAILURES
    assert store.records[SERVICE].version == version


@pytest.mark.parametrize("fault", [THROTTLED, UNREACHED])
def test_a_busy_table_returns_only_what_it_refused(store: MemoryStore, fault: Exception) -> None:
    """The messages of that service are delivered again, those of the others are done."""
    store.faults["web"] = fault
    answer = detect.handler(sqs(crash(0), crash(0, "api"), "{", crash(1)), CONTEXT)
    assert failed(answer) == ["m2", "m0", "m3"]
    assert set(store.records) == {service("api")}
    store.faults.clear()
    assert detect.handler(sqs(crash(0), crash(1)), CONTEXT) == NO_FAILURES
    assert len(store.records[SERVICE].fast) == 2


def test_a_lost_race_is_run_again(store: MemoryStore) -> None:
    """Whoever saved first wins; the loser folds again, up to a limit, and then leaves it to the next delivery."""
    store.lose_races = 3
    assert detect.handler(sqs(crash(0)), CONTEXT) == NO_FAILURES
    store.lose_races = 100
    assert failed(detect.handler(sqs(crash(1)), CONTEXT)) == ["m0"]


def test_a_fault_of_ours_is_not_hidden(store: MemoryStore) -> None:
    """An error that nobody foresaw fails the function, and its alarm."""
    store.faults["web"] = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        detect.handler(sqs(crash(0)), CONTEXT)


# -- notify -----------------------------------------------------------------------------------------------


@dataclass
class Outbox:
    """A publisher that keeps what it is given, and raises the fault for the message of that number."""

    faults: dict[int, Exception] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)

    def publish(self, message: Message) -> None:
        if fault := self.faults.pop(len(self.sent), None):
            raise fault
        self.sent.append(message.subject)


@pytest.fixture
def outbox(monkeypatch: pytest.MonkeyPatch) -> Outbox:
    box = Outbox()
    monkeypatch.setattr(notify, "publisher", lambda: box)
    monkeypatch.setattr(notify, "library", lambda _context: Library())
    return box


LOOPS = tell(looping(), NoticeKind.LOOPING, at=T0, reason="replacements failed 3 times in a row")
CALM = Record(service=SERVICE, version=4, notices=LOOPS.notices)
ENDS = tell(CALM, NoticeKind.RECOVERED, at=T0 + 900, reason="it is over")
STEPS = ((None, LOOPS), (LOOPS, replace(LOOPS, version=4, touched_at=T0 + 9)), (replace(LOOPS, version=4), ENDS))
FOUND, OVER = (
    "[Loopbreaker] web is in a restart loop in prod",
    "[Loopbreaker] web is no longer in a restart loop in prod",
)


def test_each_change_sends_what_it_owes(
    outbox: Outbox, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """One message for the loop, none for a version that tells nothing, one for the recovery."""
    assert notify.handler(stream(*STEPS), CONTEXT) == NO_FAILURES
    assert outbox.sent == [FOUND, OVER]
    assert metrics_of(capsys.readouterr().out)["MessagesSent"] == 2
    assert [log["transition"] for log in logged(caplog, "message sent")] == ["looping", "recovered"]


@pytest.mark.parametrize("fault", [THROTTLED, UNREACHED, PublishError("ops: not taken")])
def test_a_message_that_is_not_taken_is_sent_again_in_order(outbox: Outbox, fault: Exception) -> None:
    """Lambda is told where to go on; nothing behind it is sent before it."""
    outbox.faults[1] = fault
    assert failed(notify.handler(stream(*STEPS), CONTEXT)) == ["s2"]
    assert outbox.sent == [FOUND]
    assert notify.handler(stream(STEPS[2]), CONTEXT) == NO_FAILURES
    assert outbox.sent == [FOUND, OVER]
    outbox.faults[2] = fault
    assert failed(notify.handler(stream(*STEPS), CONTEXT)) == ["s0"]


def test_two_messages_of_one_change_go_in_order(outbox: Outbox) -> None:
    """A loop that is found and left alone at once is told in two messages."""
    both = tell(LOOPS, NoticeKind.NOT_STOPPED, at=T0, reason="1 task still serves")
    notify.handler(stream((None, both)), CONTEXT)
    assert outbox.sent == [FOUND, "[Loopbreaker] web in prod loops on and was not acted on"]


# -- respond ----------------------------------------------------------------------------------------------


@dataclass
class Attention:
    """Stands for the story that `respond` calls: notes for whom, and answers or raises by service."""

    answers: dict[str, Attended | Exception] = field(default_factory=dict)
    attended: list[str] = field(default_factory=list)

    def __call__(self, service: ServiceRef, tools: object) -> Attended | None:
        assert tools == "tools"
        self.attended.append(service.name)
        answer = self.answers.get(service.name)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def attention(monkeypatch: pytest.MonkeyPatch) -> Attention:
    story = Attention()
    monkeypatch.setattr(respond, "look_and_act", story)
    monkeypatch.setattr(respond, "tools", lambda: "tools")
    return story


def asking(name: str, version: int = 1) -> tuple[None, Record]:
    return None, Record(service=service(name), version=version, asked_at=T0)


def test_a_failure_is_counted_once(store: MemoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    """A failed health check that is told of when the task drains, and again when it has stopped."""
    known: dict[str, Any] = {
        "stop_code": "ServiceSchedulerInitiated",
        "reason": "Task failed container health checks",
        "stopping": CREATED + 300,
        "execution_stopped": None,
    }
    drains, stopped = task_stopped(**known, last_status="DEACTIVATING"), task_stopped(**known, stopped=CREATED + 640)
    assert detect.handler(sqs(drains), CONTEXT) == NO_FAILURES
    assert "Failures" not in metrics_of(capsys.readouterr().out)
    before = dict(store.records)
    assert len(before[service("web")].fast) == 1
    detect.handler(sqs(stopped), CONTEXT)
    assert metrics_of(capsys.readouterr().out)["Failures"] == 1
    assert store.records == before


def test_each_service_is_attended_to_once_a_batch(attention: Attention) -> None:
    """Several versions of one record are one question."""
    batch = stream(asking("web"), asking("api"), asking("web", 2))
    assert respond.handler(batch, CONTEXT) == NO_FAILURES
    assert attention.attended == ["web", "api"]


@pytest.mark.parametrize("fault", [THROTTLED, UNREACHED, ConflictError("web: lost 8 races")])
def test_a_service_that_could_not_be_attended_to_comes_again(attention: Attention, fault: Exception) -> None:
    """After three tries, and when all others were attended to; with everything behind it, for Lambda takes what comes
    before the named record for done."""
    attention.answers["web"] = fault
    batch = [asking("old"), asking("web"), asking("api"), asking("web", 2)]
    (number,) = failed(respond.handler(stream(*batch), CONTEXT))
    assert number == "s1"
    assert attention.attended == ["old", "web", "api", "web", "web"]
    del attention.answers["web"]
    respond.handler(stream(*batch[int(number[1:]) :]), CONTEXT)
    assert set(attention.attended) == {"old", "web", "api"}


@pytest.mark.parametrize(
    ("before", "after", "let_go"),
    [
        ({"asked_at": T0 - 60}, {"due_at": T0 + 20}, True),
        ({"asked_at": T0 - 60}, {}, False),
        ({}, {"due_at": T0 + 20}, False),
        (None, {"due_at": T0 + 20}, False),
    ],
    ids=["asked before, and the clock asks on", "nobody asks on", "not asked before", "a new record"],
)
def test_a_second_wish_that_cannot_be_met_holds_up_no_lane(
    attention: Attention, before: Json | None, after: Json, let_go: bool
) -> None:
    """The first one is tried again by Lambda; where the clock asks on, nobody else in the lane waits for the others."""
    attention.answers["web"] = THROTTLED
    old = None if before is None else replace(Record(service=service("web")), **before)
    new = replace(Record(service=service("web"), version=1, asked_at=T0), **after)
    again = failed(respond.handler(stream((old, new), asking("api")), CONTEXT))
    assert again == ([] if let_go else ["s0"])
    assert attention.attended == ["web", "api", "web", "web"]


def test_a_wish_for_which_there_is_no_time_comes_again(attention: Attention) -> None:
    """And one of whose record before nothing can be read."""
    old = Record(service=service("web"), asked_at=T0 - 60)
    new = Record(service=service("web"), version=1, asked_at=T0, due_at=T0 + 20)
    late: Any = LambdaContext(remaining=(0,))
    assert failed(respond.handler(stream((old, new)), late)) == ["s0"]
    attention.answers["web"] = THROTTLED
    unreadable = stream((old, new))
    unreadable["Records"][0]["dynamodb"]["OldImage"]["body"] = {"S": "{"}
    assert failed(respond.handler(unreadable, CONTEXT)) == ["s0"]


def test_what_changed_is_logged_and_counted(
    attention: Attention, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A loop found, a service stopped, a loop ended: one line and one count each; no change, no line."""
    fresh, loop = Record(service=SERVICE), looping(opened_at=T0 + 130)
    stop = Decision(Action.STOP, "no-survivor", "no task serves")
    held = replace(loop, trip=trip())
    over = tell(fresh, NoticeKind.RECOVERED, at=T0 + 999, reason="the service was deleted")
    attention.answers = {
        "found": Attended(change=Change(before=fresh, after=loop), decision=None),
        "stopped": Attended(change=Change(before=loop, after=held), decision=stop),
        "over": Attended(change=Change(before=held, after=over), decision=None),
        "same": Attended(change=Change(before=loop, after=loop), decision=None),
    }
    respond.handler(stream(*(asking(name) for name in (*attention.answers, "nothing"))), CONTEXT)
    counts = metrics_of(capsys.readouterr().out)
    assert (counts["LoopsFound"], counts["ServicesStopped"], counts["LoopsEnded"]) == (1, 1, 1)
    assert counts["DetectionDelay"] == 30
    found, stopped, ended = logged(caplog, "record changed")
    assert (found["verdict"], found["reason"], found["action"]) == ("looping", "folded", None)
    assert (stopped["action"], stopped["reason"], stopped["breaker"]) == ("stop", "no task serves", "open")
    assert (ended["verdict"], ended["reason"], ended["category"]) == (
        Verdict.HEALTHY.value,
        "the service was deleted",
        "app-crash",
    )


# -- sweep ------------------------------------------------------------------------------------------------


def test_the_clock_asks_for_what_is_due(store: MemoryStore) -> None:
    """Services whose time has come are asked for; the others are not."""
    store.records = {
        SERVICE: Record(service=SERVICE, due_at=T0),
        service("later"): Record(service=service("later"), due_at=4e9),
        service("never"): Record(service=service("never")),
    }
    assert sweep.handler({}, CONTEXT) == {"asked": 1}
    asked = store.records[SERVICE]
    assert asked.asked_at is not None
    assert asked.due_at == asked.asked_at + RECHECK
    assert [r.asked_at for r in store.records.values()][1:] == [None, None]


def test_the_clock_believes_the_table_and_not_its_index(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the index still calls due may have been looked at; who loses the race has been looked at too."""
    names = ["moved", "cleared", "raced"]
    dues = [4e9, None, T0]
    store.records = {service(n): Record(service=service(n), due_at=due) for n, due in zip(names, dues, strict=True)}
    monkeypatch.setattr(store, "due", lambda **_: list(store.records))
    store.lose_races = 1
    assert sweep.handler({}, CONTEXT) == {"asked": 0}
    assert store.lose_races == 0
    assert all(record.asked_at is None for record in store.records.values())


# -- wiring -----------------------------------------------------------------------------------------------


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A function's environment, and nothing cached before or after."""
    cached = (wiring.settings, wiring.table, notify.publisher, respond.tools, client)
    for name, value in {"TABLE_NAME": "loops", "INDEX_NAME": "due", "TOPIC_ARN": "arn:topic", "ACTION": "stop"}.items():
        monkeypatch.setenv(name, value)
    for build in cached:
        build.cache_clear()
    yield monkeypatch
    for build in cached:
        build.cache_clear()


def test_everything_is_built_once_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    """The same table, publisher and tools for every invocation, with the mode that was configured."""
    assert isinstance(wiring.table(), Table)
    assert wiring.table() is wiring.table()
    assert notify.publisher() is notify.publisher()
    assert respond.tools() is respond.tools()
    assert (respond.tools().mode, respond.tools().policy, respond.tools().scope) == (Mode.STOP, Policy(), Scope())
    assert respond.tools().store is wiring.table()


def test_a_function_without_its_settings_says_so(environment: pytest.MonkeyPatch) -> None:
    """A missing variable is named at the first use."""
    environment.delenv("TABLE_NAME")
    with pytest.raises(SettingsError, match="TABLE_NAME is not set"):
        wiring.table()


# -- one unreadable record --------------------------------------------------------------------------------


def test_an_unreadable_record_stops_no_other_service(store: MemoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    """Its own events wait for somebody to mend it; those of the others are folded, and it is counted."""
    store.faults["web"] = UnreadableError("the record of web: Record.verdict: 'puzzled'")
    assert failed(detect.handler(sqs(crash(0), crash(0, "api")), CONTEXT)) == ["m0"]
    assert set(store.records) == {service("api")}
    assert metrics_of(capsys.readouterr().out)["RecordsUnreadable"] == 1


def test_an_unreadable_record_does_not_hold_up_a_look_at_others(
    attention: Attention, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is counted and passed over; to deliver it again would not make it readable."""
    attention.answers["web"] = UnreadableError("the record of web: Record.verdict: 'puzzled'")
    assert respond.handler(stream(asking("web"), asking("api")), CONTEXT) == NO_FAILURES
    assert attention.attended == ["web", "api"]
    assert metrics_of(capsys.readouterr().out)["RecordsUnreadable"] == 1


def test_an_unreadable_record_does_not_hold_up_the_clock(
    store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """However early it is due, those behind it are asked for."""
    web, api = SERVICE, service("api")
    store.records = {web: Record(service=web, due_at=T0), api: Record(service=api, due_at=T0 + 1)}
    store.faults["web"] = UnreadableError("the record of web: Record.verdict: 'puzzled'")
    assert sweep.handler({}, CONTEXT) == {"asked": 1}
    assert metrics_of(capsys.readouterr().out)["RecordsUnreadable"] == 1


def test_an_unreadable_change_does_not_hold_up_messages(outbox: Outbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The messages of the other changes go out."""
    batch = stream(*STEPS)
    batch["Records"][0]["dynamodb"]["NewImage"]["body"] = {"S": '{"verdict": "puzzled"}'}
    assert notify.handler(batch, CONTEXT) == NO_FAILURES
    assert outbox.sent == [OVER]
    assert metrics_of(capsys.readouterr().out)["RecordsUnreadable"] == 1


def test_a_slow_table_leaves_the_rest_for_the_next_delivery(store: MemoryStore) -> None:
    """A function that runs out of time would fail its whole batch; what it did not begin is named instead."""
    slow: Any = LambdaContext(remaining=(60_000, 25_001, 25_000))
    batch = sqs(crash(0), crash(0, "api"), crash(0, "late"), crash(1))
    assert failed(detect.handler(batch, slow)) == ["m2"]
    assert set(store.records) == {SERVICE, service("api")}


def test_a_run_of_the_clock_ends_before_the_next_begins(store: MemoryStore) -> None:
    """What it had no time for is the longest overdue of the next."""
    names = [service(f"s{number}") for number in range(10)]
    store.records = {name: Record(service=name, due_at=T0) for name in names}
    times = iter(T0 + 10.0 * number for number in range(20))
    assert sweep_story(store, clock=lambda: next(times), seconds=45, limit=100).asked == 5


FAR = 253_402_300_799.0  # 9999-12-31T23:59:59Z


@pytest.mark.parametrize(
    "event",
    [
        task_stopped(stopped=FAR),
        task_stopped(created=FAR - 3600, started=None, stopping=None, execution_stopped=None),
        task_stopped(sent=FAR),
        service_action(at=FAR),
    ],
)
def test_what_is_dated_in_the_future_is_refused(store: MemoryStore, event: Json) -> None:
    """It would stand as the newest failure for ever; somebody sees it in the dead-letter queue."""
    assert failed(detect.handler(sqs(event, crash(0)), CONTEXT)) == ["m0"]
    assert len(store.records[SERVICE].fast) == 1
