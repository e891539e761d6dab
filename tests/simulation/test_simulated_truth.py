"""The simulation knows whether anybody would be served, whatever the API says."""

from typing import Any

import pytest

from simulation import Behaviour, Failure, HealthCheck, TargetGroup, TaskSpec, constant, crash, healthy
from tests.simulation.scenes import scene


def _served(behaviour: Behaviour, *, until: float = 600, **spec: Any) -> list[int]:
    """How many tasks serve, second by second."""
    sim = scene(behaviour=behaviour, **spec)
    served = []
    for second in range(int(until)):
        sim.run_until(second)
        served.append(sim.serving("prod", "web"))
    return served


def test_a_task_serves_from_its_readiness_on() -> None:
    """A task serves once it is RUNNING and its software is up, not before."""
    sim = scene(behaviour=healthy(ready_after=constant(30)))
    sim.run_until(300)
    started = sim.tasks("prod", "web")[0].started_at
    assert started is not None
    served = _served(healthy(ready_after=constant(30)), until=300)
    assert served.index(1) - (started + 30) < 1
    assert set(served[served.index(1) :]) == {1}


def test_a_task_that_dies_before_it_is_ready_serves_nobody() -> None:
    """A loop of tasks that die while they start serves nobody, however long the start takes."""
    assert not any(_served(crash(Failure.APP_CRASH, after=constant(45), ready_after=constant(60))))


def test_a_task_that_dies_later_serves_until_then() -> None:
    """A task that lives for a while serves for that while."""
    served = _served(crash(Failure.APP_CRASH, after=constant(60)), until=120)
    assert 54 <= sum(served) <= 56


def test_who_fails_its_health_checks_does_not_serve() -> None:
    """Behind a load balancer a task serves from its first passed checks until its software fails them."""
    never = crash(Failure.ELB_HEALTH_CHECK)
    later = crash(Failure.ELB_HEALTH_CHECK, after=constant(200))
    assert not any(_served(never, target_group=TargetGroup()))
    served = _served(later, until=300, target_group=TargetGroup())
    assert 135 <= sum(served) <= 145


def test_who_fails_its_container_check_does_not_serve() -> None:
    """A task that never passes its container health check serves nobody; one that does, serves."""
    check = TaskSpec(health_check=HealthCheck())
    assert not any(_served(crash(Failure.CONTAINER_HEALTH_CHECK), task=check))
    assert _served(healthy(), task=check)[-1] == 1


@pytest.mark.parametrize("says", ["unused", "unavailable", "unhealthy"])
def test_a_balancer_that_knows_nothing(says: str) -> None:
    """Where the load balancer's word is about itself and not the task, the task serves and is not replaced."""
    sim = scene(target_group=TargetGroup(says=says))  # type: ignore[arg-type]
    sim.run_until(3600)
    assert sim.serving("prod", "web") == 1
    assert len(sim.tasks("prod", "web")) == 1


def test_too_few_to_carry_the_load() -> None:
    """A task alone dies of a load that all tasks together carry."""
    sim = scene(behaviour=healthy(least=3), desired_count=4)
    sim.run_until(600)
    assert sim.serving("prod", "web") == 4
    sim.scale("prod", "web", 1)
    failed = [event for event in sim.advance(900) if event["detail"].get("stopCode") == "EssentialContainerExited"]
    assert failed
