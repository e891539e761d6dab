"""Simulated rolling deployments, ECS's own circuit breaker, and the stop of a deployment."""

from typing import Any

import pytest

from simulation import CircuitBreaker, Failure, ServiceSpec, Simulation, TargetGroup, constant, crash, healthy
from tests.simulation.scenes import described, details, scene


def settled(**spec: Any) -> Simulation:
    """A service of four healthy tasks whose first deployment is complete."""
    sim = scene(desired_count=4, **spec)
    sim.run_until(400)
    assert described(sim)["deployments"][0]["rolloutState"] == "COMPLETED"
    return sim


def test_a_good_deployment_replaces_every_task() -> None:
    """New tasks come first, old ones go as the new ones are healthy, and COMPLETED names the tasks' `startedBy`."""
    sim = settled()
    new = sim.deploy("prod", "web", image="web:2")
    events = sim.advance(600)
    service = described(sim)
    assert [d["id"] for d in service["deployments"]] == [new]
    assert service["runningCount"] == 4
    assert details(events, name="SERVICE_DEPLOYMENT_COMPLETED")[0]["deploymentId"] == new
    assert {d["startedBy"] for d in details(events, status="RUNNING")} == {new}
    assert all(d["stoppedReason"].startswith("Scaling activity") for d in details(events, status="STOPPED"))


def test_a_bad_deployment_leaves_the_old_revision_serving() -> None:
    """At 200 % all old tasks run on while as many new ones crash, and the rollout stays IN_PROGRESS."""
    sim = settled()
    old = described(sim)["deployments"][0]["id"]
    new = sim.deploy("prod", "web", behaviour=crash(Failure.APP_CRASH, after=constant(5)))
    stopped = details(sim.advance(3600), status="STOPPED")
    assert {d["startedBy"] for d in stopped} == {new}
    primary, active = described(sim)["deployments"]
    assert (primary["id"], primary["status"], primary["rolloutState"]) == (new, "PRIMARY", "IN_PROGRESS")
    assert (active["id"], active["status"], active["runningCount"]) == (old, "ACTIVE", 4)


def test_the_old_revision_keeps_itself_alive() -> None:
    """A task of the old revision that dies during a deployment is replaced by its own revision."""
    sim = settled()
    old = described(sim)["deployments"][0]["id"]
    sim.deploy("prod", "web", behaviour=crash(Failure.IMAGE_PULL))
    sim.advance(60)
    sim.churn.blip("prod", "web")
    sim.advance(300)
    assert next(d for d in described(sim)["deployments"] if d["id"] == old)["runningCount"] == 4


@pytest.mark.parametrize(("minimum", "maximum"), [(100, 150), (50, 100), (0, 100), (50, 200)])
def test_percentages_bound_a_deployment(minimum: int, maximum: int) -> None:
    """Never more tasks than maximumPercent, never fewer healthy ones than minimumHealthyPercent, and it ends."""
    sim = settled(minimum_percent=minimum, maximum_percent=maximum)
    sim.deploy("prod", "web")
    for _ in range(150):
        sim.advance(5)
        tasks = [task for task in sim.tasks("prod", "web") if task.desired_status == "RUNNING"]
        assert len(tasks) <= 4 * maximum / 100
        assert sum(task.fit for task in tasks) >= 4 * minimum / 100
    assert described(sim)["deployments"][0]["rolloutState"] == "COMPLETED"


def test_the_circuit_breaker_rolls_back() -> None:
    """Three tasks that fail to start trip it: FAILED is told and the last completed deployment is PRIMARY again."""
    sim = settled(circuit_breaker=CircuitBreaker())
    old = described(sim)["deployments"][0]["id"]
    new = sim.deploy("prod", "web", behaviour=crash(Failure.IMAGE_PULL, after=constant(40)))
    events = sim.advance(600)
    failed = details(events, name="SERVICE_DEPLOYMENT_FAILED")
    assert [(d["deploymentId"], d["eventType"]) for d in failed] == [(new, "ERROR")]
    assert [d["id"] for d in described(sim)["deployments"]] == [old]
    record = sim.client("ecs").list_service_deployments(cluster="prod", service="web")["serviceDeployments"][0]
    assert record["status"] == "ROLLBACK_SUCCESSFUL"
    assert sum("CannotPull" in d["stoppedReason"] for d in details(events, status="STOPPED")) <= 4


def test_the_circuit_breaker_without_an_earlier_deployment_stalls() -> None:
    """There is nothing to roll back to: no further task is started."""
    sim = scene(behaviour=crash(Failure.IMAGE_PULL, after=constant(40)), circuit_breaker=CircuitBreaker())
    sim.run_until(600)
    assert described(sim)["deployments"][0]["rolloutState"] == "FAILED"
    assert not details(sim.advance(7200), status="PROVISIONING")


def test_the_circuit_breaker_does_not_see_exits_after_running() -> None:
    """A crash loop after RUNNING goes on for ever, breaker or not; health check failures are counted."""
    sim = settled(circuit_breaker=CircuitBreaker())
    sim.deploy("prod", "web", behaviour=crash(Failure.APP_CRASH))
    assert not details(sim.advance(3600), name="SERVICE_DEPLOYMENT_FAILED")
    checked = settled(circuit_breaker=CircuitBreaker(), target_group=TargetGroup())
    checked.deploy("prod", "web", behaviour=crash(Failure.ELB_HEALTH_CHECK))
    assert details(checked.advance(3600), name="SERVICE_DEPLOYMENT_FAILED")


@pytest.mark.parametrize(("reset", "trips"), [(True, False), (False, True)])
def test_a_healthy_task_resets_the_circuit_breaker(reset: bool, trips: bool) -> None:
    """Between failed starts a healthy task sets the count back, unless the breaker is told to add up."""
    sim = settled(circuit_breaker=CircuitBreaker(reset_on_healthy_task=reset))
    sim.deploy("prod", "web", behaviour=crash(Failure.IMAGE_PULL, after=constant(200), slots=[0]))
    sim.every(150, lambda: sim.churn.blip("prod", "web"))
    assert bool(details(sim.advance(3600), name="SERVICE_DEPLOYMENT_FAILED")) == trips


def test_stopping_a_deployment_rolls_it_back() -> None:
    """StopServiceDeployment answers at once, goes through its states, and leaves the source revision alone running."""
    sim = settled()
    ecs = sim.client("ecs")
    old = described(sim)["deployments"][0]["id"]
    sim.deploy("prod", "web", behaviour=crash(Failure.APP_CRASH))
    sim.advance(300)
    arn = described(sim)["currentServiceDeployment"]
    before = ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]
    assert before["status"] == "IN_PROGRESS"
    assert before["sourceServiceRevisions"][0]["runningTaskCount"] == 4
    assert ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")["serviceDeploymentArn"] == arn
    assert ecs.stop_service_deployment(serviceDeploymentArn=arn)["serviceDeploymentArn"] == arn
    states = []
    for _ in range(60):
        record = ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]
        states.append(record["status"])
        sim.advance(1)
    assert list(dict.fromkeys(states)) == ["ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]
    assert record["rollback"]["serviceRevisionArn"] == before["sourceServiceRevisions"][0]["arn"]
    service = described(sim)
    assert [(d["id"], d["runningCount"]) for d in service["deployments"]] == [(old, 4)]
    with pytest.raises(ecs.exceptions.ConflictException):
        ecs.stop_service_deployment(serviceDeploymentArn=arn)


def test_what_cannot_be_stopped() -> None:
    """A first deployment has no source, ABORT is not allowed, and an unknown ARN is not found."""
    sim = scene(behaviour=crash(Failure.APP_CRASH))
    ecs = sim.client("ecs")
    arn = described(sim)["currentServiceDeployment"]
    with pytest.raises(ecs.exceptions.InvalidParameterException, match="no source"):
        ecs.stop_service_deployment(serviceDeploymentArn=arn)
    with pytest.raises(ecs.exceptions.InvalidParameterException, match="ROLLBACK"):
        ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ABORT")
    with pytest.raises(ecs.exceptions.ServiceDeploymentNotFoundException):
        ecs.stop_service_deployment(serviceDeploymentArn=arn + "x")


def test_zero_makes_a_failing_deployment_look_successful() -> None:
    """The trap: desiredCount 0 during a deployment completes it, as CloudFormation then believes."""
    sim = settled()
    bad = sim.deploy("prod", "web", behaviour=crash(Failure.APP_CRASH))
    sim.advance(300)
    sim.client("ecs").update_service(cluster="prod", service="web", desiredCount=0)
    assert details(sim.advance(60), name="SERVICE_DEPLOYMENT_COMPLETED")[0]["deploymentId"] == bad


def test_scale_out_during_a_deployment_goes_to_both_revisions() -> None:
    """The old revision grows too while the new one loops."""
    sim = settled()
    sim.deploy("prod", "web", behaviour=crash(Failure.APP_CRASH))
    sim.advance(120)
    sim.scale("prod", "web", 6)
    sim.advance(200)
    assert described(sim)["deployments"][1]["runningCount"] == 6


def test_a_new_deployment_supersedes_the_one_in_progress() -> None:
    """The record of the first is STOPPED, and a fix on top of a looping revision completes."""
    sim = settled()
    sim.deploy("prod", "web", behaviour=crash(Failure.APP_CRASH))
    sim.advance(300)
    fix = sim.deploy("prod", "web", behaviour=healthy())
    sim.advance(600)
    records = sim.client("ecs").list_service_deployments(cluster="prod", service="web")["serviceDeployments"]
    assert [record["status"] for record in records] == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]
    assert [d["id"] for d in described(sim)["deployments"]] == [fix]


@pytest.mark.parametrize("controller", ["CODE_DEPLOY", "EXTERNAL"])
def test_other_controllers_have_task_sets(controller: str) -> None:
    """Their services show no deployments, and their task definition cannot be updated."""
    sim = scene(desired_count=2, controller=controller)
    sim.run_until(300)
    service = described(sim)
    assert service["deployments"] == []
    assert service["taskSets"][0]["runningCount"] == 2
    assert "currentServiceDeployment" not in service
    ecs = sim.client("ecs")
    assert {t.deployment.id for t in sim.tasks("prod", "web")} == {service["taskSets"][0]["id"]}
    with pytest.raises(ecs.exceptions.InvalidParameterException):
        ecs.update_service(cluster="prod", service="web", forceNewDeployment=True)
    assert ecs.update_service(cluster="prod", service="web", desiredCount=1)["service"]["desiredCount"] == 1


def test_a_daemon_runs_on_each_host() -> None:
    """One task for each container instance; a deployment stops the old ones first; a lost host takes its task along."""
    sim = scene(strategy="DAEMON", launch_type="EC2", hosts=3)
    sim.run_until(200)
    assert (described(sim)["desiredCount"], described(sim)["runningCount"]) == (3, 3)
    sim.deploy("prod", "web")
    sim.advance(300)
    assert described(sim)["deployments"][0]["rolloutState"] == "COMPLETED"
    sim.churn.lose_host("prod")
    sim.churn.add_host("prod")
    sim.advance(60)
    assert described(sim)["runningCount"] == 3


def test_a_specification_that_contradicts_itself_is_refused() -> None:
    """A health check failure needs a health check, and the message says where and what."""
    sim = Simulation()
    sim.create_cluster("prod")
    with pytest.raises(ValueError, match=r"service prod/web: elb-health-check needs a target_group"):
        sim.create_service(ServiceSpec(cluster="prod", name="web", behaviour=crash(Failure.ELB_HEALTH_CHECK)))
    with pytest.raises(ValueError, match="no cluster 'dev'"):
        sim.create_service(ServiceSpec(cluster="dev", name="web"))
