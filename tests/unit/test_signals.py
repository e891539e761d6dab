"""Parsing of what ECS says of a service, and the wrappers that events come in."""

import json

import pytest

from loopbreaker.model import Ignored, ServiceRef, ServiceSignal, SignalKind, TaskState, daemon
from loopbreaker.seeing.events import parse, unwrap
from loopbreaker.seeing.fields import MalformedEventError
from tests.task_events import (
    CLUSTER_ARN,
    CREATED,
    Json,
    arn,
    daemon_action,
    deployment_event,
    iso,
    service_action,
    task_stopped,
)
from tests.unit.reading import refusal, without

WEB = ServiceRef(CLUSTER_ARN, "web")


def parse_signal(event: object) -> ServiceSignal:
    signal = parse(event)
    assert isinstance(signal, ServiceSignal)
    return signal


# -- signals ----------------------------------------------------------------------------------------------------------

ACTIONS = [SignalKind.START_IMPAIRED, SignalKind.PLACEMENT_FAILURE, SignalKind.CONFIGURATION_FAILURE]
DEPLOYMENTS = [SignalKind.DEPLOYMENT_IN_PROGRESS, SignalKind.DEPLOYMENT_COMPLETED, SignalKind.DEPLOYMENT_FAILED]


@pytest.mark.parametrize("kind", ACTIONS)
@pytest.mark.parametrize("old_arn", [True, False])
def test_a_service_action_is_a_signal_about_its_service(kind: SignalKind, old_arn: bool) -> None:
    """The service is found in both forms of its ARN."""
    event = service_action(kind.value, at=CREATED + 5, reason="RESOURCE:CPU", old_arn=old_arn)
    assert parse(event) == ServiceSignal(WEB, kind, CREATED + 5)


@pytest.mark.parametrize("kind", DEPLOYMENTS)
def test_a_deployment_event_is_a_signal_about_its_service(kind: SignalKind) -> None:
    """The documented event has no `clusterArn`: the ARN of the service names the cluster."""
    event = deployment_event(kind.value, at=CREATED + 5, reason="as it goes")
    assert parse(event) == ServiceSignal(WEB, kind, CREATED + 5)


def test_the_cluster_arn_of_the_detail_goes_first() -> None:
    """Where the event names its cluster itself, nothing is derived."""
    event = deployment_event(clusterArn=arn("cluster/other"))
    assert parse_signal(event).service == ServiceRef(arn("cluster/other"), "web")


def test_a_signal_without_its_own_time_takes_that_of_the_envelope() -> None:
    """`createdAt` and `updatedAt` are not promised."""
    assert parse_signal(service_action(at=None, sent=CREATED + 9)).at == CREATED + 9
    assert parse_signal(deployment_event(at=None, sent=CREATED + 9)).at == CREATED + 9


@pytest.mark.parametrize(
    "event",
    [
        service_action("SERVICE_STEADY_STATE"),
        service_action("SERVICE_DEPLOYMENT_COMPLETED"),
        service_action("TASKS_STARTED") | {"resources": []},
        deployment_event("SERVICE_TASK_START_IMPAIRED"),
    ],
)
def test_other_service_events_are_ignored(event: Json) -> None:
    """A steady state proves nothing, and a deployment is heard of from its own event only."""
    assert parse(event) == Ignored(f"{event['detail-type']} {event['detail']['eventName']!r}")


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (without(service_action(), "eventName"), "detail.eventName: absent"),
        (service_action() | {"resources": []}, "resources[0]: not the ARN of a service but null"),
        (service_action() | {"resources": "web"}, "resources[0]: not the ARN of a service but null"),
        (service_action() | {"resources": [3]}, "resources[0]: not the ARN of a service but a number"),
        (service_action() | {"resources": [CLUSTER_ARN]}, f"resources[0]: not the ARN of a service: '{CLUSTER_ARN}'"),
        (
            service_action() | {"resources": ["x:service/web"]},
            "resources[0]: not the ARN of a service: 'x:service/web'",
        ),
        (service_action() | {"resources": ["arn:service/web"]}, "resources[0]: not the ARN of a service"),
        (service_action() | {"resources": [arn("service/prod/w\ud800b")]}, "resources[0]: not the ARN of a service"),
        (service_action() | {"resources": ["x" + arn("service/prod/web")]}, "resources[0]: not the ARN of a service"),
        (service_action() | {"resources": ["arn:aws:ecs:x:service/a/b"]}, "resources[0]: not the ARN of a service"),
        (service_action(service="a/b"), "resources[0]: not the ARN of a service"),
        (service_action(service=""), "resources[0]: not the ARN of a service"),
        (deployment_event(cluster=""), "resources[0]: not the ARN of a service"),
        (service_action(service="a#b"), "resources[0]: not the ARN of a service"),
        (service_action(clusterArn="prod"), "detail.clusterArn: not the ARN of a cluster: 'prod'"),
        (service_action(at="now"), "detail.createdAt: not an ISO 8601 time: 'now'"),
        (service_action(at=None, sent=None), "time: absent"),
    ],
)
def test_a_signal_that_cannot_be_read_is_refused(event: Json, message: str) -> None:
    """A signal without a service, or with fields of the wrong kind, says so."""
    assert message in refusal(event)


# -- wrappers ---------------------------------------------------------------------------------------------------------

EVENT = task_stopped()


def sns(message: object, **fields: object) -> Json:
    return {"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:ecs", "Message": message} | fields


@pytest.mark.parametrize(
    "body",
    [
        EVENT,
        sns(json.dumps(EVENT)),
        {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:ecs", "Message": json.dumps(EVENT)},
        {"body": json.dumps(EVENT)},
        {"Records": [{"messageId": "1", "body": json.dumps(EVENT)}]},
        {"body": json.dumps(sns(json.dumps(EVENT)))},
        {"Records": [{"body": json.dumps(sns(json.dumps({"body": json.dumps(EVENT)})))}]},
        EVENT | {"body": "{}", "Message": "{}", "Type": "Notification"},
    ],
)
def test_relays_are_unwrapped(body: Json) -> None:
    """An event that came through SNS or another queue is the event."""
    assert unwrap(json.dumps(body)) == body if "detail-type" in body else unwrap(json.dumps(body)) == EVENT


@pytest.mark.parametrize("found", [[], 7, None, "text", {}, {"Message": "{}"}, {"Records": []}, sns(7), {"body": 7}])
def test_what_is_not_wrapped_is_left_as_it_is(found: object) -> None:
    """What unwrapping does not know, parsing judges."""
    assert unwrap(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "body: not JSON"),
        ("not json", "body: not JSON"),
        ("[" * 100_000, "body: not JSON"),
        ("9" * 10_000, "body: not JSON"),
        (json.dumps(sns("plain words")), "body: not JSON"),
        (json.dumps({"Records": [{"body": "{}"}] * 3}), "Records: 3 records in one message, where one belongs"),
    ],
)
def test_a_body_that_cannot_be_unwrapped_is_refused(body: str, message: str) -> None:
    """A body that is not JSON, at whatever depth, and a batch inside a message are refused."""
    with pytest.raises(MalformedEventError, match=message):
        unwrap(body)


def wrapped(times: int) -> str:
    body = json.dumps(EVENT)
    for _ in range(times):
        body = json.dumps({"body": body})
    return body


def test_wrappers_are_opened_up_to_four_deep() -> None:
    """Four relays are more than anybody has; five are a mistake or mischief."""
    assert unwrap(wrapped(4)) == EVENT
    with pytest.raises(MalformedEventError, match="wrapped more than 4 times"):
        unwrap(wrapped(5))


def test_a_service_whose_arn_names_no_cluster_is_not_ours() -> None:
    """Nobody can say which service it is, and to deliver it again would not help."""
    assert parse(without(service_action(old_arn=True), "clusterArn")) == Ignored("a service whose ARN names no cluster")


# -- managed daemons --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", ["TASK_FAILED_TO_RUN", "TASK_CREATION_FAILED"])
def test_a_daemon_that_cannot_start_is_a_signal_about_that_daemon(failure: str) -> None:
    """It is no service of its name; where no task was created the event names no resource."""
    found = parse_signal(daemon_action(failureType=failure, reason="RESOURCE:CPU"))
    assert found == ServiceSignal(daemon(CLUSTER_ARN, "agent"), SignalKind.START_IMPAIRED, CREATED)
    assert found.service.is_daemon
    assert found.service != ServiceRef(CLUSTER_ARN, "agent")
    assert not WEB.is_daemon


def test_when_a_daemon_could_not_start() -> None:
    """By its own time, or by that of the envelope where it names none."""
    later = daemon_action(createdAt=iso(CREATED - 30))
    assert parse_signal(later).at == CREATED - 30
    assert parse_signal(without(later, "createdAt")).at == CREATED


def test_of_several_resources_the_first_is_the_service() -> None:
    """As ECS lists them."""
    event = service_action()
    assert parse_signal(event | {"resources": [*event["resources"], arn("service/prod/other")]}).service == WEB


def test_a_daemon_s_task_belongs_to_the_daemon() -> None:
    """Its stops and what ECS says of it meet in one record."""
    task = parse(task_stopped(group="daemon:agent"))
    assert isinstance(task, TaskState)
    assert task.service == parse_signal(daemon_action()).service


def test_of_a_daemon_event_that_is_wrong_everything_wrong_is_named() -> None:
    """And what else ECS says of daemons is left aside."""
    assert isinstance(parse(daemon_action("DAEMON_DEPLOYMENT_PENDING")), Ignored)
    with pytest.raises(MalformedEventError) as caught:
        parse(daemon_action(daemonArn="agent", clusterArn=None, createdAt="soon"))
    for field in ("detail.daemonArn", "detail.clusterArn", "detail.createdAt"):
        assert field in str(caught.value)
