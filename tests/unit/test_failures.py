"""The failure that a stop is: when it happened, how long the task lived, whose it was."""

from dataclasses import replace

import pytest

from loopbreaker.model import Category, ServiceRef
from loopbreaker.seeing.reasons import classify, failure
from tests.task_events import CLUSTER_ARN, CREATED, Json, container, task_stopped
from tests.unit.reading import task


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
    ("stopping", "stopped", "expected"),
    [(CREATED + 900, CREATED + 930, 900.0), (None, CREATED + 930, 930.0), (None, None, 990.0)],
)
def test_a_clock_that_is_wrong_is_not_believed(
    *, stopping: float | None, stopped: float | None, expected: float
) -> None:
    """The agent's clock is 15 minutes slow: the task ended before it started, or long before ECS heard of it."""
    late = CREATED + 990
    for ended in (CREATED - 70, *([CREATED + 300] if stopping else [])):
        event = task_stopped(started=CREATED, stopping=stopping, execution_stopped=ended, stopped=stopped, sent=late)
        assert failed(event) == (expected, expected)


@pytest.mark.parametrize(
    ("started", "stopping", "ended", "failed_at"),
    [
        # A minute before ECS heard of it, and more.
        (0, 900, 840, 840),
        (0, 900, 839, 900),
        # A minute before it started, as ECS has it, and more.
        (300, None, 240, 240),
        (300, None, 239, 930),
        (None, None, -60, 0),
        (None, None, -61, 930),
    ],
)
def test_clocks_may_differ_by_a_minute(
    started: float | None, stopping: float | None, ended: float, failed_at: float
) -> None:
    """The agent's is believed so far; where it differs by more, ECS's own stands."""
    times = {"started": started, "stopping": stopping, "execution_stopped": ended, "stopped": 930}
    event = task_stopped(**{name: None if at is None else CREATED + at for name, at in times.items()})  # type: ignore[arg-type]
    assert failed(event)[0] == failed_at


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


def unhealthy(**fields: object) -> Json:
    """A task that fails its load balancer's health checks 300 s after its creation, in the given state."""
    known = {
        "stop_code": "ServiceSchedulerInitiated",
        "reason": "Task failed ELB health checks in (target-group arn:example)",
        "stopping": CREATED + 300,
        "execution_stopped": None,
        "containers": [container()],
        "last_status": "DEACTIVATING",
    }
    return task_stopped(**(known | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("status", ["DEACTIVATING", "STOPPING", "DEPROVISIONING"])
@pytest.mark.parametrize(
    "reason", ["Task failed ELB health checks in (elb web)", "Task failed container health checks"]
)
def test_a_failed_health_check_is_known_before_the_task_has_stopped(status: str, reason: str) -> None:
    """ECS says so when it decides; the STOPPED event, minutes later, tells of the very same failure."""
    early = task(unhealthy(last_status=status, reason=reason))
    drained = {"execution_stopped": CREATED + 620, "stopped": CREATED + 640, "containers": [container(exit_code=137)]}
    late = task(unhealthy(last_status="STOPPED", reason=reason, **drained))
    found = failure(early, classify(early))
    assert found is not None
    assert found.failed_at == CREATED + 300
    again = failure(late, classify(late))
    assert again is not None
    assert (found.late, again.late) == (0, 340)
    assert found == replace(again, late=0)
    assert not classify(early).counts
    assert status in classify(early).why
    assert classify(early).why.endswith("one failure with the STOPPED event that follows.")


@pytest.mark.parametrize(
    "event",
    [
        unhealthy(stopping=None),
        unhealthy(stopping="soon"),
        unhealthy(last_status="RUNNING"),
        unhealthy(stop_code="UserInitiated"),
        unhealthy(stop_code=None),
        unhealthy(reason="Scaling activity initiated by (deployment ecs-svc/1)"),
        unhealthy(group="family:web"),
        unhealthy(group="service:a#b"),
        task_stopped(last_status="DEACTIVATING"),
    ],
)
def test_nothing_else_is_known_before_the_task_has_stopped(event: Json) -> None:
    """Any other stop is judged at its end, and so is one of which ECS does not say since when."""
    state = task(event)
    assert failure(state, classify(state)) is None
