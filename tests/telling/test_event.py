"""The event for programs, and the schema that is published of it."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from jsonschema import ValidationError

from loopbreaker.remembering.incident import Signal
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record, Verdict
from loopbreaker.remembering.trip import BreakerState, Step
from loopbreaker.telling.advice import ADVICE
from loopbreaker.telling.letter import Severity
from loopbreaker.telling.messages import compose
from tests.builders import SERVICE, looping, trip
from tests.event_schema import SCHEMA, follows_schema
from tests.task_events import CLUSTER_ARN
from tests.telling.told import CASES, NAMES, NOW, held, of, told


def test_the_event_in_full() -> None:
    """Names, times and numbers for programs."""
    message = told(held(desired_count=3), NoticeKind.STOPPED, "desired count set from 3 tasks to 0")
    assert message.detail_type == "Restart Loop State Change"
    assert message.resources == ("arn:aws:ecs:eu-west-1:123456789012:service/prod/web",)
    assert message.detail == {
        "version": 2,
        "id": f"{CLUSTER_ARN}#web#1#1767229210.000",
        "transition": "stopped",
        "severity": "critical",
        "headline": "web was stopped",
        "state": "held at 0 tasks by Loopbreaker; it had 3",
        "at": "2026-01-01T01:00:10Z",
        "reason": "desired count set from 3 tasks to 0",
        "clusterArn": CLUSTER_ARN,
        "serviceName": "web",
        "verdict": "looping",
        "breaker": "open",
        "incident": "1767225690",
        "profile": "fast",
        "category": "app-crash",
        "depth": 4,
        "failedTasks": 4,
        "firstFailureAt": "2026-01-01T00:00:10Z",
        "lastFailureAt": "2026-01-01T00:01:40Z",
        "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7",
        "container": "web",
        "evidence": "exit code 1",
        "exitCode": 1,
        "savedDesiredCount": 3,
    }


def test_a_count_is_saved_only_while_we_hold_the_service() -> None:
    """A trip that has not stopped anything yet has saved nothing for people; while one task is tried it has."""
    assert told(held(BreakerState.HALF_OPEN), NoticeKind.PROBING).detail["savedDesiredCount"] == 2
    assert "savedDesiredCount" not in told(looping(trip=trip(step=Step.TAG, zeroed=False)), NoticeKind.LOOPING).detail
    assert "savedDesiredCount" not in told(looping(), NoticeKind.LOOPING).detail


def test_each_message_of_a_service_has_its_own_id() -> None:
    """Two messages of one step differ, and a repetition does not; the later one has the greater sequence."""
    record = tell(looping(), NoticeKind.LOOPING, at=NOW, reason="a")
    after = tell(record, NoticeKind.NOT_STOPPED, at=NOW, reason="b")
    first, second = (compose(looping(), after, notice) for notice in after.notices)
    assert first.detail["id"] != second.detail["id"]
    assert first.detail["id"] == compose(None, after, after.notices[0]).detail["id"]
    assert first.sequence < second.sequence
    assert first.thread == second.thread


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("record", [Record(service=SERVICE), looping(task_definition="", depth=0, failed_tasks=0)])
def test_every_event_follows_the_published_schema(record: Record, signal: Signal, kind: NoticeKind) -> None:
    """docs/event.schema.json describes what is sent, for every transition and signal."""
    if record.incident:
        record = looping(signal=signal)
    message = told(record, kind)
    follows_schema(json.loads(json.dumps(message.detail)))
    assert SCHEMA["title"] == message.detail_type


@pytest.mark.parametrize("name", NAMES)
def test_every_previewed_event_follows_it(name: str) -> None:
    """With all that a diagnosis adds."""
    follows_schema(of(CASES[NAMES.index(name)]).detail)


def test_the_schema_knows_every_word_and_no_other() -> None:
    """A transition, severity, verdict, breaker state, profile or category that is added must be published too."""
    words: dict[str, Iterable[str]] = {
        "transition": NoticeKind,
        "severity": Severity,
        "verdict": Verdict,
        "breaker": BreakerState,
        "profile": Signal,
        "category": ADVICE,
    }
    for name, kind in words.items():
        assert SCHEMA["properties"][name]["enum"] == [str(word) for word in kind]


def test_every_property_of_the_schema_is_sent_by_some_message() -> None:
    """The schema describes nothing that does not exist."""
    sent = {name for case in CASES for name in of(case).detail}
    assert set(SCHEMA["properties"]) == sent | {"text"}


@pytest.mark.parametrize(
    "change",
    [
        {"transition": "exploded"},
        {"depth": -1},
        {"at": "yesterday"},
        {"version": 1},
        {"depth": "3"},
        {"severity": "bad"},
        {"headline": ""},
        {"changes": [{"what": "image"}]},
    ],
)
def test_the_check_of_the_schema_can_fail(change: dict[str, Any]) -> None:
    """A detail of another shape is found out."""
    with pytest.raises(ValidationError):
        follows_schema(told(looping(), NoticeKind.LOOPING).detail | change)


def test_log_lines_are_not_in_the_event() -> None:
    """What a container wrote is for the people who are told, not for every subscriber of the bus."""
    detail = json.dumps(of(CASES[NAMES.index("looping-app-crash")]).detail)
    assert "KeyError" not in detail
