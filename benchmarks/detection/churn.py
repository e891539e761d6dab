"""Services that do not loop: ordinary life, single mishaps, and software that is merely flaky."""

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.detection.loops import break_down
from benchmarks.detection.scenario import CLUSTER, DAY, HOUR, SERVICE, Group, Loop, Scenario, Script, serve
from simulation import Behaviour, Failure, Simulation, TargetGroup, crash, exponential, healthy, uniform

_HALF_DAY = 12.0
MTBF_HOURS = (2, 6, 24, 72)
# A service in which unrelated tasks fail more often than this, in seconds, has replacements that fail by chance alone.
CRASH_STORM = 300.0

Happening = Callable[[Simulation, int], object]
"""Something that happens to a service of so many tasks."""


def _again(happening: Happening, tasks: int, *, every: float, **spec: Any) -> Script:
    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, **spec)
        sim.every(every, lambda: happening(sim, tasks), first=HOUR)
        return ()

    return script


def _deploy(sim: Simulation, _: int) -> None:
    sim.deploy(CLUSTER, SERVICE)


def _deploy_stumbling(sim: Simulation, _: int) -> None:
    sim.deploy(CLUSTER, SERVICE, behaviour=crash(Failure.APP_CRASH, first_starts=1))


def _swing(sim: Simulation, tasks: int) -> None:
    """To three times the size and back ten minutes later."""
    sim.scale(CLUSTER, SERVICE, 3 * tasks)
    sim.at(sim.now + 600, lambda: sim.scale(CLUSTER, SERVICE, tasks))


def _lose_host(sim: Simulation, _: int) -> None:
    sim.churn.lose_host(CLUSTER)
    sim.at(sim.now + 240, lambda: sim.churn.add_host(CLUSTER))


def _drain_host(sim: Simulation, _: int) -> None:
    """A host is drained and replaced, as when its image is renewed."""
    sim.churn.add_host(CLUSTER)
    sim.churn.drain_host(CLUSTER)
    sim.at(sim.now + 500, lambda: sim.churn.lose_host(CLUSTER))


def _outage(seconds: float) -> Happening:
    """A dependency is away for a while: all tasks die, and so do new ones that come up before it is back."""

    def happening(sim: Simulation, _: int) -> None:
        break_down(sim, crash(Failure.APP_CRASH, after=uniform(5, 30), until=sim.now + seconds))
        sim.at(sim.now + seconds, lambda: sim.behave(CLUSTER, SERVICE, healthy()))

    return happening


def _oscillating(tasks: int) -> Script:
    """Target tracking that never finds its place."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks)
        sim.scaling.register(CLUSTER, SERVICE, minimum=tasks // 2, maximum=4 * tasks)
        sim.every(300, lambda: sim.scaling.scale_out_alarm(CLUSTER, SERVICE, by=tasks))
        sim.every(300, lambda: sim.scaling.scale_in_alarm(CLUSTER, SERVICE, by=tasks), first=450)
        return ()

    return script


_BEHIND_ELB = TargetGroup(grace=60)


def _ordinary() -> Iterator[Scenario]:
    def churn(name: str, tasks: int, script: Script, hours: float = _HALF_DAY) -> Scenario:
        return Scenario(name, Group.CHURN, tasks, hours, script, seeds=1 if tasks >= 200 else 3)

    for tasks in (1, 3, 20, 200):
        yield churn("rolling deployments, fast", tasks, _again(_deploy, tasks, every=1200))
    for tasks in (3, 20):
        slow = _again(_deploy, tasks, every=2700, target_group=_BEHIND_ELB)
        yield churn("rolling deployments, slow, behind ELB", tasks, slow)
        tight = _again(_deploy, tasks, every=3600, minimum_percent=67, maximum_percent=100)
        yield churn("rolling deployments, stop-first", tasks, tight)
    yield churn("scale-out and scale-in", 10, _again(_swing, 10, every=1500))
    yield churn("auto scaling oscillates", 8, _oscillating(8))
    for tasks in (4, 20):
        for name, every, happening in _HAPPENINGS:
            yield churn(name, tasks, _again(happening, tasks, every=every))
        yield churn("lost hosts", tasks, _again(_lose_host, tasks, every=900, hosts=5))
        yield churn("hosts drained one by one", tasks, _again(_drain_host, tasks, every=900, hosts=5))
    for tasks in (1, 4, 20):
        stumbling = _again(_deploy_stumbling, tasks, every=HOUR)
        yield churn("a start that fails once per deployment", tasks, stumbling)


_HAPPENINGS: tuple[tuple[str, float, Happening], ...] = (
    ("spot storm, half of the tasks", 1200, lambda sim, n: sim.churn.interrupt_spot(CLUSTER, SERVICE, count=n // 2)),
    ("spot storm, all tasks", 1800, lambda sim, _: sim.churn.interrupt_spot(CLUSTER, SERVICE, count=None)),
    ("maintenance", 3600, lambda sim, _: sim.churn.maintain(CLUSTER, SERVICE)),
    ("zone rebalancing", 900, lambda sim, n: sim.churn.rebalance(CLUSTER, SERVICE, count=n // 3)),
    ("a person stops a task", 200, lambda sim, _: sim.churn.stop_by_user(CLUSTER, SERVICE)),
    ("a person stops all tasks", 900, lambda sim, _: sim.churn.stop_by_user(CLUSTER, SERVICE, count=None)),
)


def _mishaps() -> Iterator[Scenario]:
    def churn(name: str, tasks: int, happening: Happening, hours: float = _HALF_DAY) -> Scenario:
        return Scenario(name, Group.CHURN, tasks, hours, _again(happening, tasks, every=3 * HOUR))

    for tasks in (1, 4, 20, 200):
        yield churn("all tasks die once", tasks, lambda sim, _: sim.churn.blip(CLUSTER, SERVICE))
        yield churn("a dependency is away for 3 min", tasks, _outage(180))
    for tasks in (4, 20, 200):
        yield churn("some tasks die once", tasks, lambda sim, n: sim.churn.blip(CLUSTER, SERVICE, count=max(3, n // 5)))
    for tasks in (1, 4, 20, 200):
        leak = crash(Failure.OUT_OF_MEMORY, after=uniform(4 * HOUR, 8 * HOUR))
        yield Scenario("a slow leak, dies every 4 to 8 h", Group.CHURN, tasks, 96, _living(leak, tasks), seeds=2)
        timed = crash(Failure.CLEAN_EXIT, after=uniform(2 * HOUR, 2.1 * HOUR))
        yield Scenario("ends by itself every 2 h", Group.CHURN, tasks, 48, _living(timed, tasks), seeds=2)
    script = _again(_outage(180), 4, every=3 * HOUR, hosts=4)
    yield Scenario("a dependency is away for 3 min, on EC2", Group.APART, 4, _HALF_DAY, script)


def _living(behaviour: Behaviour, tasks: int, **spec: Any) -> Script:
    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, behaviour=behaviour, **spec)
        return ()

    return script


def _flaky() -> Iterator[Scenario]:
    """For 30 days each task fails at random. Crash storms, which are judged apart, last three days."""
    for hours in MTBF_HOURS:
        for tasks in (1, 4, 20, 200):
            storm = hours * HOUR / tasks < CRASH_STORM
            flaky = crash(Failure.APP_CRASH, after=exponential(hours * HOUR))
            yield Scenario(
                flaky_name(hours),
                Group.APART if storm else Group.FLAKY,
                tasks,
                72 if storm else 30 * DAY / HOUR,
                _living(flaky, tasks),
                seeds=1 if tasks >= 200 else 3,
            )
    for tasks in (1, 4):
        unwell = crash(Failure.ELB_HEALTH_CHECK, after=exponential(2 * HOUR))
        script = _living(unwell, tasks, target_group=TargetGroup(grace=90))
        yield Scenario("flaky by ELB health check, each task every 2 h", Group.FLAKY, tasks, 30 * DAY / HOUR, script)


def flaky_name(hours: int) -> str:
    """The name of the scenarios in which each task fails on average once in so many hours."""
    return f"flaky, each task fails every {hours} h"


def churn() -> Iterator[Scenario]:
    """Every scenario without a loop."""
    yield from _ordinary()
    yield from _mishaps()
    yield from _flaky()
