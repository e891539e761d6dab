"""Kinds that an enemy would write: mixtures, changes under way, and ordinary life that looks like a loop."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.detection.loops import break_down
from benchmarks.detection.scenario import CLUSTER, DAY, HOUR, SERVICE, Group, Loop, Scenario, Script, serve
from benchmarks.detection.software import by_slot, stumbling
from simulation import (
    Behaviour,
    EarlySuccess,
    Failure,
    HealthCheck,
    Simulation,
    TargetGroup,
    TrafficShift,
    constant,
    crash,
    healthy,
    uniform,
)

_CRASH = crash(Failure.APP_CRASH, after=uniform(1, 9))
_UNWELL = crash(Failure.ELB_HEALTH_CHECK)
Step = Callable[[Simulation], object]


def _life(*steps: tuple[float, Step], tasks: int, loops: tuple[Loop, ...] = (), **spec: Any) -> Script:
    """A service to which things happen, each at its time."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, **spec)
        for at, step in steps:
            sim.at(at, partial(step, sim))
        return loops

    return script


def _over_and_over(step: Step, *, every: float, tasks: int, **spec: Any) -> Script:
    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, **spec)
        sim.every(every, lambda: step(sim), first=HOUR)
        return ()

    return script


def _behave(behaviour: Behaviour) -> Step:
    return lambda sim: sim.behave(CLUSTER, SERVICE, behaviour)


def _break(behaviour: Behaviour) -> Step:
    return lambda sim: break_down(sim, behaviour)


def _deploy(behaviour: Behaviour | None = None) -> Step:
    return lambda sim: sim.deploy(CLUSTER, SERVICE, behaviour=behaviour)


def _scale(count: int) -> Step:
    return lambda sim: sim.scale(CLUSTER, SERVICE, count)


def _two_in_a_row(sim: Simulation) -> None:
    """One task dies, and its replacement once more."""
    sim.behave(CLUSTER, SERVICE, crash(Failure.APP_CRASH, after=uniform(5, 10), first_starts=2))
    sim.churn.blip(CLUSTER, SERVICE, count=1)
    sim.at(sim.now + 80, lambda: sim.behave(CLUSTER, SERVICE, healthy()))


def _renew_hosts(sim: Simulation) -> None:
    """The image of the hosts is renewed, one by one."""
    sim.churn.add_host(CLUSTER)
    sim.churn.drain_host(CLUSTER)
    sim.at(sim.now + 300, lambda: sim.churn.lose_host(CLUSTER))


def enemies() -> Iterator[Scenario]:
    """Every one of these kinds."""

    def enemy(name: str, tasks: int, hours: float, script: Script) -> Scenario:
        return Scenario(name, Group.LOOP, tasks, hours, script, attack=True)

    def calm(name: str, tasks: int, hours: float, script: Script) -> Scenario:
        return Scenario(name, Group.CHURN, tasks, hours, script, seeds=1 if tasks > 200 else 3, attack=True)

    yield from _loops(enemy)
    yield from _calm(calm)


def _loops(enemy: Callable[..., Scenario]) -> Iterator[Scenario]:
    at_once, from_hour = (Loop(0),), (Loop(HOUR),)
    mixed = by_slot([crash(Failure.APP_CRASH), crash(Failure.OUT_OF_MEMORY, after=uniform(500, 700))])
    yield enemy("two loops in one service", 4, 4, _life(tasks=4, behaviour=mixed, loops=at_once))
    changing = (
        (HOUR, _break(crash(Failure.OUT_OF_MEMORY, after=uniform(20, 60)))),
        (2 * HOUR, _behave(crash(Failure.IMAGE_PULL))),
        (4 * HOUR, _behave(_CRASH)),
    )
    yield enemy("a loop that changes its cause", 4, 6, _life(*changing, tasks=4, loops=from_hour))
    hurried = tuple((HOUR + 200.0 * n, _deploy(_CRASH)) for n in range(6))
    yield enemy("deployed broken every 200 s", 4, 3, _life(*hurried, tasks=4, loops=from_hour))
    shrinking = ((HOUR, _break(_CRASH)), (HOUR + 90, _scale(10)), (HOUR + 180, _scale(5)), (HOUR + 270, _scale(2)))
    yield enemy("scaled in while it loops", 20, 3, _life(*shrinking, tasks=20, loops=from_hour))
    green: dict[str, Any] = {"target_group": TargetGroup(grace=60, alternate="green"), "shift": TrafficShift()}
    yield enemy(
        "blue/green whose green crashes", 4, 3, _life((HOUR, _deploy(_CRASH)), tasks=4, loops=from_hour, **green)
    )
    ill_green = _life((HOUR, _deploy(_UNWELL)), tasks=4, loops=from_hour, **green)
    yield enemy("blue/green whose green is unhealthy", 4, 3, ill_green)
    last = crash(Failure.APP_CRASH, slots=range(18, 20))
    early = _life((HOUR, _deploy(last)), tasks=20, loops=from_hour, early_success=EarlySuccess())
    yield enemy("early success while the last tasks crash", 20, 4, early)
    checked: dict[str, Any] = {"task": {"health_check": HealthCheck(start_period=300)}}
    sick = crash(Failure.CONTAINER_HEALTH_CHECK)
    yield enemy(
        "container health check, start period 300 s", 4, 4, _life(tasks=4, behaviour=sick, loops=at_once, **checked)
    )
    for grace in (300, 660):
        group: dict[str, Any] = {"target_group": TargetGroup(grace=grace), "maximum_percent": 100, "minimum_percent": 0}
        script = _life(tasks=2, behaviour=_UNWELL, loops=at_once, **group)
        yield enemy(f"ELB, grace {grace} s, stop-first", 2, 6, script)
        rolled = _life((HOUR, _deploy(_UNWELL)), tasks=6, loops=from_hour, target_group=TargetGroup(grace=grace))
        yield enemy(f"bad roll-out beside healthy tasks: ELB, grace {grace} s", 6, 6, rolled)
    spot = (
        (HOUR, _break(_CRASH)),
        *((1800.0 * n, lambda sim: sim.churn.interrupt_spot(CLUSTER, SERVICE)) for n in range(8)),
    )
    yield enemy("crashes while Spot takes tasks", 6, 4, _life(*spot, tasks=6, loops=from_hour))


def _calm(calm: Callable[..., Scenario]) -> Iterator[Scenario]:
    yield calm("two failures in a row every 3 h", 4, 48, _over_and_over(_two_in_a_row, every=3 * HOUR, tasks=4))
    nightly = _over_and_over(lambda sim: sim.churn.blip(CLUSTER, SERVICE), every=DAY, tasks=8)
    yield calm("all tasks restart themselves once a day", 8, 240, nightly)
    flaky_start = stumbling(0.1, Failure.APP_CRASH, first_starts=1)
    hosts = _over_and_over(_renew_hosts, every=600, tasks=12, hosts=6, behaviour=flaky_start)
    yield calm("hosts renewed one by one, 10% of the first starts fail", 12, 6, hosts)
    many = stumbling(0.005, Failure.APP_CRASH)
    script = _over_and_over(_deploy(many), every=HOUR, tasks=1000, minimum_percent=90, maximum_percent=110)
    yield calm("deployed hourly, 0.5% of the starts fail", 1000, 2.9, script)
    slow, group = healthy(ready_after=constant(240)), TargetGroup(grace=300)
    script = _over_and_over(_deploy(slow), every=HOUR, tasks=4, behaviour=slow, target_group=group)
    yield calm("healthy after 4 min, grace 300 s", 4, 12, script)
    held: dict[str, Any] = {
        "target_group": TargetGroup(grace=60, alternate="green"),
        "shift": TrafficShift(),
        "pauses": True,
    }
    yield calm("a deployment that waits at its hook for 10 h", 4, 12, _life((HOUR, _deploy()), tasks=4, **held))
    same = _over_and_over(lambda sim: sim.restart(CLUSTER, SERVICE), every=1200, tasks=6)
    yield calm("same revision deployed again every 20 min", 6, 12, same)

    def nights(sim: Simulation) -> None:
        sim.scale(CLUSTER, SERVICE, 0)
        sim.at(sim.now + 8 * HOUR, lambda: sim.scale(CLUSTER, SERVICE, 6))

    yield calm("scaled to 0 each night", 6, 120, _over_and_over(nights, every=DAY, tasks=6))

    def outage(sim: Simulation) -> None:
        sim.churn.blip(CLUSTER, SERVICE, cause=Failure.ELB_HEALTH_CHECK)

    group = TargetGroup(grace=300)
    yield calm(
        "all tasks unhealthy once every 6 h", 6, 48, _over_and_over(outage, every=6 * HOUR, tasks=6, target_group=group)
    )
