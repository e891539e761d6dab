"""What the parser and the classifier make of an event, and the events of the label table."""

import json
from pathlib import Path

import pytest

from loopbreaker.model import Classification, TaskState
from loopbreaker.seeing.events import parse
from loopbreaker.seeing.fields import MalformedEventError
from loopbreaker.seeing.reasons import classify
from tests.task_events import CREATED, Json, task_stopped

_EVENTS = Path(__file__).parent.parent / "events"
EXPECTED = json.loads((_EVENTS / "label_table.expected.json").read_text())
LABEL_TABLE = [json.loads(line) for line in (_EVENTS / "label_table.jsonl").read_text().splitlines()]


def task(event: object) -> TaskState:
    state = parse(event)
    assert isinstance(state, TaskState)
    return state


def refusal(event: object) -> str:
    with pytest.raises(MalformedEventError) as refused:
        parse(event)
    return str(refused.value)


def without(event: Json, *names: str) -> Json:
    """The event without fields of `detail`."""
    return event | {"detail": {name: value for name, value in event["detail"].items() if name not in names}}


def verdict(event: object) -> Classification:
    return classify(task(event))


def start_failure(reason: str = "Task failed to start", *containers: Json) -> Classification:
    return verdict(task_stopped(stop_code="TaskFailedToStart", reason=reason, containers=containers))


def told_to_stop(*containers: Json, stop_code: str | None, reason: str) -> Json:
    """A stop whose order of times says that it came from outside."""
    return task_stopped(
        stop_code=stop_code,
        reason=reason,
        containers=containers,
        stopping=CREATED + 40,
        execution_stopped=CREATED + 41,
    )
