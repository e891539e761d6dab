"""Loops that end, and loops that come again."""

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.detection.loops import break_down
from benchmarks.detection.scenario import CLUSTER, HOUR, SERVICE, Group, Loop, Scenario, Script, serve
from simulation import Failure, Simulation, TargetGroup, crash, healthy, uniform

Step = Callable[[Simulation], object]

_LASTS = HOUR
_CRASHING = crash(Failure.APP_CRASH, after=uniform(5, 30))


def _deploy_broken(sim: Simulation) -> None:
    sim.deploy(CLUSTER, SERVICE, behaviour=_CRASHING)


def _deploy_unhealthy(sim: Simulation) -> None:
    sim.deploy(CLUSTER, SERVICE, behaviour=crash(Failure.ELB_HEALTH_CHECK))


def _deploy_fix(sim: Simulation) -> None:
    sim.deploy(CLUSTER, SERVICE)


def _lose_dependency(sim: Simulation) -> None:
    break_down(sim, _CRASHING)


def _lose_registry(sim: Simulation) -> None:
    break_down(sim, crash(Failure.IMAGE_PULL))


def _get_back(sim: Simulation) -> None:
    """The dependency is there again for tasks that start from now on."""
    sim.behave(CLUSTER, SERVICE, healthy())


def _scale_to_zero(sim: Simulation) -> None:
    """Somebody gives up, and starts the mended service two hours later."""
    sim.scale(CLUSTER, SERVICE, 0)
    sim.behave(CLUSTER, SERVICE, healthy())
    sim.at(sim.now + 2 * HOUR, lambda: sim.scale(CLUSTER, SERVICE, 4))


def _twice(begin: Step, end: Step, *, tasks: int, pause: float, **spec: Any) -> Script:
    """Two loops of an hour each, `pause` seconds apart."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, **spec)
        found = []
        for begins in (HOUR, HOUR + _LASTS + pause):
            sim.at(begins, lambda: begin(sim))
            sim.at(begins + _LASTS, lambda: end(sim))
            found.append(Loop(begins, begins + _LASTS))
        return tuple(found)

    return script


def recoveries() -> Iterator[Scenario]:
    """Every scenario in which a loop ends, and another follows."""

    def again(name: str, begin: Step, end: Step, *, tasks: int, pause: float = 4 * HOUR, **spec: Any) -> Scenario:
        script = _twice(begin, end, tasks=tasks, pause=pause, **spec)
        hours = (HOUR + 2 * _LASTS + pause) / HOUR + 4
        return Scenario(name, Group.RECOVERY, tasks, hours, script)

    for tasks in (1, 4, 20):
        yield again("bad roll-out, fixed, bad again", _deploy_broken, _deploy_fix, tasks=tasks)
        yield again("dependency lost for an hour, twice", _lose_dependency, _get_back, tasks=tasks)
        yield again("registry lost for an hour, twice", _lose_registry, _get_back, tasks=tasks)
    yield again("the second loop a day later", _lose_dependency, _get_back, tasks=4, pause=26 * HOUR)
    yield again("scaled to 0, mended, lost again", _lose_dependency, _scale_to_zero, tasks=4)
    group = TargetGroup(grace=90)
    yield again("unhealthy roll-out, fixed, again", _deploy_unhealthy, _deploy_fix, tasks=4, target_group=group)
