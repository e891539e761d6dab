"""The targets of a service, as DescribeTargetHealth tells of them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulation import Failure, Simulation, TargetGroup, constant, crash, healthy
from tests.simulation.scenes import described, scene


def _targets(sim: Simulation) -> list[tuple[str, str]]:
    """Address and state of each target."""
    group = described(sim)["loadBalancers"][0]["targetGroupArn"]
    answer = sim.client("elbv2").describe_target_health(TargetGroupArn=group)
    return [(d["Target"]["Id"], d["TargetHealth"]["State"]) for d in answer["TargetHealthDescriptions"]]


def _addresses(sim: Simulation) -> list[str]:
    """The addresses of the service's tasks, as DescribeTasks gives them."""
    ecs = sim.client("ecs")
    tasks = ecs.list_tasks(cluster="prod", serviceName="web")["taskArns"]
    attached: list[dict[str, Any]] = [
        a for task in ecs.describe_tasks(cluster="prod", tasks=tasks)["tasks"] for a in task["attachments"]
    ]
    assert {a["type"] for a in attached} == {"ElasticNetworkInterface"}
    return [d["value"] for a in attached for d in a["details"] if d["name"] == "privateIPv4Address"]


def test_a_target_from_initial_to_draining() -> None:
    """A target is registered when its task runs, becomes healthy by its checks, drains, and is gone."""
    sim = scene(behaviour=healthy(), target_group=TargetGroup())
    assert _targets(sim) == []
    states = []
    for _ in range(60):
        sim.advance(5)
        states += [state for _, state in _targets(sim)]
    assert states == ["initial"] * states.count("initial") + ["healthy"] * states.count("healthy")
    assert [address for address, _ in _targets(sim)] == _addresses(sim)
    sim.scale("prod", "web", 0)
    sim.advance(10)
    assert [state for _, state in _targets(sim)] == ["draining"]
    sim.advance(400)
    assert _targets(sim) == []


def test_a_target_becomes_unhealthy() -> None:
    """A target whose checks fail is unhealthy from then on, also while ECS still waits out the grace period."""
    broken = crash(Failure.ELB_HEALTH_CHECK, after=constant(120))
    sim = scene(behaviour=broken, target_group=TargetGroup(grace=600))
    sim.advance(150)
    assert [state for _, state in _targets(sim)] == ["healthy"]
    sim.advance(150)
    assert [state for _, state in _targets(sim)] == ["unhealthy"]
    assert described(sim)["runningCount"] == 1


def test_a_deleted_target_group() -> None:
    """A target group that somebody deleted is an error with the name that boto3 knows."""
    sim = scene(target_group=TargetGroup())
    sim.advance(300)
    sim.delete_target_group("web")
    with pytest.raises(ClientError) as refused:
        _targets(sim)
    assert refused.value.response["Error"]["Code"] == "TargetGroupNotFound"
    assert type(refused.value).__name__ == "TargetGroupNotFoundException"
