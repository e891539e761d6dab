"""AWS DevOps Agent is asked once for each incident, so many times a day, and its end is said in the thread."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from handlers import investigate as handler
from handlers import wiring
from loopbreaker.aws.devops_agent import CaseTable, DevOpsAgent
from loopbreaker.drill import CLUSTER
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.stories.investigate import Began, Investigated, finding, investigate
from loopbreaker.stories.post import post
from loopbreaker.telling.parcel import Parcel, pack, packed, unpack
from tests.aws.fake_clients import FakeClient, refusal
from tests.builders import SERVICE, T0, looping
from tests.schema import create_table
from tests.telling.test_slack import CHANNEL, Notes, World, context
from tests.telling.told import told

SPACE = "0a1b2c3d-0000-4000-8000-000000000000"
PARCEL = unpack(pack(told(looping(), NoticeKind.LOOPING)))


class Killed(BaseException):
    """The function was killed; nothing catches it."""


@pytest.fixture
def cases() -> Iterator[CaseTable]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        create_table(client, "records")
        yield CaseTable(client, "records", clock=lambda: T0)


class Agent:
    """Knows what it was asked by the name of the incident, as the client token makes the real one."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def begin(self, parcel: Parcel) -> str:
        self.asked.append(parcel.incident)
        return f"task-{parcel.incident}"


def of(incident: str, kind: NoticeKind = NoticeKind.LOOPING) -> Parcel:
    return replace(PARCEL, incident=incident, transition=kind.value)


def test_each_incident_is_investigated_once(cases: CaseTable) -> None:
    """Not once for each failure, message or repetition."""
    agent = Agent()
    kinds = [NoticeKind.LOOPING, NoticeKind.LOOPING, NoticeKind.STILL_LOOPING, NoticeKind.STOPPED, NoticeKind.RECOVERED]
    came = [investigate(of("1", kind), agent=agent, cases=cases, most=5) for kind in kinds]
    assert came == [Began.BEGUN, *[Began.NOT_NEEDED] * 4]
    assert investigate(of("2", NoticeKind.MASS), agent=agent, cases=cases, most=5) is Began.BEGUN
    assert agent.asked == ["1", "2"]
    assert cases.of("task-1") == Investigated(SERVICE, "1")
    assert cases.of("task-9") is None


def test_a_day_has_its_fill(cases: CaseTable) -> None:
    """A storm of incidents costs what was agreed to, and the next day begins anew."""
    agent = Agent()
    came = [investigate(of(str(n)), agent=agent, cases=cases, most=3) for n in range(6)]
    assert came == [Began.BEGUN] * 3 + [Began.ENOUGH] * 3
    tomorrow = CaseTable(cases._client, "records", clock=lambda: T0 + 86_400)
    assert investigate(of("9"), agent=agent, cases=tomorrow, most=3) is Began.BEGUN


def test_what_is_no_incident_is_not_investigated(cases: CaseTable) -> None:
    """A drill is of nothing, and a tag is no loop."""
    agent = Agent()
    drill = replace(of("1"), service=ServiceRef(f"arn:aws:ecs:eu-west-1:123456789012:cluster/{CLUSTER}", "drill"))
    for parcel in (drill, replace(of("1"), incident=""), of("1", NoticeKind.BAD_TAG), replace(of("1"), transition="")):
        assert investigate(parcel, agent=agent, cases=cases, most=5) is Began.NOT_NEEDED
    assert agent.asked == []


@pytest.mark.parametrize("dies_at", range(3))
def test_killed_at_any_call_begins_nothing_twice(cases: CaseTable, dies_at: int) -> None:
    """The client token is the incident's, so the repetition is given the same task."""
    made: list[str] = []

    class Deadly(CaseTable):
        def allow(self, *, most: int) -> bool:
            allowed = super().allow(most=most)
            self._die(0)
            return allowed

        def keep(self, parcel: Parcel, task: str) -> None:
            self._die(1)
            super().keep(parcel, task)
            self._die(2)

        def _die(self, at: int) -> None:
            if at == dies_at and not made.count("dead"):
                made.append("dead")
                raise Killed

    deadly, agent = Deadly(cases._client, "records", clock=lambda: T0), Agent()
    with pytest.raises(Killed):
        investigate(of("1"), agent=agent, cases=deadly, most=5)
    investigate(of("1"), agent=agent, cases=deadly, most=5)
    assert set(agent.asked) == {"1"}
    assert cases.of("task-1") == Investigated(SERVICE, "1")


def test_the_call_is_what_aws_takes() -> None:
    """Checked against the SDK's model of the service; the same incident has the same token, another has not."""
    made = {"agentSpaceId": SPACE, "taskId": "t", "title": "x", "taskType": "INVESTIGATION", "priority": "HIGH"}
    made |= {"status": "PENDING_START", "createdAt": "2026-01-01", "updatedAt": "2026-01-01"}
    client = FakeClient("devops-agent", create_backlog_task={"task": made | {"version": 1}})
    agent = DevOpsAgent(lambda: client, SPACE)
    for incident in ("1", "1", "2"):
        assert agent.begin(replace(of(incident), title="t" * 999, text="x" * 20_000)) == "t"
    one, again, other = (parameters["clientToken"] for _, parameters in client.calls)
    assert one == again != other
    assert len(one) <= 64


# -- in the thread ----------------------------------------------------------------------------------------


def test_the_end_is_a_reply_and_changes_no_state() -> None:
    """The message of the incident stays as it was, and the thread has one line more, once."""
    chat, notes = World(), Notes()
    post(of("1"), CHANNEL, chat=chat, memory=notes)
    (before,) = chat.parents.values()
    said = finding(Investigated(SERVICE, "1"), said="investigation completed", space=SPACE, task="t1", execution="e1")
    for _ in range(2):
        post(unpack(packed(said)), CHANNEL, chat=chat, memory=notes)
    assert list(chat.parents.values()) == [before]
    (reply,) = chat.replies
    assert "AWS DevOps Agent: investigation completed" in reply
    assert f"aws devops-agent list-journal-records --agent-space-id {SPACE} --execution-id e1" in reply


def test_a_parcel_of_before_is_read() -> None:
    """What was on its way while the stack was updated has no transition, and is delivered all the same."""
    old = json.loads(pack(told(looping(), NoticeKind.LOOPING)))
    for name in ("transition", "title", "text"):
        del old[name]
    assert unpack(json.dumps(old)).transition == ""


# -- the function -----------------------------------------------------------------------------------------


@pytest.fixture
def function(cases: CaseTable, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Agent, FakeClient]]:
    for name, value in {
        "TABLE_NAME": "records",
        "AGENT_SPACE": SPACE,
        "AGENT_DAILY": "5",
        "CHAT_QUEUE": "https://sqs.eu-west-1.amazonaws.com/123456789012/chat.fifo",
    }.items():
        monkeypatch.setenv(name, value)
    wiring.settings.cache_clear()
    handler.read.cache_clear()
    agent, sqs = Agent(), FakeClient("sqs", send_message={"MessageId": "1", "MD5OfMessageBody": "x"})
    monkeypatch.setattr(handler, "agent", lambda: agent)
    monkeypatch.setattr(handler, "cases", lambda: cases)
    monkeypatch.setattr(handler, "client", lambda _name: sqs)
    yield agent, sqs
    wiring.settings.cache_clear()
    handler.read.cache_clear()


def ended(task: str, how: str = "Investigation Completed") -> dict[str, Any]:
    """The event in the form of AWS's own page."""
    metadata = {"agent_space_id": SPACE, "task_id": task, "execution_id": "e1"}
    data = {"task_type": "INVESTIGATION", "priority": "HIGH", "status": "COMPLETED", "summary_record_id": "s1"}
    return {
        "detail-type": how,
        "source": "aws.aidevops",
        "detail": {"version": "1.0.0", "metadata": metadata, "data": data},
    }


def test_from_the_queue_to_the_agent_and_back_to_the_thread(function: tuple[Agent, FakeClient]) -> None:
    """A loop is investigated, and the end of that investigation, and of no other, goes to the bot's queue."""
    agent, sqs = function
    record = {"messageId": "m0", "body": packed(PARCEL), "attributes": {"MessageGroupId": "web"}}
    assert handler.handler({"Records": [record]}, context()) == {"batchItemFailures": []}
    assert agent.asked == [PARCEL.incident]
    handler.handler(ended("somebody-elses"), context())
    assert sqs.calls == []
    handler.handler(ended(f"task-{PARCEL.incident}", "Investigation Timed Out"), context())
    ((_, sent),) = sqs.calls
    parcel = unpack(sent["MessageBody"])
    assert (parcel.service, parcel.incident, parcel.sequence) == (SERVICE, PARCEL.incident, 0)
    assert "investigation timed out" in parcel.reply


@pytest.mark.parametrize("event", [{}, {"detail-type": 3}, {"detail-type": "x", "detail": {"metadata": []}}])
def test_an_event_of_another_shape_is_passed_over(function: tuple[Agent, FakeClient], event: dict[str, Any]) -> None:
    """With a word in the log."""
    assert handler.handler(event, context()) == {"batchItemFailures": []}
    assert function[1].calls == []


def test_an_agent_that_refuses_keeps_nobody_waiting(
    function: tuple[Agent, FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message is delivered again, and ends in the failure queue of this channel alone."""
    client = FakeClient("devops-agent", create_backlog_task=refusal("AccessDeniedException", "CreateBacklogTask"))
    refusing = DevOpsAgent(lambda: client, SPACE)
    monkeypatch.setattr(handler, "agent", lambda: refusing)
    record = {"messageId": "m0", "body": packed(PARCEL), "attributes": {"MessageGroupId": "web"}}
    assert handler.handler({"Records": [record]}, context()) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
