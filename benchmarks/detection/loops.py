"""Services in a restart loop: every category of failure at every size, and the harder shapes of a loop."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.detection.scenario import CLUSTER, DAY, HOUR, SERVICE, Group, Loop, Scenario, Script, serve
from simulation import Behaviour, Failure, HealthCheck, Simulation, TargetGroup, constant, crash, exponential, uniform
from simulation.scripting.behaviour import Draw

SIZES = (1, 2, 20, 200)
_BEGINS = 600.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to loop from the first task on. `hours` of stream; services of 200 tasks get `hours_large`."""

    name: str
    cause: Failure
    after: Draw | None = None
    hours: float = 3
    hours_large: float = 0.5
    ending: int = 0
    spec: dict[str, Any] = field(default_factory=dict)

    @property
    def behaviour(self) -> Behaviour:
        return crash(self.cause, after=self.after, ending=self.ending)


def _elb(grace: float, deregistration_delay: float, **spec: Any) -> dict[str, Any]:
    return {"target_group": TargetGroup(grace=grace, deregistration_delay=deregistration_delay), **spec}


_MINUTE = 60.0
_BY_ELB = Failure.ELB_HEALTH_CHECK
_CHECKED = {"task": {"health_check": HealthCheck()}}

KINDS = (
    Kind("app crash after 2 s", Failure.APP_CRASH, constant(2)),
    Kind("app crash after 10 min", Failure.APP_CRASH, uniform(570, 630), hours=4, hours_large=1.5),
    Kind("app crash after 1 to 14 min", Failure.APP_CRASH, uniform(60, 840), hours=6, hours_large=1),
    Kind("app crash after 30 min", Failure.APP_CRASH, uniform(1740, 1860), hours=8, hours_large=4),
    Kind("out of memory within a minute", Failure.OUT_OF_MEMORY, uniform(20, 60)),
    Kind("out of memory after 12 to 30 min", Failure.OUT_OF_MEMORY, uniform(720, 1800), hours=8, hours_large=2),
    Kind("segmentation fault", Failure.SEGFAULT),
    Kind("killed", Failure.KILLED, uniform(5, 90)),
    Kind("terminated", Failure.TERMINATED, uniform(5, 90)),
    Kind("exit 0", Failure.CLEAN_EXIT),
    Kind("cannot start", Failure.CANNOT_START, hours=8),
    Kind("entry point not found", Failure.CANNOT_START, ending=7),
    Kind("disk", Failure.DISK, hours=8),
    Kind("image pull, throttled", Failure.IMAGE_PULL, hours=8),
    Kind("secrets", Failure.RESOURCE_INIT, hours=8),
    Kind("network interface times out", Failure.NETWORK_ENI, constant(180), hours=8),
    Kind("placement", Failure.PLACEMENT, hours=8),
    Kind("cause not told", Failure.UNKNOWN),
    Kind("container health check", Failure.CONTAINER_HEALTH_CHECK, hours=4, hours_large=1, spec=_CHECKED),
    *(
        Kind(
            f"ELB, grace {grace} s, deregistration {delay} s",
            _BY_ELB,
            hours=6,
            hours_large=0.7 + grace / 400,
            spec=_elb(grace, delay),
        )
        for grace in (90, 120, 660)
        for delay in (30, 300)
    ),
)


def _from_the_start(kind: Kind, tasks: int) -> Script:
    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        sim.at(_BEGINS, lambda: serve(sim, gb, tasks=tasks, behaviour=kind.behaviour, **kind.spec))
        return (Loop(_BEGINS),)

    return script


def _roll_out(kind: Kind, tasks: int) -> Script:
    """The new revision loops while the old one serves."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, **kind.spec)
        sim.at(HOUR, lambda: sim.deploy(CLUSTER, SERVICE, behaviour=kind.behaviour))
        return (Loop(HOUR),)

    return script


def _dependency(behaviour: Behaviour, tasks: int) -> Script:
    """What the tasks need is gone: all of them die, and so do those that come after."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks)
        sim.at(HOUR, lambda: break_down(sim, behaviour))
        return (Loop(HOUR),)

    return script


def break_down(sim: Simulation, behaviour: Behaviour) -> None:
    """All running tasks die, and new ones behave like this."""
    sim.behave(CLUSTER, SERVICE, behaviour)
    sim.churn.blip(CLUSTER, SERVICE)


def _some_slots(slots: range, tasks: int) -> Script:
    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, behaviour=crash(Failure.APP_CRASH, slots=slots))
        return (Loop(0),)

    return script


def _many_services(count: int) -> Script:
    """One shared cause; `count` other services stay well."""

    def fall_ill(sim: Simulation, gb: float) -> None:
        for number in range(count):
            broken = crash(Failure.RESOURCE_INIT) if number % 2 else crash(Failure.APP_CRASH, after=uniform(5, 60))
            serve(sim, gb, tasks=1 + number % 4, name=f"ill-{number}", behaviour=broken)

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        for number in range(count):
            serve(sim, gb, tasks=2, name=f"well-{number}")
        sim.at(_BEGINS, lambda: fall_ill(sim, gb))
        return tuple(Loop(_BEGINS, service=f"ill-{number}") for number in range(count))

    return script


def _on_hosts(tasks: int, *, hosts: int, **spec: Any) -> Script:
    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, hosts=hosts, behaviour=crash(Failure.APP_CRASH, after=uniform(1, 20)), **spec)
        return (Loop(0),)

    return script


def _while_scaling(tasks: int) -> Script:
    """Auto scaling swings between half and twice the size while every task fails."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks)
        sim.scaling.register(CLUSTER, SERVICE, minimum=tasks // 2, maximum=tasks * 2)
        sim.every(600, lambda: sim.scaling.scale_out_alarm(CLUSTER, SERVICE, by=tasks // 2))
        sim.every(600, lambda: sim.scaling.scale_in_alarm(CLUSTER, SERVICE, by=tasks // 2), first=900)
        sim.at(2 * HOUR, lambda: break_down(sim, crash(Failure.APP_CRASH, after=uniform(10, 40))))
        return (Loop(2 * HOUR),)

    return script


def _after_flaky(tasks: int) -> Script:
    """A service that was only flaky for a day begins to loop."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, behaviour=crash(Failure.APP_CRASH, after=exponential(DAY)))
        sim.at(DAY, lambda: break_down(sim, crash(Failure.APP_CRASH, after=uniform(10, 40))))
        return (Loop(DAY),)

    return script


def loops() -> Iterator[Scenario]:
    """Every scenario in which something loops to the end of the stream."""

    def hard(name: str, tasks: int, hours: float, script: Script) -> Scenario:
        return Scenario(name, Group.LOOP, tasks, hours, script)

    for kind in KINDS:
        for tasks in SIZES:
            large = tasks >= 200
            hours = kind.hours_large if large else kind.hours
            yield Scenario(kind.name, Group.LOOP, tasks, hours, _from_the_start(kind, tasks), seeds=1 if large else 3)
    for kind in KINDS:
        if kind.name in ("app crash after 2 s", "image pull, throttled", "ELB, grace 90 s, deregistration 300 s"):
            for tasks in (4, 20):
                yield hard(f"bad roll-out beside healthy tasks: {kind.name}", tasks, 4, _roll_out(kind, tasks))
    for tasks in SIZES[:3]:
        lost = crash(Failure.APP_CRASH, after=uniform(5, 30))
        yield hard("a dependency is gone", tasks, 3, _dependency(lost, tasks))
        yield hard("crash on EC2", tasks, 2, _on_hosts(tasks, hosts=4))
    yield hard("one looping slot", 40, 3, _some_slots(range(7, 8), 40))
    yield hard("half of the slots loop", 20, 3, _some_slots(range(10), 20))
    yield hard("25 services at once", 2, 2, _many_services(25))
    yield hard("DAEMON", 5, 2, _on_hosts(5, hosts=5, strategy="DAEMON"))
    yield hard("loop while auto scaling swings", 10, 4, _while_scaling(10))
    yield hard("loop of a flaky service", 20, 27, _after_flaky(20))
    yield hard("image pull for two days", 1, 48, _from_the_start(Kind("", Failure.IMAGE_PULL), 1))
    for tasks in (1, 4):
        stop_first = Kind("", _BY_ELB, spec=_elb(90, 300, maximum_percent=100, minimum_percent=0))
        yield hard("ELB, grace 90 s, stop-first", tasks, 6, _from_the_start(stop_first, tasks))
        turns = Kind("", _BY_ELB, constant(5 * _MINUTE), spec=_elb(90, 300))
        yield hard("ELB, healthy for 5 min, then not", tasks, 6, _from_the_start(turns, tasks))
