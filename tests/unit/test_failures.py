"""The failure that a stop is: when it happened, how long the task lived, whose it was."""

import json
from pathlib import Path

import pytest

from loopbreaker.events import parse
from loopbreaker.model import Category, ServiceRef, TaskState
from loopbreaker.reasons import classify, failure
from tests.task_events import CLUSTER_ARN, CREATED, Json, container, task_stopped

EVENTS = Path(__file__).parent.parent / "events"
EXPECTED = json.loads((EVENTS / "label_table.expected.json").read_text())
LABEL_TABLE = [json.loads(line) for line in (EVENTS / "label_table.jsonl").read_text().splitlines()]


def task(event: object) -> TaskState:
    state = parse(event)
    assert isinstance(state, TaskState)
    return state


def failed(event: Json) -> tuple[float, float]:
    """(failed_at, lifetime), failed_at counted from the creation of the task."""
    state = task(event)
    found = failure(state, classify(state))
    assert found is not None
    return found.failed_at - CREATED, found.lifetime


def test_a_failure_carries_what_the_detector_needs() -> None:
    """Service, times, cause and deployment of a stop that counts."""
    state = task(task_stopped(containers=[container(exit_code=137)]))
    found = failure(state, classify(state))
    assert found is not None
    assert (found.service, found.task_id) == (ServiceRef(CLUSTER_ARN, "web"), "00000000000000000000000000000001")
    assert (found.created_at, found.failed_at, found.lifetime) == (CREATED, CREATED + 40, 10.0)
    assert (found.category, found.container, found.evidence) == (Category.KILLED, "web", "exit code 137")
    assert (found.exit_code, found.deployment_id) == (137, "ecs-svc/1111111111111111111")
    assert found.task_definition.endswith("task-definition/web:7")


@pytest.mark.parametrize(
    "event",
    [
        task_stopped(stop_code="ServiceSchedulerInitiated"),
        task_stopped(stop_code="TaskFailedToStart", reason="TaskFailedToStart: RESOURCE:CPU", containers=[]),
        task_stopped(last_status="DEPROVISIONING"),
        task_stopped(group="family:web"),
    ],
)
def test_a_stop_that_does_not_count_is_no_failure(event: Json) -> None:
    """Ordinary life, placement, unfinished stops and standalone tasks put nothing on the ladder."""
    state = task(event)
    assert failure(state, classify(state)) is None


@pytest.mark.parametrize(
    ("stopping", "execution_stopped", "stopped", "expected"),
    [
        (CREATED + 41, CREATED + 40, CREATED + 65, 40.0),
        (CREATED + 40, CREATED + 41, CREATED + 65, 40.0),
        (None, None, CREATED + 65, 65.0),
        (None, CREATED + 40, CREATED + 65, 40.0),
        (None, None, None, 90.0),
        (CREATED - 5, CREATED + 40, CREATED + 65, 0.0),
    ],
)
def test_a_task_failed_at_the_earliest_sign_of_its_stop(
    *, stopping: float | None, execution_stopped: float | None, stopped: float | None, expected: float
) -> None:
    """`stoppedAt` comes minutes late; the time of sending stands in for all, and nothing fails before it is created."""
    event = task_stopped(
        stopping=stopping, execution_stopped=execution_stopped, stopped=stopped, sent=CREATED + 90, started=None
    )
    assert failed(event) == (expected, 0.0)


@pytest.mark.parametrize(
    ("started", "lifetime"), [(CREATED + 30, 10.0), (CREATED + 40, 0.0), (CREATED + 48.6, 0.0), (None, 0.0)]
)
def test_a_lifetime_is_never_negative(started: float | None, lifetime: float) -> None:
    """A slow activation may be recorded after the crash; a task that never started lived no time at all."""
    assert failed(task_stopped(started=started)) == (40.0, lifetime)


def test_only_a_deployment_id_is_a_deployment_id() -> None:
    """`startedBy` may hold any text."""
    state = task(task_stopped(deployment="web"))
    found = failure(state, classify(state))
    assert found is not None
    assert found.deployment_id == ""
