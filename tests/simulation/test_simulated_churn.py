"""Ordinary life of a simulated service: stops that are nobody's fault, and scaling by itself."""

import pytest

from simulation import Failure, TargetGroup, crash
from tests.simulation.scenes import described, details, scene

ALL_SUSPENDED = {
    "DynamicScalingInSuspended": True,
    "DynamicScalingOutSuspended": True,
    "ScheduledScalingSuspended": True,
}


def test_a_blip_is_one_crash_of_each_task() -> None:
    """Every task ends once, and the replacements live."""
    sim = scene(desired_count=20)
    sim.run_until(300)
    sim.churn.blip("prod", "web", cause=Failure.OUT_OF_MEMORY)
    stopped = details(sim.advance(3600), status="STOPPED")
    assert len(stopped) == 20
    assert "OutOfMemoryError" in stopped[0]["containers"][0]["reason"]
    assert described(sim)["runningCount"] == 20


def test_a_blip_may_hit_some() -> None:
    """Only so many tasks end."""
    sim = scene(desired_count=20)
    sim.run_until(300)
    sim.churn.blip("prod", "web", count=3)
    assert len(details(sim.advance(600), status="STOPPED")) == 3


def test_a_person_stops_a_task() -> None:
    """The stop code is UserInitiated with the person's words, through the API as through the script."""
    sim = scene(desired_count=2)
    sim.run_until(300)
    ecs = sim.client("ecs")
    arn = ecs.list_tasks(cluster="prod", serviceName="web")["taskArns"][0]
    ecs.stop_task(cluster="prod", task=arn, reason="hung since noon")
    stopped = details(sim.advance(300), status="STOPPED")
    assert [(d["taskArn"], d["stopCode"], d["stoppedReason"]) for d in stopped] == [
        (arn, "UserInitiated", "hung since noon")
    ]
    assert described(sim)["runningCount"] == 2


def test_spot_gives_two_minutes_notice() -> None:
    """The first event is still RUNNING with desiredStatus STOPPED, and the replacement does not wait for the end."""
    sim = scene()
    sim.run_until(300)
    sim.churn.interrupt_spot("prod", "web")
    events = sim.advance(400)
    notice = next(d for d in details(events, status="RUNNING") if d["desiredStatus"] == "STOPPED")
    stopped = details(events, status="STOPPED")[0]
    assert notice["stopCode"] == stopped["stopCode"] == "SpotInterruption"
    assert stopped["stoppedReason"] == "Your Spot Task was interrupted."
    assert details(events, status="PROVISIONING")[0]["createdAt"] < stopped["stoppingAt"]


@pytest.mark.parametrize(
    ("what", "words"), [("rebalance", "Availability-zone rebalancing"), ("maintain", "maintenance")]
)
def test_moves_are_start_first(what: str, words: str) -> None:
    """Rebalancing and maintenance bring the new task before they take the old one."""
    sim = scene(desired_count=3, target_group=TargetGroup(deregistration_delay=20))
    sim.run_until(400)
    getattr(sim.churn, what)("prod", "web")
    least, stopped = 3, []
    for _ in range(60):
        stopped += details(sim.advance(10), status="STOPPED")
        least = min(least, described(sim)["runningCount"])
    assert least == 3
    assert stopped
    assert all(d["stopCode"] == "ServiceSchedulerInitiated" and words in d["stoppedReason"] for d in stopped)


def test_a_lost_host_leaves_containers_running() -> None:
    """TerminationNotice, the container still RUNNING, no exit code; the tasks come back on the other host."""
    sim = scene(desired_count=4, launch_type="EC2", hosts=2)
    sim.run_until(200)
    sim.churn.lose_host("prod")
    stopped = details(sim.advance(120), status="STOPPED")
    assert len(stopped) == 2
    assert all(d["stopCode"] == "TerminationNotice" and d["stoppedReason"].startswith("Host EC2 ") for d in stopped)
    assert {(c["lastStatus"], "exitCode" in c) for d in stopped for c in d["containers"]} == {("RUNNING", False)}
    assert described(sim)["runningCount"] == 4


def test_a_drained_host_is_emptied() -> None:
    """Its tasks move to the other host, start-first."""
    sim = scene(desired_count=4, launch_type="EC2", hosts=2)
    sim.run_until(200)
    sim.churn.drain_host("prod")
    stopped = details(sim.advance(300), status="STOPPED")
    assert len(stopped) == 2
    assert all("DRAINING" in d["stoppedReason"] for d in stopped)
    assert described(sim)["runningCount"] == 4


def test_without_hosts_tasks_wait_for_a_place() -> None:
    """A cluster without container instances brings placement failures until one joins."""
    sim = scene(launch_type="EC2", hosts=0)
    events = sim.run_until(300)
    assert details(events, name="SERVICE_TASK_PLACEMENT_FAILURE")
    sim.churn.add_host("prod")
    sim.advance(120)
    assert described(sim)["runningCount"] == 1


def test_scale_in_is_no_deployment() -> None:
    """A count by hand keeps the deployment, and the stops say "Scaling activity"."""
    sim = scene(desired_count=5)
    sim.run_until(300)
    before = described(sim)["deployments"][0]["id"]
    sim.scale("prod", "web", 2)
    stopped = details(sim.advance(300), status="STOPPED")
    assert len(stopped) == 3
    assert {d["stoppedReason"] for d in stopped} == {f"Scaling activity initiated by (deployment {before})"}
    assert [d["id"] for d in described(sim)["deployments"]] == [before]


def test_alarms_move_the_count_between_the_limits() -> None:
    """Scale-out lifts to the minimum at least, scale-in stops at it, and the change is told."""
    sim = scene(desired_count=4)
    sim.scaling.register("prod", "web", minimum=2, maximum=6)
    counts = []
    for action in (sim.scaling.scale_out_alarm, sim.scaling.scale_in_alarm, sim.scaling.scale_in_alarm):
        action("prod", "web", by=3)
        counts.append(described(sim)["desiredCount"])
    assert counts == [6, 3, 2]
    sim.scale("prod", "web", 0)
    sim.scaling.scale_in_alarm("prod", "web")
    assert described(sim)["desiredCount"] == 0
    sim.scaling.scale_out_alarm("prod", "web")
    assert described(sim)["desiredCount"] == 2
    assert len(details(sim.advance(5), name="SERVICE_DESIRED_COUNT_UPDATED")) == 4


def test_suspended_targets_stay_where_they_are() -> None:
    """With all three flags neither alarms nor scheduled actions move the count."""
    sim = scene(desired_count=2)
    sim.scaling.register("prod", "web", minimum=2, maximum=6, suspended=ALL_SUSPENDED)
    sim.scaling.scale_out_alarm("prod", "web")
    sim.scaling.scheduled_action("prod", "web", minimum=5)
    assert described(sim)["desiredCount"] == 2
    sim.scaling.register("prod", "web", suspended={})
    sim.scaling.scheduled_action("prod", "web", minimum=5)
    assert described(sim)["desiredCount"] == 5


def test_registering_again_lifts_a_count_below_the_minimum() -> None:
    """The trap: suspending after zeroing scales the service straight back up; suspending before does not."""
    sim = scene(behaviour=crash(Failure.APP_CRASH), desired_count=3)
    ecs, scaling = sim.client("ecs"), sim.client("application-autoscaling")
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/prod/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=2, MaxCapacity=6)
    scaling.register_scalable_target(**target, SuspendedState=ALL_SUSPENDED)
    ecs.update_service(cluster="prod", service="web", desiredCount=0)
    sim.advance(60)
    assert described(sim)["desiredCount"] == 0
    scaling.register_scalable_target(**target, SuspendedState={"DynamicScalingInSuspended": True})
    assert described(sim)["desiredCount"] == 2
    shown = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=["service/prod/web"])
    assert shown["ScalableTargets"][0]["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }


def test_a_deleted_service_drains_and_is_inactive() -> None:
    """Its tasks stop, and it cannot be updated any more."""
    sim = scene(desired_count=2)
    sim.run_until(300)
    sim.delete("prod", "web")
    assert len(details(sim.advance(300), status="STOPPED")) == 2
    assert described(sim)["status"] == "INACTIVE"
    ecs = sim.client("ecs")
    with pytest.raises(ecs.exceptions.ServiceNotActiveException):
        ecs.update_service(cluster="prod", service="web", desiredCount=1)
