"""`loopctl drill`: a loop that does not exist goes the way of a real one, and can never touch ECS."""

import json
from dataclasses import replace
from typing import Any

import pytest
from moto.events.models import EventPattern

from infra.events import DRILLS, HEALTH_CHECK_STOPS, SERVICE_SIGNALS, TASK_STOPS
from loopbreaker.drill import CLUSTER, SOURCE, WHAT_IT_IS, is_drill
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode, Policy
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record
from loopbreaker.seeing.events import parse
from loopbreaker.stories.detect import detect, observation
from loopbreaker.stories.respond import Tools, respond
from loopbreaker.telling.contents import Background, write
from loopbreaker.telling.words import Telling
from loopbreaker.thresholds import override
from loopbreaker.treating.scope import Scope
from loopctl.drill import Hop, Installation, entries, run
from loopctl.memory import MemoryStore
from tests.builders import looping

WHERE = "arn:aws:ecs:eu-west-1:123456789012"
NOW = 1_790_000_000.0


class Forbidden:
    """An ECS that nobody may as much as ask."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a drill asked ECS: {name}")


class Account:
    """The functions of an installation behind a bus, a table and a log; each save is worked off at once."""

    def __init__(self, *, mode: Mode = Mode.STOP, policy: Policy | None = None, deaf: bool = False) -> None:
        self.policy, self.now, self.deaf = policy or Policy(), NOW, deaf
        self.store = MemoryStore()
        self.told: list[str] = []
        self.tools = Tools(
            store=self.store, ecs=Forbidden(), mode=mode, scope=Scope(), policy=self.policy, clock=lambda: self.now
        )

    # -- the bus --------------------------------------------------------------------------------------------------

    def put_events(self, *, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803 - the API's name
        for entry in Entries if not self.deaf else []:
            event: Any = {
                "source": entry["Source"],
                "detail-type": entry["DetailType"],
                "time": json.loads(entry["Detail"])["stoppedAt"],
                "detail": json.loads(entry["Detail"]),
            }
            rule = EventPattern.load(json.dumps({"source": [SOURCE], **DRILLS}))
            assert rule.matches_event(event)
            seen = observation(parse(event))
            assert seen is not None
            detect([seen], store=self.store, policy=self.policy, now=self.now)
            self._work_off(seen.service)
        return {"FailedEntryCount": 0, "Entries": []}

    # -- the table ------------------------------------------------------------------------------------------------

    def load(self, service: ServiceRef) -> Record:
        return self.store.load(service)

    def save(self, record: Record) -> bool:
        saved = self.store.save(record)
        self._work_off(record.service)
        return saved

    # -- the log --------------------------------------------------------------------------------------------------

    def filter_log_events(self, *, logGroupName: str, filterPattern: str) -> dict[str, Any]:  # noqa: N803
        assert logGroupName == "notify"
        return {"events": [{"message": text} for text in self.told if filterPattern.strip('"') in text]}

    def _work_off(self, service: ServiceRef) -> None:
        if outcome := respond(service, self.tools):
            for notice in outcome.change.after.notices:
                self.told.append(f"message sent {notice.kind.value} {service.name}")

    def drill(self) -> list[Hop]:
        def sleep(seconds: float) -> None:
            self.now += seconds

        stack = Installation(events=self, logs=self, table=self, notify_log="notify", where=WHERE)
        return list(run(stack, clock=lambda: self.now, sleep=sleep))


@pytest.mark.parametrize("mode", Mode, ids=str)
def test_a_drill_goes_the_whole_way_and_never_asks_ecs(mode: Mode) -> None:
    """Even where the installation may stop services: found, told, over, and no call."""
    account = Account(mode=mode)
    hops = account.drill()
    assert [hop.what for hop in hops if hop.after is not None] == [
        "events on the bus",
        "counted by detect",
        "found by respond",
        "told by notify",
        "over again",
    ]
    (record,) = account.store.records()
    assert is_drill(record.service)
    assert record.trip is None
    assert {notice.kind for notice in record.notices} <= {NoticeKind.LOOPING, NoticeKind.RECOVERED}


def test_a_careful_policy_is_drilled_too() -> None:
    """Five generations are asked for, and the drill has them."""
    account = Account(policy=override(Policy(), {"fast.depth": 5, "slow.depth": 5}))
    assert all(hop.after is not None for hop in account.drill())


def test_a_hop_that_is_not_reached_says_where_to_look() -> None:
    """After three minutes, and nothing further is claimed."""
    account = Account(deaf=True)
    hops = account.drill()
    assert [(hop.what, hop.after is None) for hop in hops] == [
        ("events on the bus", False),
        ("counted by detect", True),
    ]
    assert "the rule Drill" in hops[-1].remedy
    assert account.now - NOW >= 180


def test_a_refusal_of_the_bus_is_told() -> None:
    """With the words of EventBridge."""

    class Refusing(Account):
        def put_events(self, *, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
            return {"FailedEntryCount": len(Entries), "Entries": [{"ErrorCode": "NotAuthorized"}]}

    (hop,) = Refusing().drill()
    assert (hop.after, hop.remedy) == (None, "EventBridge refused them: NotAuthorized")


def test_only_the_rule_for_drills_lets_a_drill_through() -> None:
    """And it lets through nothing else: not this source for a real cluster, not ECS's word for the drill's."""
    service = ServiceRef(f"{WHERE}:cluster/{CLUSTER}", "this-is-a-drill-1")
    (first, *_) = entries(service, now=NOW)
    event: Any = {"source": SOURCE, "detail-type": first["DetailType"], "detail": json.loads(first["Detail"])}
    real: Any = {**event, "detail": {**event["detail"], "clusterArn": f"{WHERE}:cluster/prod"}}
    of_drills = EventPattern.load(json.dumps({"source": [SOURCE], **DRILLS}))
    assert of_drills.matches_event(event)
    assert not of_drills.matches_event(real)
    pretended: Any = {**event, "source": "aws.ecs"}
    assert not of_drills.matches_event(pretended)
    for pattern in (TASK_STOPS, HEALTH_CHECK_STOPS, SERVICE_SIGNALS):
        assert not EventPattern.load(json.dumps({"source": ["aws.ecs"], **pattern})).matches_event(event)


def test_the_messages_say_what_it_is() -> None:
    """Who reads one at night need not look further."""
    record = tell(looping(), NoticeKind.LOOPING, at=NOW, reason="three in a row")
    drilled = replace(record, service=ServiceRef(f"{WHERE}:cluster/{CLUSTER}", "this-is-a-drill-1"))
    letter = write(Telling(before=None, after=drilled, notice=drilled.notices[-1]), Background())
    assert letter.facts[0] == ("Drill", WHAT_IT_IS)
    plain = write(Telling(before=None, after=record, notice=record.notices[-1]), Background())
    assert "Drill" not in dict(plain.facts)
