"""Parsing: which fields of an event are read, what is ignored, and what is refused with which words."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopbreaker.model import Container, Ignored, ServiceRef, ServiceSignal, TaskState
from loopbreaker.seeing.events import parse, unwrap
from loopbreaker.seeing.fields import MalformedEventError
from tests.task_events import (
    CLUSTER_ARN,
    CREATED,
    Json,
    arn,
    container,
    deployment_event,
    iso,
    service_action,
    task_stopped,
)
from tests.unit.reading import refusal, task, without

WEB = ServiceRef(CLUSTER_ARN, "web")


# -- task state changes -----------------------------------------------------------------------------------------------


def test_a_full_task_stop_is_read_field_by_field() -> None:
    """Every field that the detector uses comes out of a full event."""
    event = task_stopped(containers=[container(exit_code=137, reason="OutOfMemoryError: Container killed")])
    assert parse(event) == TaskState(
        task_arn=arn("task/prod/00000000000000000000000000000001"),
        service=WEB,
        last_status="STOPPED",
        stop_code="EssentialContainerExited",
        stopped_reason="Essential container in task exited",
        containers=(Container("web", 137, "OutOfMemoryError: Container killed"),),
        task_definition=arn("task-definition/web:7"),
        started_by="ecs-svc/1111111111111111111",
        created_at=CREATED,
        started_at=CREATED + 30,
        stopping_at=CREATED + 41,
        execution_stopped_at=CREATED + 40,
        stopped_at=CREATED + 65,
        sent_at=CREATED + 65,
    )


def test_only_five_fields_are_required() -> None:
    """A task event of the barest kind is read: what ECS left out is empty or None."""
    event = without(
        task_stopped(),
        *("group", "stopCode", "stoppedReason", "containers", "taskDefinitionArn", "startedBy", "startedAt"),
        *("stoppingAt", "executionStoppedAt", "stoppedAt", "updatedAt", "attachments", "launchType"),
    )
    state = task(event)
    assert (state.service, state.stop_code, state.stopped_reason) == (None, "", "")
    assert (state.containers, state.task_definition, state.started_by) == ((), "", "")
    assert (state.started_at, state.stopping_at, state.execution_stopped_at, state.stopped_at) == (None,) * 4


def test_null_is_absent() -> None:
    """JSON null stands for a field that was left out, as in API answers."""
    nulls = dict.fromkeys(["group", "stopCode", "stoppedReason", "containers", "startedBy", "startedAt", "stoppedAt"])
    event = task_stopped()
    assert parse(event | {"detail": event["detail"] | nulls}) == parse(without(event, *nulls))


def test_unknown_fields_are_tolerated() -> None:
    """A field of tomorrow, and a field nobody reads, may hold anything."""
    event = task_stopped(
        novelty={"deep": [1]}, overrides=7, containers=[container(exit_code=1, cpu="null", essential=5)]
    )
    assert task(event | {"trace": []}).containers == (Container("web", 1, ""),)


@pytest.mark.parametrize(
    ("group", "service"),
    [
        ("service:web", WEB),
        ("service:", None),
        ("family:web", None),
        ("components-gpu", None),
        ("", None),
        (None, None),
    ],
)
def test_the_group_names_the_service(group: str | None, service: ServiceRef | None) -> None:
    """Only `service:<name>` is a service's task; its cluster makes the name unique."""
    assert task(task_stopped(group=group)).service == service


def test_a_task_arn_of_the_old_form_is_enough() -> None:
    """Until 2020 task ARNs named no cluster; the task id is the last segment in both forms."""
    assert task(task_stopped(taskArn=arn("task/0000-0033"))).task_id == "0000-0033"


@pytest.mark.parametrize("code", [0, 1, 137, 254, 255, 3221225786, 4294967295, -1, -1073741819])
def test_exit_codes_are_numbers_of_32_bits(code: int) -> None:
    """Zero is a value, and Windows codes exceed 2**31."""
    assert task(task_stopped(containers=[container(exitCode=code)])).containers[0].exit_code == code


@pytest.mark.parametrize("fields", [{}, {"exitCode": None}])
def test_an_absent_exit_code_is_none(fields: Json) -> None:
    """A container that never ran has no exit code, which is not zero."""
    assert task(task_stopped(containers=[container(**fields)])).containers[0].exit_code is None


@pytest.mark.parametrize("digits", range(10))
@pytest.mark.parametrize(
    "zone", ["2026-01-01T00:00:23{}Z", "2026-01-01T02:30:23{}+02:30", "2025-12-31T19:00:23{}-05:00"]
)
def test_times_come_with_any_zone_and_any_fraction(zone: str, digits: int) -> None:
    """ISO 8601 with Z or an offset and up to nine digits of fraction; beyond microseconds they are cut."""
    fraction = ".123456999"[: digits + 1] if digits else ""
    seconds = 23 + int(fraction[1:7].ljust(6, "0")) / 1e6
    assert task(task_stopped(stopped=zone.format(fraction))).stopped_at == CREATED + seconds


def test_the_envelope_says_when_the_event_was_sent() -> None:
    """`time` is when ECS sent the event, whatever the task's own times are."""
    assert task(task_stopped(sent=CREATED + 99)).sent_at == CREATED + 99


def test_without_an_envelope_time_the_update_time_stands_for_it() -> None:
    """A relay that drops `time` loses nothing but precision."""
    assert task(task_stopped(sent=None, updatedAt=iso(CREATED + 77))).sent_at == CREATED + 77


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"taskArn": None}, "detail.taskArn: absent"),
        ({"taskArn": 7}, "detail.taskArn: not text but a number"),
        ({"taskArn": "task/1"}, "detail.taskArn: not the ARN of a task: 'task/1'"),
        ({"taskArn": arn("task/prod/")}, "detail.taskArn: not the ARN of a task"),
        ({"taskArn": arn("task/prod/a#b")}, "detail.taskArn: not the ARN of a task"),
        ({"clusterArn": "prod"}, "detail.clusterArn: not the ARN of a cluster: 'prod'"),
        ({"clusterArn": arn("task/prod")}, "detail.clusterArn: not the ARN of a cluster"),
        ({"clusterArn": "arn:aws:cluster/prod"}, "detail.clusterArn: not the ARN of a cluster"),
        (
            {"clusterArn": "x:aws:ecs:eu-west-1:123456789012:cluster/prod"},
            "detail.clusterArn: not the ARN of a cluster",
        ),
        ({"clusterArn": ["a"]}, "detail.clusterArn: not text but a list"),
        ({"lastStatus": None}, "detail.lastStatus: absent"),
        ({"lastStatus": ""}, "detail.lastStatus: absent"),
        ({"createdAt": None}, "detail.createdAt: absent"),
        ({"createdAt": "yesterday"}, "detail.createdAt: not an ISO 8601 time: 'yesterday'"),
        ({"createdAt": "2026-01-01T00:00:00"}, "detail.createdAt: not an ISO 8601 time"),
        ({"createdAt": 1767225600}, "detail.createdAt: not text but a number"),
        ({"stoppedAt": "0001-01-01T00:00:00Z"}, "detail.stoppedAt: not an ISO 8601 time"),
        ({"stoppedAt": "x" * 200}, f"detail.stoppedAt: not an ISO 8601 time: '{'x' * 79}…'"),
        ({"stopCode": {}}, "detail.stopCode: not text but an object"),
        ({"startedBy": True}, "detail.startedBy: not text but a boolean"),
        ({"group": "service:a#b"}, "detail.group: not the name of a service: 'service:a#b'"),
        ({"containers": {}}, "detail.containers: not a list but an object"),
        ({"containers": [container(), "web"]}, "detail.containers[1]: not an object but text"),
        ({"containers": [container(exitCode="137")]}, "detail.containers[0].exitCode: not an integer but text"),
        ({"containers": [container(exitCode=True)]}, "detail.containers[0].exitCode: not an integer but a boolean"),
        ({"containers": [container(exitCode=1.0)]}, "detail.containers[0].exitCode: not an integer but a number"),
        ({"containers": [container(exitCode=2**32)]}, "detail.containers[0].exitCode: more than 32 bits"),
        ({"containers": [container(), container() | {"name": 3}]}, "detail.containers[1].name: not text but a number"),
    ],
)
def test_a_bad_field_is_refused_by_its_path(change: Json, message: str) -> None:
    """The error says which field is wrong and how."""
    event = task_stopped()
    assert message in refusal(event | {"detail": event["detail"] | change})


def test_everything_wrong_is_listed_at_once() -> None:
    """Whoever repairs a relay sees all bad fields in one error."""
    event = task_stopped(createdAt="soon", stopCode=1, containers=[container(exitCode="x")])
    assert refusal(event).split("; ") == [
        "detail.createdAt: not an ISO 8601 time: 'soon'",
        "detail.stopCode: not text but a number",
        "detail.containers[0].exitCode: not an integer but text",
    ]


@pytest.mark.parametrize("sent", ["noon", 12])
def test_a_bad_envelope_time_is_refused(sent: object) -> None:
    """A wrong `time` is wrong, not absent."""
    assert refusal(task_stopped() | {"time": sent}).startswith("time: not ")


def test_an_event_without_any_time_of_sending_is_refused() -> None:
    """One of `time` and `detail.updatedAt` is needed."""
    message = refusal(without(task_stopped(sent=None), "updatedAt"))
    assert message == "time: absent, and so is detail.updatedAt"


def test_a_task_that_is_not_stopped_needs_only_what_every_task_has() -> None:
    """Before STOPPED the details are not ours to judge: wrong ones are read as absent."""
    event = task_stopped(last_status="RUNNING")
    wrong = {"stopCode": 1, "containers": "many", "startedAt": "soon"}
    state = task(event | {"detail": event["detail"] | wrong})
    assert (state.stop_code, state.containers, state.started_at) == ("", (), None)


def test_a_task_that_is_not_stopped_still_needs_its_creation_time() -> None:
    """The required fields are required in every state."""
    assert refusal(task_stopped(last_status="RUNNING", createdAt=None)) == "detail.createdAt: absent"


@pytest.mark.parametrize(("detail", "name"), [(None, "null"), ("{}", "text"), ([], "a list"), (1.5, "a number")])
def test_a_detail_that_is_no_object_is_refused(detail: object, name: str) -> None:
    """Without `detail` there is nothing to read."""
    assert refusal(task_stopped() | {"detail": detail}) == f"detail: not an object but {name}"


# -- what is not ours -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ECS Container Instance State Change", "EC2 Instance State-change Notification", ""])
def test_other_events_are_ignored(name: str) -> None:
    """A known envelope with another detail-type is somebody else's event."""
    assert parse(task_stopped() | {"detail-type": name}) == Ignored(f"detail-type {name!r}")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([], "not an EventBridge event: a list"),
        (7, "not an EventBridge event: a number"),
        (None, "not an EventBridge event: null"),
        ({}, "not an EventBridge event: an object without detail-type"),
        ({"detail-type": None}, "not an EventBridge event: an object without detail-type"),
        ({"detail-type": 7}, "detail-type: not text but a number"),
        ({"detail-type": []}, "detail-type: not text but a list"),
    ],
)
def test_what_is_no_event_at_all_is_refused(found: object, message: str) -> None:
    """Whatever is not an envelope of EventBridge came here by mistake, which someone should hear of."""
    assert refusal(found) == message


# -- anything ---------------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([iso(CREATED), CLUSTER_ARN]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def damaged_events(draw: st.DrawFn) -> object:
    """A good event with some fields replaced by anything."""
    event = draw(st.sampled_from([task_stopped(), service_action(), deployment_event()]))
    where = st.sampled_from(sorted(event["detail"]))
    detail = event["detail"] | draw(st.dictionaries(where, json_values, max_size=3))
    return event | {"detail": detail} | draw(st.dictionaries(st.sampled_from(sorted(event)), json_values, max_size=1))


@given(json_values | damaged_events())
def test_parsing_reads_or_refuses(found: object) -> None:
    """Whatever JSON comes, it is an event, or refused with a MalformedEventError and nothing else."""
    with suppress(MalformedEventError):
        assert isinstance(parse(found), TaskState | ServiceSignal | Ignored)


@given(st.text() | json_values.map(json.dumps) | json_values.map(lambda found: json.dumps({"body": json.dumps(found)})))
def test_unwrapping_opens_or_refuses(body: str) -> None:
    """Whatever text comes, unwrapping ends with a value or a MalformedEventError and nothing else."""
    with suppress(MalformedEventError):
        unwrap(body)
