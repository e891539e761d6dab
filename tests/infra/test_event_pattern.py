"""Which events reach the queue: the rules of the template, judged by events as ECS sends them.

The matching is moto's: its buses would need one more package to deliver to a queue.
"""

import json
from typing import Any

import pytest
from moto.events.models import EventPattern

from infra.events import DRILLS, HEALTH_CHECK_STOPS, SERVICE_SIGNALS, TAG_CHANGES, TAG_SOURCE, TASK_STOPS
from loopbreaker.drill import SOURCE
from tests.infra.resources import of_type
from tests.task_events import daemon_action, deployment_event, service_action, task_stopped

Json = dict[str, Any]

FAILURES = {
    "crash": task_stopped(),
    "failed to start": task_stopped(stop_code="TaskFailedToStart"),
    "load balancer health check": task_stopped(
        stop_code="ServiceSchedulerInitiated", reason="Task failed ELB health checks in (target-group arn:example)"
    ),
    "container health check": task_stopped(
        stop_code="ServiceSchedulerInitiated", reason="Task failed container health checks"
    ),
    "unhealthy, drains": task_stopped(
        stop_code="ServiceSchedulerInitiated",
        reason="Task failed ELB health checks in (target-group arn:example)",
        last_status="DEACTIVATING",
    ),
    "no stop code": task_stopped(stop_code=None, reason="Essential container in task exited"),
    "no reason": task_stopped(reason=None),
    "start impaired": service_action("SERVICE_TASK_START_IMPAIRED"),
    "placement": service_action("SERVICE_TASK_PLACEMENT_FAILURE", reason="RESOURCE:MEMORY"),
    "configuration": service_action("SERVICE_TASK_CONFIGURATION_FAILURE"),
    "daemon's crash": task_stopped(group="daemon:agent"),
    "daemon impaired": daemon_action(),
}
ORDINARY = {
    "scale-in or roll-out": task_stopped(stop_code="ServiceSchedulerInitiated"),
    "zones are balanced": task_stopped(
        stop_code="ServiceSchedulerInitiated",
        reason="Availability-zone rebalancing initiated by (deployment ecs-svc/1111111111111111111)",
    ),
    "maintenance": task_stopped(
        stop_code="ServiceSchedulerInitiated",
        reason="ECS is performing maintenance on the underlying infrastructure hosting the task",
    ),
    "maintenance, with the service's name": task_stopped(
        stop_code="ServiceSchedulerInitiated",
        reason="Service web: ECS is performing maintenance on the underlying infrastructure hosting the task",
    ),
    "drained host": task_stopped(
        stop_code="ServiceSchedulerInitiated", reason="The container instance is in DRAINING state"
    ),
    "drained instance": task_stopped(
        stop_code="ServiceSchedulerInitiated", reason="Task stopped during instance draining"
    ),
    "stopped by a person": task_stopped(stop_code="UserInitiated"),
    "spot": task_stopped(stop_code="SpotInterruption"),
    "host terminated": task_stopped(stop_code="TerminationNotice"),
    "host lost": task_stopped(stop_code="InfrastructureHealth", reason="Host lost"),
    "not stopped yet": task_stopped(last_status="DEPROVISIONING"),
    "crashed, drains": task_stopped(last_status="DEACTIVATING"),
    "scaled in, drains": task_stopped(stop_code="ServiceSchedulerInitiated", last_status="DEACTIVATING"),
    "unhealthy, drained": task_stopped(
        stop_code="ServiceSchedulerInitiated", reason="Task failed container health checks", last_status="STOPPING"
    ),
    "no service's task": task_stopped(group="family:batch"),
    "steady state": service_action("SERVICE_STEADY_STATE"),
    "desired count": service_action("SERVICE_DESIRED_COUNT_UPDATED"),
    "failed deployment": deployment_event("SERVICE_DEPLOYMENT_FAILED"),
    "deployment begun": deployment_event("SERVICE_DEPLOYMENT_IN_PROGRESS"),
    "deployment done": deployment_event("SERVICE_DEPLOYMENT_COMPLETED"),
}
STRANGE = {
    "another source": task_stopped() | {"source": "example.app"},
    "another detail type": task_stopped() | {"detail-type": "ECS Container Instance State Change"},
}


@pytest.fixture(scope="module")
def arrived(template: Json) -> set[str]:
    """Names of the events above that the template's rules let through."""
    rules = of_type(template, "AWS::Events::Rule").values()
    patterns = [EventPattern.load(json.dumps(rule["EventPattern"])) for rule in rules if "EventPattern" in rule]
    events: dict[str, Any] = FAILURES | ORDINARY | STRANGE
    return {name for name, event in events.items() if any(pattern.matches_event(event) for pattern in patterns)}


@pytest.mark.parametrize("name", FAILURES)
def test_what_may_be_a_failure_arrives(arrived: set[str], name: str) -> None:
    """Every event that can count towards a loop reaches the queue."""
    assert name in arrived


@pytest.mark.parametrize("name", [*ORDINARY, *STRANGE])
def test_ordinary_churn_stays_out(arrived: set[str], name: str) -> None:
    """What cannot count costs nothing: it never reaches the queue."""
    assert name not in arrived


def test_the_template_carries_the_patterns_as_they_are_written(template: Json) -> None:
    """The literals of infra.events are what is deployed, from aws.ecs; tags and drills from sources of theirs."""
    rules = of_type(template, "AWS::Events::Rule").values()
    deployed = [rule["EventPattern"] for rule in rules if "EventPattern" in rule]
    assert deployed == [
        *({"source": ["aws.ecs"], **pattern} for pattern in (TASK_STOPS, HEALTH_CHECK_STOPS, SERVICE_SIGNALS)),
        {"source": [TAG_SOURCE], **TAG_CHANGES},
        {"source": [SOURCE], **DRILLS},
    ]


@pytest.mark.parametrize(
    ("tags", "passes"),
    [
        (["loopbreaker:action"], True),
        (["team", "loopbreaker:acton"], True),
        (["team"], False),
        (["loopbreaker"], False),
    ],
)
def test_changes_of_our_tags_pass_and_no_others(tags: list[str], passes: bool) -> None:
    """Also of one whose name is misspelt; tags of others cost nothing."""
    event: Any = {
        "source": TAG_SOURCE,
        "detail-type": "Tag Change on Resource",
        "resources": ["arn:aws:ecs:eu-west-1:123456789012:service/prod/web"],
        "detail": {"changed-tag-keys": tags, "service": "ecs", "resource-type": "service", "tags": {}},
    }
    pattern = EventPattern.load(json.dumps({"source": [TAG_SOURCE], **TAG_CHANGES}))
    assert pattern.matches_event(event) is passes


def test_each_pattern_is_within_the_limit_of_eventbridge(template: Json) -> None:
    """AWS docs: "Amazon EventBridge quotas"; a pattern has at most 2,048 characters."""
    for rule in of_type(template, "AWS::Events::Rule").values():
        assert len(json.dumps(rule.get("EventPattern", {}))) <= 2048
