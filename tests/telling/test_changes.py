"""What changed between two task definitions, and the arithmetic beside a cause."""

from typing import Any

import pytest

from loopbreaker.telling.changes import changes
from loopbreaker.telling.diagnosis import Difference
from loopbreaker.telling.sums import addresses, balancer_check, container_check, memory


def definition(**container: Any) -> dict[str, Any]:
    known = {
        "name": "web",
        "image": "shop:1.4",
        "memory": 1024,
        "environment": [{"name": "MODE", "value": "planted-old"}],
        "secrets": [{"name": "KEY", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/key"}],
        "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
    }
    return {"family": "shop", "cpu": "256", "memory": "2048", "containerDefinitions": [known | container]}


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"image": "shop:1.5"}, Difference("image of web", "shop:1.4", "shop:1.5")),
        ({"memory": 512}, Difference("memory of web", "1024", "512")),
        ({"command": ["serve", "--port", "80"]}, Difference("command of web", "", "serve --port 80")),
        ({"portMappings": [{"containerPort": 80}]}, Difference("ports of web", "8080/tcp", "80/tcp")),
        ({"healthCheck": {"retries": 2}}, Difference("health check retries of web", "", "2")),
        ({"environment": []}, Difference("variables of web", "MODE", "")),
        (
            {"secrets": [{"name": "KEY", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/new"}]},
            Difference(
                "secret KEY of web",
                "arn:aws:ssm:eu-west-1:123456789012:parameter/key",
                "arn:aws:ssm:eu-west-1:123456789012:parameter/new",
            ),
        ),
    ],
)
def test_each_difference_is_named_with_both_sides(container: dict[str, Any], expected: Difference) -> None:
    """Image, size, command, ports, health check, names of variables, ARNs of secrets."""
    assert changes(definition(), definition(**container)) == (expected,)
    assert changes(definition(**container), definition())[0].before == expected.after


def test_nothing_changed_is_an_answer() -> None:
    """The same definition twice has no difference."""
    assert changes(definition(), definition()) == ()
    assert changes({}, {}) == ()


def test_a_container_that_came_and_one_that_went() -> None:
    """Containers are named; of a new one nothing else is said."""
    other = {"containerDefinitions": [{"name": "sidecar", "image": "x"}]}
    found = changes(definition(), other)
    assert Difference("containers", "web", "sidecar") in found


def test_the_value_of_a_variable_never_leaves() -> None:
    """That it changed is told, and neither what it was nor what it is; a password in a command is masked."""
    after = definition(
        environment=[{"name": "MODE", "value": "planted-new"}, {"name": "MORE", "value": "planted-more"}],
        command=["serve", "--password", "planted-command", "postgres://web:planted-url@db/shop"],
        entryPoint=["sh", "-c", "TOKEN=planted-entry exec serve"],
    )
    found = changes(definition(), after)
    assert Difference("value of MODE in web", "one value", "another") in found
    assert Difference("variables of web", "", "MORE") in found
    assert "planted" not in repr(found)


# -- sums -------------------------------------------------------------------------------------------------


def test_the_limit_beside_a_memory_error() -> None:
    """The container's own, else the task's; with what it was where it changed."""
    assert list(memory(definition(), "web", None)) == ["The memory limit of container web is 1024 MiB."]
    assert list(memory(definition(memory=512), "web", definition())) == [
        "The memory limit of container web is 512 MiB; it was 1024 MiB in the revision before."
    ]
    assert list(memory(definition(memory=None), "web", None)) == ["The memory limit of container web is 2048 MiB."]
    assert list(memory({}, "web", None)) == []


def test_the_first_kill_beside_the_time_that_tasks_lived() -> None:
    """The defaults of ECS are 30 s, three times, without a start period (ECS API reference, HealthCheck)."""
    assert list(container_check(definition(healthCheck={"command": ["x"]}), "web", 95)) == [
        "A task is stopped 90 s after its start at the earliest (no start period, 3 failed checks 30 s apart); "
        "the longest lived 2 minutes."
    ]
    check = {"startPeriod": 60, "interval": 10, "retries": 2}
    (said,) = container_check(definition(healthCheck=check), "web", 0)
    assert said.startswith(
        "A task is stopped 80 s after its start at the earliest (start period of 60 s, then 2 failed"
    )
    assert said.endswith("none ever ran.")
    assert list(container_check(definition(), "web", 5)) == []


def test_the_grace_period_of_a_load_balancer() -> None:
    """The strictest target group counts, and the grace period where it is longer."""
    groups = [
        {"HealthCheckIntervalSeconds": 30, "UnhealthyThresholdCount": 5, "HealthCheckPath": "/slow"},
        {"HealthCheckIntervalSeconds": 10, "UnhealthyThresholdCount": 2, "HealthCheckPath": "/"},
    ]
    (said,) = balancer_check(60, groups, 64)
    assert said.startswith(
        "A task is stopped 60 s after its start at the earliest (grace period 60 s, 2 failed checks of /"
    )
    (said,) = balancer_check(0, groups, 64)
    assert said.startswith("A task is stopped 20 s after its start")
    assert list(balancer_check(0, [{"TargetGroupArn": "x"}], 64)) == []


def test_free_addresses() -> None:
    """Of each subnet."""
    subnets = [
        {"SubnetId": "subnet-b", "AvailableIpAddressCount": 3},
        {"SubnetId": "subnet-a", "AvailableIpAddressCount": 0},
    ]
    assert list(addresses(subnets)) == ["Free addresses: 0 in subnet-a, 3 in subnet-b."]
    assert list(addresses([])) == []
