"""Each event is explained: what it is, whether it counts, and why."""

import json
from pathlib import Path

import pytest

from loopbreaker.model import Category, Label, ServiceRef, SignalKind
from loopctl.explain import Explanation, explain
from tests.task_events import CLUSTER_ARN, CREATED, Json, deployment_event, service_action, task_stopped

WEB = ServiceRef(CLUSTER_ARN, "web")
TASK = "00000000000000000000000000000001"
TABLE = Path(__file__).parents[1] / "events"


def test_a_failure_counts() -> None:
    """A task that crashed is a failure of its service."""
    assert explain(task_stopped()) == Explanation(
        task=TASK,
        service=WEB,
        label=Label.FAILURE,
        category=Category.APP_CRASH,
        counts=True,
        why="Container web crashed (exit code 1).",
        at=CREATED + 65,
    )


def test_every_stop_is_explained_as_the_detector_judges_it() -> None:
    """The events of the label table have its labels."""
    expected = json.loads((TABLE / "label_table.expected.json").read_text())
    for line in (TABLE / "label_table.jsonl").read_text().splitlines():
        event = json.loads(line)
        wanted, found = expected[event["id"]], explain(event)
        assert (found.label, found.category, found.counts) == (wanted["label"], wanted["category"], wanted["counts"])


@pytest.mark.parametrize(
    ("event", "label", "category", "service"),
    [
        (task_stopped(last_status="RUNNING", stop_code=None), Label.NOT_FINAL, None, WEB),
        (task_stopped(service=None), Label.STANDALONE, Category.APP_CRASH, None),
        (task_stopped(stop_code="UserInitiated"), Label.NORMAL, Category.USER_STOP, WEB),
    ],
)
def test_other_tasks_do_not_count(
    event: Json, label: Label, category: Category | None, service: ServiceRef | None
) -> None:
    """A task that runs, one that no service started, and one that a person stopped."""
    found = explain(event)
    assert (found.task, found.service, found.label, found.category) == (TASK, service, label, category)
    assert not found.counts
    assert found.why


def test_a_failed_health_check_that_drains_is_not_final_and_said_to_be_known() -> None:
    """It is one failure with the STOPPED event that follows, and that event is the one that counts."""
    reason = "Task failed ELB health checks in (elb web)"
    event = task_stopped(stop_code="ServiceSchedulerInitiated", reason=reason, last_status="DEACTIVATING")
    found = explain(event)
    assert (found.label, found.category, found.counts) == (Label.NOT_FINAL, None, False)
    assert found.why == (
        "The task failed the health checks of its load balancer, and is DEACTIVATING: "
        "one failure with the STOPPED event that follows."
    )


@pytest.mark.parametrize("kind", SignalKind)
def test_what_ecs_says_of_a_service_is_not_a_stop(kind: SignalKind) -> None:
    """It names the service, and says what comes of it."""
    event = deployment_event(kind.value) if kind.name.startswith("DEPLOYMENT") else service_action(kind.value)
    found = explain(event)
    assert (found.task, found.service, found.label, found.category) == (None, WEB, Label.NOT_A_STOP, None)
    assert kind.value in found.why
    assert not found.counts


def test_other_events_are_not_stops() -> None:
    """Whatever else was recorded is named."""
    found = explain({"detail-type": "EC2 Instance State-change Notification"})
    why = "Not used: detail-type 'EC2 Instance State-change Notification'."
    assert found == Explanation(None, None, Label.NOT_A_STOP, None, counts=False, why=why, at=None)


def test_what_cannot_be_read_is_invalid() -> None:
    """With everything that is wrong about it."""
    found = explain(task_stopped(clusterArn=7, createdAt="now"))
    assert (found.task, found.service, found.label, found.counts) == (None, None, Label.INVALID, False)
    assert "detail.clusterArn" in found.why
    assert "detail.createdAt" in found.why
