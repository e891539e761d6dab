"""The life of a simulated task, and the ways in which it ends."""

from datetime import datetime

import pytest

from simulation import Failure, HealthCheck, Phase, TargetGroup, TaskSpec, constant, crash, endings, healthy
from tests.simulation.scenes import Event, details, scene

FARGATE_LIFE = [
    "PROVISIONING", "PENDING", "ACTIVATING", "RUNNING",
    "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED",
]  # fmt: skip
EVERY_ENDING = [(mode, number) for mode in Failure for number in range(len(endings(mode)))]


def when(detail: Event, field: str) -> datetime:
    return datetime.fromisoformat(detail[field])


def first_life(events: list[Event]) -> list[Event]:
    """The events of the task that was created first, in the order of their versions."""
    tasks = [e["detail"] for e in events if e["detail-type"] == "ECS Task State Change"]
    first = min(tasks, key=lambda task: task["createdAt"])["taskArn"]
    return sorted((task for task in tasks if task["taskArn"] == first), key=lambda task: task["version"])


def test_a_fargate_task_passes_through_every_state_once() -> None:
    """Each transition is one event with a version one higher, and the stop is known from DEACTIVATING on."""
    life = first_life(scene(behaviour=crash(Failure.APP_CRASH, after=constant(5))).run_until(300))
    assert [task["lastStatus"] for task in life] == FARGATE_LIFE
    assert [task["version"] for task in life] == list(range(1, 9))
    assert ["stopCode" in task for task in life] == [False] * 4 + [True] * 4
    assert all(task["startedBy"].startswith("ecs-svc/") and task["group"] == "service:web" for task in life)


def test_an_ec2_task_has_neither_network_interface_nor_platform() -> None:
    """On EC2 a crash is PENDING, RUNNING, STOPPING, STOPPED, on a container instance."""
    life = first_life(scene(behaviour=crash(Failure.APP_CRASH), launch_type="EC2", hosts=1).run_until(120))
    assert [task["lastStatus"] for task in life] == ["PENDING", "RUNNING", "STOPPING", "STOPPED"]
    assert life[-1]["attachments"] == []
    assert "platformVersion" not in life[-1]
    assert "container-instance/prod/" in life[-1]["containerInstanceArn"]


@pytest.mark.parametrize(("mode", "number"), EVERY_ENDING)
def test_every_ending_says_what_ecs_says(mode: Failure, number: int) -> None:
    """The STOPPED event carries the stop code, words and exit code of the ending, and `startedAt` only if it ran."""
    ending = endings(mode)[number]
    sim = scene(
        behaviour=crash(mode, ending=number),
        target_group=TargetGroup(deregistration_delay=10) if mode is Failure.ELB_HEALTH_CHECK else None,
        task=TaskSpec(health_check=HealthCheck() if mode is Failure.CONTAINER_HEALTH_CHECK else None),
    )
    stopped = details(sim.run_until(1500), status="STOPPED")[0]
    assert stopped["stopCode"] == ending.stop_code
    assert stopped["stoppedReason"] == ending.reason.replace("{image}", TaskSpec().image).replace(
        "{service}", "web"
    ).replace("{target_group}", sim.world.target_group_arn("web"))
    assert ("startedAt" in stopped) == (ending.phase in {Phase.RUNNING, Phase.UNHEALTHY})
    if mode is Failure.PLACEMENT:
        assert stopped["containers"] == []
    elif ending.phase is not Phase.UNHEALTHY:
        assert stopped["containers"][0].get("exitCode") == ending.exit_code
        assert stopped["containers"][0].get("reason") == ending.container_reason


def test_on_ec2_a_failed_pull_is_told_by_the_container() -> None:
    """The task says only that it failed to start."""
    stopped = details(
        scene(behaviour=crash(Failure.IMAGE_PULL), launch_type="EC2", hosts=1).run_until(600), status="STOPPED"
    )[0]
    assert stopped["stoppedReason"] == "Task failed to start"
    assert stopped["containers"][0]["reason"].startswith("CannotPullContainerError: pull image manifest")


def test_who_ended_it_shows_in_the_order_of_times() -> None:
    """A container that exits by itself stops before `stoppingAt`; an ordered stop comes before the container's end."""
    crashed = details(scene(behaviour=crash(Failure.CLEAN_EXIT)).run_until(300), status="STOPPED")[0]
    assert when(crashed, "executionStoppedAt") <= when(crashed, "stoppingAt") < when(crashed, "stoppedAt")
    sim = scene(behaviour=healthy())
    sim.at(200, lambda: sim.scale("prod", "web", 0))
    ordered = details(sim.run_until(600), status="STOPPED")[0]
    assert when(ordered, "stoppingAt") < when(ordered, "executionStoppedAt") < when(ordered, "stoppedAt")


def test_software_that_ignores_sigterm_is_killed() -> None:
    """After the stop timeout the exit code of an ordered stop is 137, which is no failure."""
    sim = scene(task=TaskSpec(handles_sigterm=False, stop_timeout=30))
    sim.at(200, lambda: sim.scale("prod", "web", 0))
    stopped = details(sim.run_until(600), status="STOPPED")[0]
    assert stopped["containers"][0]["exitCode"] == 137
    assert stopped["stoppedReason"].startswith("Scaling activity initiated by (deployment ecs-svc/")
    assert (when(stopped, "executionStoppedAt") - when(stopped, "stoppingAt")).total_seconds() >= 30


def test_deregistration_delays_stopped_but_not_the_replacement() -> None:
    """Behind a load balancer STOPPED comes five minutes after the crash, and the replacement within half a minute."""
    sim = scene(behaviour=crash(Failure.APP_CRASH, after=constant(200), first_starts=1), target_group=TargetGroup())
    events = sim.run_until(1000)
    stopped, second = details(events, status="STOPPED")[0], details(events, status="PROVISIONING")[1]
    assert (when(stopped, "stoppedAt") - when(stopped, "executionStoppedAt")).total_seconds() > 300
    assert 5 <= (when(second, "createdAt") - when(stopped, "executionStoppedAt")).total_seconds() <= 30


def test_sidecars_are_the_victims() -> None:
    """The app has the exit code of the failure, and a sidecar that of a stop."""
    sim = scene(behaviour=crash(Failure.SEGFAULT), task=TaskSpec(sidecars=("envoy",)))
    codes = {c["name"]: c["exitCode"] for c in details(sim.run_until(300), status="STOPPED")[0]["containers"]}
    assert codes["app"] == 139
    assert codes["envoy"] in {0, 143}


def test_the_cause_can_go_away() -> None:
    """Software that fails until a time fails before it, and never after."""
    sim = scene(behaviour=crash(Failure.IMAGE_PULL, after=constant(30), until=100))
    assert details(sim.run_until(100), status="STOPPED")
    assert not details(sim.advance(120), status="STOPPED")[2:]
    assert sim.client("ecs").list_tasks(cluster="prod", serviceName="web")["taskArns"]
    assert sim.tasks("prod", "web")[-1].last_status == "RUNNING"
