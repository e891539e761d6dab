"""The deployed stack, driven by events alone, with a simulated ECS that answers it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from time import time
from typing import Any

import pytest

from demo.wiring import open_queue, put, waiting
from loopbreaker.remembering.record import Verdict
from loopbreaker.remembering.trip import BreakerState
from simulation import Failure, Simulation, constant, crash, healthy
from tests.e2e.account import CLUSTER, Account, until
from tests.task_events import task_stopped

pytestmark = pytest.mark.e2e

STOP, ROLL_BACK, ONLY_TOLD = "payments", "search", "reports"
TAGS = {STOP: {"loopbreaker:action": "stop"}, ROLL_BACK: {"loopbreaker:action": "rollback"}, ONLY_TOLD: {}}
CRASHING = crash(Failure.APP_CRASH, after=constant(0.5))


@dataclass(frozen=True)
class Loops:
    """Three services that looped, and what people and automation were told until then."""

    account: Account
    subjects: dict[str, list[str]]
    events: list[dict[str, Any]]


@pytest.fixture(scope="module")
def automation(account: Account) -> str:
    """A queue for the events that the stack puts on the bus."""
    url, arn = open_queue(account.sqs, "automation", service="events")
    bus = account.aws.client("events")
    bus.put_rule(Name="automation", EventPattern=json.dumps({"source": ["loopbreaker"]}))
    bus.put_targets(Rule="automation", Targets=[{"Id": "queue", "Arn": arn}])
    return url


@pytest.fixture(scope="module")
def loops(account: Account, automation: str) -> Loops:
    """Two services lose what they need, a third gets a revision that crashes; then the cause is gone."""
    for name, tags in TAGS.items():
        account.create(name, count=2, tags=tags)
    for name in TAGS:
        account.settle(name)
    account.act(partial(_break, STOP))
    account.act(partial(_break, ONLY_TOLD))
    account.act(lambda ecs: ecs.deploy(CLUSTER, ROLL_BACK, behaviour=CRASHING))
    _wait_for_news(account, STOP, "was stopped")
    _wait_for_news(account, ROLL_BACK, "is being rolled back")
    until(lambda: _depth(account, ONLY_TOLD) >= 6, what=f"{ONLY_TOLD} fails six times in a row")
    account.act(lambda ecs: ecs.behave(CLUSTER, ONLY_TOLD, healthy()))
    account.settle(ONLY_TOLD)
    account.drained()
    subjects = {name: account.subjects(name) for name in TAGS}
    return Loops(account, subjects, [json.loads(body) for body in account.bodies(automation)])


@pytest.fixture
def impatient(account: Account) -> Iterator[None]:
    """The event queue gives a message to detect again after a second rather than minutes."""
    queue = {"QueueUrl": account.stack.event_queue}
    given = account.sqs.get_queue_attributes(**queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    account.sqs.set_queue_attributes(**queue, Attributes={"VisibilityTimeout": "1"})
    yield
    account.sqs.set_queue_attributes(**queue, Attributes=given)


def test_ordinary_life_costs_nothing(account: Account) -> None:
    """A roll-out, a scale-in and a person who stops a task invoke no function and write no item."""
    account.create("calm", count=3)
    account.settle("calm")
    invoked, items = account.invocations("detect"), account.items()
    churn: list[tuple[int, Callable[[Simulation], object]]] = [
        (3, lambda ecs: ecs.deploy(CLUSTER, "calm")),
        (2, lambda ecs: ecs.scale(CLUSTER, "calm", 1)),
        (1, lambda ecs: ecs.churn.stop_by_user(CLUSTER, "calm")),
    ]
    stopped = 0
    for more, action in churn:
        stopped += more
        account.act(action)
        _wait_for_stops(account, "calm", stopped)
    account.drained()
    assert account.invocations("detect") == invoked
    assert account.items() == items


@pytest.mark.usefixtures("impatient")
def test_a_malformed_event_ends_in_the_dead_letter_queue(account: Account) -> None:
    """What cannot be read is kept and named in the log; the rest of its batch is dealt with, wrapped by SNS or not."""
    broken = _crash_of("beside")
    del broken["detail"]["createdAt"]
    wrapped = {"TopicArn": account.stack.topic_arn, "Message": json.dumps(_crash_of("wrapped"))}
    malformed = ["{", json.dumps(broken)]
    bodies = [*malformed, json.dumps(_crash_of("beside")), json.dumps(wrapped), '{"detail-type": "Weather"}']
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
    account.sqs.send_message_batch(QueueUrl=account.stack.event_queue, Entries=entries)
    given_up = account.stack.event_dead_letters
    until(lambda: waiting(account.sqs, [given_up]) >= len(malformed), what="the malformed events are given up")
    account.drained()
    assert sorted(account.bodies(given_up)) == sorted(malformed)
    for name in ("beside", "wrapped"):
        assert [key.partition("#")[0] for key in account.items(name)] == ["SERVICE"]
    lines = [json.loads(line) for line in account.log("detect") if '"malformed event"' in line]
    assert {line["reason"].partition(":")[0] for line in lines} == {"body", "detail.createdAt"}


def test_people_are_told_of_a_loop_once(loops: Loops) -> None:
    """However often its tasks fail, and however often ECS says so, a loop makes one message."""
    assert loops.subjects[ONLY_TOLD] == _subjects(ONLY_TOLD, "is in a restart loop")


def test_a_service_that_did_not_opt_in_keeps_its_count(loops: Loops) -> None:
    """A loop of a service without the tag is told, and the service is never touched."""
    assert loops.account.desired_count(ONLY_TOLD) == 2
    assert loops.account.calls("UpdateService", ONLY_TOLD) == []


def test_a_service_without_survivors_is_stopped(loops: Loops) -> None:
    """Where its owner wants it, a service is set to 0 by one call; its count is kept, and people are told."""
    account = loops.account
    assert loops.subjects[STOP] == _subjects(STOP, "is in a restart loop", "was stopped")
    assert account.desired_count(STOP) == 0
    assert [call["desiredCount"] for call in account.calls("UpdateService", STOP)] == [0]
    record = account.record(STOP)
    assert record.breaker is BreakerState.OPEN
    assert record.trip
    assert record.trip.desired_count == 2


def test_a_deployment_that_loops_is_rolled_back(loops: Loops) -> None:
    """Where its owner wants it, ECS is asked to roll the deployment back; the count is left alone."""
    account = loops.account
    assert loops.subjects[ROLL_BACK] == _subjects(ROLL_BACK, "is in a restart loop", "is being rolled back")
    assert account.calls("UpdateService", ROLL_BACK) == []
    until(lambda: account.revision(ROLL_BACK) == 1, what=f"{ROLL_BACK} runs its first revision again")
    account.settle(ROLL_BACK)


def test_automation_hears_of_each_change(loops: Loops) -> None:
    """Each message is an event on the bus too, with the count to go back to where a service was stopped."""
    details = [event["detail"] for event in loops.events]
    told = [(detail["serviceName"], detail["transition"], detail.get("savedDesiredCount")) for detail in details]
    expected = [
        (STOP, "looping", None),
        (STOP, "stopped", 2),
        (ROLL_BACK, "looping", None),
        (ROLL_BACK, "rolled-back", None),
        (ONLY_TOLD, "looping", None),
    ]
    assert sorted(told, key=str) == sorted(expected, key=str)


def test_repeated_events_change_nothing(loops: Loops) -> None:
    """Every event of the past delivered once more: no record, no message and no call comes of it."""
    account = loops.account
    before = {name: (account.record(name), account.items(name)) for name in (STOP, ONLY_TOLD)}
    calls, told = account.calls("UpdateService", STOP), {name: account.subjects(name) for name in before}
    put(account.relay.bus, [event for name in before for event in _stopped(account, name)])
    account.drained()
    assert {name: (account.record(name), account.items(name)) for name in before} == before
    assert {name: account.subjects(name) for name in before} == told
    assert account.calls("UpdateService", STOP) == calls


def test_a_fix_brings_a_stopped_service_back(loops: Loops) -> None:
    """Another revision deployed on a service that was stopped is started with the count from before."""
    account = loops.account
    account.act(lambda ecs: ecs.deploy(CLUSTER, STOP))
    _wait_for_news(account, STOP, "was started again", while_time_passes=True)
    account.settle(STOP)
    assert account.desired_count(STOP) == 2
    assert [call["desiredCount"] for call in account.calls("UpdateService", STOP)] == [0, 2]


def test_people_are_told_of_a_recovery(loops: Loops) -> None:
    """Once a service has run quietly for long enough, its incident is closed and people hear of that, once."""
    account = loops.account
    _wait_for_news(account, ONLY_TOLD, "is no longer in a restart loop", while_time_passes=True)
    account.let_time_pass(ONLY_TOLD)
    account.drained()
    assert account.subjects(ONLY_TOLD) == _subjects(ONLY_TOLD, "is in a restart loop", "is no longer in a restart loop")
    assert account.record(ONLY_TOLD).verdict is Verdict.HEALTHY
    assert len([key for key in account.items(ONLY_TOLD) if key.startswith("INCIDENT#")]) == 1


def _break(name: str, ecs: Simulation) -> None:
    """From now on each task of the service dies, beginning with those that run."""
    ecs.behave(CLUSTER, name, CRASHING)
    ecs.churn.blip(CLUSTER, name)


def _subjects(name: str, *headlines: str) -> list[str]:
    return [f"[Loopbreaker] {name} {headline} in {CLUSTER}" for headline in headlines]


def _wait_for_news(account: Account, name: str, headline: str, *, while_time_passes: bool = False) -> None:
    def told() -> bool:
        if while_time_passes:
            account.let_time_pass(name)
        return any(headline in subject for subject in account.subjects(name))

    until(told, what=f"people are told that {name} {headline}")


def _depth(account: Account, name: str) -> int:
    incident = account.record(name).incident
    return incident.depth if incident else 0


def _crash_of(service: str) -> dict[str, Any]:
    """The event of a task of the service that has just crashed."""
    now = time()
    times: dict[str, Any] = {"stopping": now - 1, "execution_stopped": now - 1, "stopped": now}
    return task_stopped(service=service, created=now - 60, started=now - 30, **times)


def _stopped(account: Account, name: str) -> list[dict[str, Any]]:
    """The events of stopped tasks of a service that were put on the bus."""
    return [
        event
        for event in account.relay.events
        if event["detail"].get("lastStatus") == "STOPPED" and event["detail"]["group"] == f"service:{name}"
    ]


def _wait_for_stops(account: Account, name: str, number: int) -> None:
    def seen() -> set[str]:
        return {event["detail"]["taskArn"] for event in _stopped(account, name)}

    until(lambda: len(seen()) >= number, what=f"the bus has had the stops of {number} tasks of {name}")
