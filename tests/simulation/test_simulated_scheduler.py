"""How the simulated scheduler replaces tasks: pace, throttle, start-first."""

from datetime import datetime
from itertools import pairwise

import pytest

from simulation import Failure, HealthCheck, TargetGroup, TaskSpec, constant, crash, exponential
from tests.simulation.scenes import Event, described, details, scene


def seconds(details_: list[Event], field: str) -> list[float]:
    return sorted(datetime.fromisoformat(detail[field]).timestamp() for detail in details_)


def gaps(times: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


def test_the_same_seed_gives_the_same_events() -> None:
    """Two runs of one script are equal to the last byte; another seed is another story."""

    def run(seed: int) -> list[Event]:
        sim = scene(behaviour=crash(Failure.APP_CRASH, after=exponential(300)), desired_count=5, seed=seed)
        sim.at(1000, lambda: sim.deploy("prod", "web"))
        return sim.run_until(3000)

    assert run(7) == run(7)
    assert run(7) != run(8)


def test_the_throttle_doubles_up_to_27_minutes() -> None:
    """Three starts at once, then 60 s, 120 s, 240 s ... 1620 s after each failure, each told by START_IMPAIRED."""
    sim = scene(behaviour=crash(Failure.IMAGE_PULL, after=constant(60)))
    events = sim.run_until(6 * 3600)
    starts = seconds(details(events, status="PROVISIONING"), "createdAt")
    waits = [gap - 60 for gap in gaps(starts)]
    assert all(5 <= wait <= 30 for wait in waits[:2])
    assert waits[2:9] == pytest.approx([60, 120, 240, 480, 960, 1620, 1620], abs=0.01)
    impaired = details(events, name="SERVICE_TASK_START_IMPAIRED")
    assert len(impaired) == len(details(events, status="STOPPED")) - 2
    assert all(detail["eventType"] == "WARN" and "reason" not in detail for detail in impaired)


def test_the_throttle_is_of_the_service() -> None:
    """Twenty tasks that fail to start together take one step of the throttle, not twenty."""
    sim = scene(behaviour=crash(Failure.RESOURCE_INIT, after=constant(60)), desired_count=20)
    events = sim.run_until(900)
    assert len(details(events, name="SERVICE_TASK_START_IMPAIRED")) == 4
    assert len(details(events, status="PROVISIONING")) <= 20 * 5


def test_a_new_task_definition_lifts_the_throttle() -> None:
    """A fix starts at once, though the next start was 27 minutes away."""
    sim = scene(behaviour=crash(Failure.IMAGE_PULL))
    sim.run_until(4 * 3600)
    sim.deploy("prod", "web")
    sim.advance(120)
    assert described(sim)["runningCount"] == 1


@pytest.mark.parametrize(
    ("lifetime", "image_gb", "per_hour"), [(3, 1.0, 28), (3, 0.4, 45), (600, 1.0, 5)], ids=["1 GB", "0.4 GB", "slow"]
)
def test_what_ran_once_is_never_throttled(lifetime: float, image_gb: float, per_hour: float) -> None:
    """A task that dies after RUNNING is restarted at the full pace for ever, whatever its exit code."""
    sim = scene(behaviour=crash(Failure.APP_CRASH, after=constant(lifetime)), task=TaskSpec(image_gb=image_gb))
    events = sim.run_until(12 * 3600)
    assert len(details(events, status="STOPPED")) / 12 == pytest.approx(per_hour, rel=0.1)
    assert not details(events, name="SERVICE_TASK_START_IMPAIRED")


def test_a_load_balancer_loop_keeps_two_tasks_alive() -> None:
    """When an unhealthy task is stopped its replacement is there already; the pace is that of start plus detection."""
    group = TargetGroup(grace=120, deregistration_delay=30)
    sim = scene(behaviour=crash(Failure.ELB_HEALTH_CHECK), target_group=group, task=TaskSpec(image_gb=1.0))
    events = sim.run_until(12 * 3600)
    stopped = [d for d in details(events, status="STOPPED") if "ELB health checks" in d["stoppedReason"]]
    assert len(stopped) / 12 == pytest.approx(3600 / (110 + 120), rel=0.1)
    ends = {task["taskArn"]: task["stoppingAt"] for task in details(events, status="DEACTIVATING")}
    lives = [(task["createdAt"], ends.get(task["taskArn"], "still")) for task in details(events, status="PROVISIONING")]
    for dead in stopped:
        assert sum(born < dead["stoppingAt"] <= end for born, end in lives) == 2


def test_a_health_check_may_fail_late_and_the_task_recovers_by_replacement() -> None:
    """The unhealthy task goes once its replacement is healthy, so the service never has less than its count."""
    behaviour = crash(Failure.ELB_HEALTH_CHECK, after=constant(600), first_starts=1)
    sim = scene(behaviour=behaviour, target_group=TargetGroup(deregistration_delay=10), desired_count=2)
    sim.run_until(300)
    least = 2
    for _ in range(100):
        sim.advance(10)
        least = min(least, described(sim)["runningCount"])
    assert least == 2
    assert all(
        task.started_at is not None and task.started_at > 600 for task in sim.service("prod", "web").live.values()
    )


def test_without_room_an_unhealthy_task_stops_first_and_one_at_a_time() -> None:
    """At maximumPercent 100 nothing starts beside the unhealthy tasks, and never are two replaced together."""
    sim = scene(
        behaviour=crash(Failure.CONTAINER_HEALTH_CHECK, after=constant(300), first_starts=1),
        task=TaskSpec(health_check=HealthCheck(interval=10)),
        desired_count=3,
        maximum_percent=100,
        minimum_percent=0,
    )
    sim.run_until(300)
    unhealthy = 0
    for _ in range(200):
        sim.advance(3)
        tasks = [task for task in sim.tasks("prod", "web") if task.desired_status == "RUNNING"]
        unhealthy = max(unhealthy, sum(task.health == "UNHEALTHY" for task in tasks))
        assert len(tasks) <= 3
        assert sum(task.last_status == "RUNNING" for task in tasks) >= 2
    assert unhealthy >= 2
    assert all(task.fit for task in tasks)


def test_one_slot_of_many_may_loop() -> None:
    """Only the tasks in the chosen slots fail."""
    sim = scene(behaviour=crash(Failure.APP_CRASH, slots=[3]), desired_count=40)
    stopped = details(sim.run_until(3600), status="STOPPED")
    assert len(stopped) > 30
    assert described(sim)["runningCount"] >= 39


def test_a_first_start_may_fail_once_per_deployment() -> None:
    """Each slot's first task of a deployment fails, and its replacement does not."""
    sim = scene(behaviour=crash(Failure.APP_CRASH, first_starts=1), desired_count=3)
    assert len(details(sim.run_until(3600), status="STOPPED")) == 3
    assert described(sim)["deployments"][0]["rolloutState"] == "COMPLETED"


def test_placement_failures_are_told_by_their_own_event() -> None:
    """A task without a place brings SERVICE_TASK_PLACEMENT_FAILURE with its reason."""
    events = scene(behaviour=crash(Failure.PLACEMENT)).run_until(900)
    assert details(events, name="SERVICE_TASK_PLACEMENT_FAILURE")[0]["reason"] == "RESOURCE:FARGATE"


def test_steady_state_is_told_again_and_again() -> None:
    """A service that stays healthy says so when it gets there and every six hours."""
    events = scene(desired_count=2).run_until(24 * 3600)
    assert len(details(events, name="SERVICE_STEADY_STATE")) == 4
