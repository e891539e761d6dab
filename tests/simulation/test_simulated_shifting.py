"""Deployments that run two revisions side by side, and other ways in which a deployment ends or waits."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulation import EarlySuccess, Failure, Simulation, TargetGroup, TrafficShift, constant, crash, healthy
from tests.simulation.scenes import described, details, scene
from tests.simulation.test_simulated_api import unknown_members

GROUP = TargetGroup(name="blue", alternate="green", deregistration_delay=30)


def _side_by_side(shift: TrafficShift, **spec: Any) -> Simulation:
    """A service of four tasks that has been running for ten minutes, just before a deployment."""
    sim = scene(desired_count=4, shift=shift, **spec)
    sim.run_until(600)
    return sim


def _current(sim: Simulation) -> dict[str, Any]:
    """The service deployment as DescribeServiceDeployments gives it."""
    arn = described(sim)["currentServiceDeployment"]
    answer: dict[str, Any] = sim.client("ecs").describe_service_deployments(serviceDeploymentArns=[arn])
    shape = sim.client("ecs").meta.service_model.operation_model("DescribeServiceDeployments").output_shape
    assert shape is not None
    assert unknown_members({k: v for k, v in answer.items() if k != "ResponseMetadata"}, shape, "") == []
    found: dict[str, Any] = answer["serviceDeployments"][0]
    return found


def test_blue_green_serves_all_the_time() -> None:
    """The old revision serves until the whole new one does; both run through the bake time, and the old one goes."""
    sim = _side_by_side(TrafficShift(bake=300), target_group=GROUP)
    sim.deploy("prod", "web")
    stages, served, running = [], set(), []
    while _current(sim)["status"] == "IN_PROGRESS":
        sim.advance(10)
        stages.append(_current(sim).get("lifecycleStage"))
        served.add(sim.serving("prod", "web"))
        running.append(described(sim)["runningCount"])
    assert [s for s in dict.fromkeys(stages) if s] == ["SCALE_UP", "BAKE_TIME", "CLEAN_UP"]
    assert served == {4}
    assert max(running) == 8
    assert stages.count("BAKE_TIME") == pytest.approx(30, abs=2)
    assert len(described(sim)["deployments"]) == 1


def test_each_revision_has_the_other_target_group() -> None:
    """The new revision's targets are in the group that had none, and the service names both groups."""
    sim = _side_by_side(TrafficShift(), target_group=GROUP)
    balancer = described(sim)["loadBalancers"][0]
    groups = (balancer["targetGroupArn"], balancer["advancedConfiguration"]["alternateTargetGroupArn"])

    def targets() -> list[int]:
        answers = [sim.client("elbv2").describe_target_health(TargetGroupArn=group) for group in groups]
        return [len(answer["TargetHealthDescriptions"]) for answer in answers]

    assert targets() == [4, 0]
    sim.deploy("prod", "web")
    sim.advance(200)
    assert targets() == [4, 4]
    sim.advance(1200)
    assert targets() == [0, 4]


def test_a_new_revision_that_never_comes_up_gets_no_traffic() -> None:
    """While the new revision loops the old one serves; stopping the deployment gives nobody up."""
    sim = _side_by_side(TrafficShift())
    sim.deploy("prod", "web", behaviour=crash(Failure.APP_CRASH))
    sim.advance(1200)
    assert sim.serving("prod", "web") == 4
    sim.client("ecs").stop_service_deployment(serviceDeploymentArn=_current(sim)["serviceDeploymentArn"])
    served = set()
    for _ in range(60):
        sim.advance(10)
        served.add(sim.serving("prod", "web"))
    assert served == {4}
    assert (sim.serving("prod", "web"), described(sim)["runningCount"]) == (4, 4)
    assert _current(sim)["status"] == "ROLLBACK_SUCCESSFUL"


@pytest.mark.parametrize(
    ("shift", "weights"),
    [
        (TrafficShift("CANARY", bake=60, step_percent=5, step_bake=120), [0, 5, 100]),
        (TrafficShift("LINEAR", bake=60, step_percent=40, step_bake=120), [0, 40, 80, 100]),
    ],
)
def test_traffic_moves_in_steps(shift: TrafficShift, weights: list[float]) -> None:
    """Canary and linear deployments give the new revision one share of the traffic after another."""
    sim = _side_by_side(shift)
    sim.deploy("prod", "web")
    seen = []
    while _current(sim)["status"] == "IN_PROGRESS":
        sim.advance(10)
        seen.append(_current(sim)["targetServiceRevision"]["requestedProductionTrafficWeight"])
    assert list(dict.fromkeys(seen)) == weights


def test_no_rollout_state_beside_shifting_traffic() -> None:
    """`rolloutState` is documented of rolling updates only: of others the API says nothing there."""
    sim = _side_by_side(TrafficShift())
    assert "rolloutState" not in described(sim)["deployments"][0]
    assert described(sim)["deploymentConfiguration"]["strategy"] == "BLUE_GREEN"


def test_a_pause_hook_waits_for_somebody() -> None:
    """A deployment with a PAUSE hook says that it waits, waits for hours, and goes on when it is continued."""
    sim = _side_by_side(TrafficShift(), pauses=True)
    sim.deploy("prod", "web")
    waiting = details(sim.advance(4 * 3600), name="HOOK_AWAITING_ACTION")
    assert len(waiting) == 1
    now = _current(sim)
    assert (now["status"], now["lifecycleStage"]) == ("IN_PROGRESS", "POST_SCALE_UP")
    assert now["lifecycleHookDetails"][0]["status"] == "AWAITING_ACTION"
    ecs, where = sim.client("ecs"), {"serviceDeploymentArn": now["serviceDeploymentArn"]}
    with pytest.raises(ClientError, match="does not wait"):
        ecs.continue_service_deployment(**where, hookId="another")
    ecs.continue_service_deployment(**where, hookId=waiting[0]["hookId"])
    sim.advance(1200)
    assert _current(sim)["status"] == "SUCCESSFUL"


def test_a_pause_hook_may_roll_back() -> None:
    """Whoever answers a PAUSE hook with ROLLBACK gets the old revision back."""
    sim = _side_by_side(TrafficShift(), pauses=True)
    sim.deploy("prod", "web")
    sim.advance(600)
    now = _current(sim)
    hook = now["lifecycleHookDetails"][0]["hookId"]
    sim.client("ecs").continue_service_deployment(
        serviceDeploymentArn=now["serviceDeploymentArn"], hookId=hook, action="ROLLBACK"
    )
    sim.advance(600)
    assert _current(sim)["status"] == "ROLLBACK_SUCCESSFUL"
    assert described(sim)["taskDefinition"].endswith(":1")


@pytest.mark.parametrize("deferred", [True, False])
def test_early_success(deferred: bool) -> None:
    """A deployment is COMPLETED with its share of healthy tasks, while the last slot still loops."""
    sim = scene(desired_count=10, early_success=EarlySuccess(healthy_percent=90, deferred=deferred))
    sim.run_until(600)
    sim.deploy("prod", "web", behaviour=crash(Failure.APP_CRASH, after=constant(3), slots=[9]))
    events = sim.advance(1200)
    done = details(events, name="SERVICE_DEPLOYMENT_COMPLETED")
    assert len(done) == 1
    failed = [e["detail"] for e in events if e["detail"].get("stopCode") == "EssentialContainerExited"]
    assert failed[-1]["stoppedAt"] > done[0]["updatedAt"]
    assert (described(sim)["deployments"][0]["rolloutState"], sim.serving("prod", "web")) == ("COMPLETED", 9)


def test_a_deployment_alarm_rolls_back() -> None:
    """An alarm that goes off during a deployment brings the old revision back; at another time it does nothing."""
    sim = scene(desired_count=2, alarms=("errors",))
    sim.run_until(600)
    sim.alarm("prod", "web")
    assert described(sim)["deployments"][0]["rolloutState"] == "COMPLETED"
    sim.deploy("prod", "web", behaviour=healthy())
    sim.advance(30)
    assert _current(sim)["alarms"]["status"] == "MONITORING"
    sim.alarm("prod", "web")
    events = sim.advance(600)
    assert details(events, name="SERVICE_DEPLOYMENT_FAILED")
    assert (_current(sim)["status"], _current(sim)["alarms"]["status"]) == ("ROLLBACK_SUCCESSFUL", "TRIGGERED")
    assert described(sim)["taskDefinition"].endswith(":1")
