"""Mixtures: several things that go wrong at once, or in turn, and ordinary life that is rough."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from zlib import crc32

from benchmarks.detection.loops import break_down
from benchmarks.detection.scenario import CLUSTER, HOUR, SERVICE, Event, Group, Loop, Scenario, Script, serve
from benchmarks.detection.software import by_slot, in_turn, stumbling
from simulation import (
    Behaviour,
    Failure,
    HealthCheck,
    Simulation,
    TargetGroup,
    TrafficShift,
    constant,
    crash,
    exponential,
    uniform,
)
from simulation import healthy as well

Step = Callable[[Simulation], object]


def _ill(behaviour: Behaviour, tasks: int, *besides: tuple[float, Step], **spec: Any) -> Script:
    """Ill from the first hour on, while other things happen, each again and again."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, **spec)
        sim.at(HOUR, lambda: break_down(sim, behaviour))
        for every, step in besides:
            sim.every(every, partial(step, sim), first=HOUR + every)
        return (Loop(HOUR),)

    return script


def _calm(tasks: int, *besides: tuple[float, Step], **spec: Any) -> Script:
    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, **spec)
        for every, step in besides:
            sim.every(every, partial(step, sim), first=every)
        return ()

    return script


def _deploy(behaviour: Behaviour) -> Step:
    return lambda sim: sim.deploy(CLUSTER, SERVICE, behaviour=behaviour)


def _swing(low: int, high: int) -> Step:
    def step(sim: Simulation) -> None:
        sim.scale(CLUSTER, SERVICE, low if sim.service(CLUSTER, SERVICE).wanted == high else high)

    return step


def _lose_a_host(sim: Simulation) -> None:
    sim.churn.add_host(CLUSTER)
    sim.churn.lose_host(CLUSTER)


def _spot(count: int) -> Step:
    return lambda sim: sim.churn.interrupt_spot(CLUSTER, SERVICE, count=count)


def _away(seconds: float) -> Step:
    """What the tasks need is away for a moment."""

    def step(sim: Simulation) -> None:
        break_down(sim, crash(Failure.APP_CRASH, after=uniform(2, 20)))
        sim.at(sim.now + seconds, lambda: sim.behave(CLUSTER, SERVICE, well()))

    return step


def _zone_lost(sim: Simulation) -> None:
    """A third of the tasks die, and for five minutes their replacements find no place."""
    tasks = sim.tasks(CLUSTER, SERVICE)
    sim.behave(CLUSTER, SERVICE, crash(Failure.PLACEMENT, share=0.5))
    sim.churn.blip(CLUSTER, SERVICE, count=len(tasks) // 3)
    sim.at(sim.now + 300, lambda: sim.behave(CLUSTER, SERVICE, well()))


def _half_lost(event: Event) -> Event:
    """Every second event never arrives."""
    return event | {"detail-type": "lost on its way"} if crc32(event["id"].encode()) % 2 else event


def mixtures() -> Iterator[Scenario]:
    """Every one of these kinds."""
    yield from _loops()
    yield from _ordinary()


def _loops() -> Iterator[Scenario]:
    def loop(name: str, tasks: int, hours: float, script: Script, **known: Any) -> Scenario:
        return Scenario(name, Group.LOOP, tasks, hours, script, seeds=2, attack=True, **known)

    quick = crash(Failure.APP_CRASH, after=uniform(1, 9))
    backs_off = in_turn([crash(Failure.APP_CRASH, after=constant(5.0 * 2**n)) for n in range(8)])
    for tasks in (1, 6):
        yield loop("backs off from 5 s to 11 min, over and over", tasks, 8, _ill(backs_off, tasks))
    turns = in_turn(
        [
            crash(Failure.APP_CRASH),
            crash(Failure.OUT_OF_MEMORY, after=uniform(200, 400)),
            crash(Failure.KILLED, after=uniform(500, 900)),
            crash(Failure.SEGFAULT, after=uniform(30, 90)),
        ]
    )
    yield loop("four causes in turn", 2, 8, _ill(turns, 2))
    ends = in_turn([crash(Failure.CLEAN_EXIT, after=uniform(5, 20)), quick])
    yield loop("ends with 0 and with 1 in turn", 3, 4, _ill(ends, 3))
    spread = by_slot([crash(Failure.APP_CRASH, after=exponential(240)), well()])
    yield loop("half crash at random, deployed hourly", 8, 8, _ill(spread, 8, (HOUR, _deploy(spread))))
    yield loop("crashes while it swings from 2 to 8", 8, 5, _ill(quick, 8, (600, _swing(2, 8))))
    yield loop("crashes while hosts are lost", 6, 5, _ill(quick, 6, (1200, _lose_a_host), hosts=4))
    yield loop("crashes, half of the events lost", 2, 6, _ill(quick, 2), told=_half_lost)
    slow = crash(Failure.APP_CRASH, after=uniform(300, 700))
    yield loop("crashes after 5 to 12 min, half of the events lost", 3, 10, _ill(slow, 3), told=_half_lost)
    for low, high, hours in ((13, 17, 10), (54, 66, 36)):
        edge = crash(Failure.APP_CRASH, after=uniform(low * 60, high * 60))
        for tasks in (1, 4):
            yield loop(f"crashes after {low} to {high} min", tasks, hours, _ill(edge, tasks))
    yield loop("crashes after 5 min on average", 3, 6, _ill(crash(Failure.APP_CRASH, after=exponential(300)), 3))
    hurried = crash(Failure.APP_CRASH, after=uniform(200, 400))
    yield loop("crashes after 5 min, deployed every 7 min", 4, 6, _ill(hurried, 4, (420, _deploy(hurried))))
    sick = by_slot([crash(Failure.ELB_HEALTH_CHECK), crash(Failure.OUT_OF_MEMORY, after=uniform(60, 600))])
    yield loop("unhealthy or out of memory", 4, 6, _ill(sick, 4, target_group=TargetGroup(grace=120)))
    late = crash(Failure.CONTAINER_HEALTH_CHECK, after=uniform(500, 700))
    yield loop("unhealthy after ten good minutes", 3, 8, _ill(late, 3, task={"health_check": HealthCheck()}))
    pulls = by_slot([crash(Failure.IMAGE_PULL), well()])
    yield loop("half cannot pull, for they are in another zone", 10, 8, _ill(pulls, 10))
    few = crash(Failure.APP_CRASH, after=uniform(100, 800), slots=range(2))
    yield loop("two of 200 crash after 2 to 13 min", 200, 6, _ill(few, 200))
    yield loop("crashes while Spot takes a third", 9, 5, _ill(slow, 9, (600, _spot(3))))


def _ordinary() -> Iterator[Scenario]:
    def calm(name: str, tasks: int, hours: float, script: Script) -> Scenario:
        return Scenario(name, Group.CHURN, tasks, hours, script, seeds=2, attack=True)

    stumbles = stumbling(0.1, Failure.APP_CRASH, first_starts=1)
    green: dict[str, Any] = {"target_group": TargetGroup(grace=60, alternate="green"), "shift": TrafficShift()}
    script = _calm(10, (HOUR, _deploy(stumbles)), behaviour=stumbles, **green)
    yield calm("blue/green hourly, 10% of the first starts fail", 10, 24, script)
    rough = stumbling(0.05, Failure.OUT_OF_MEMORY, after=uniform(5, 60))
    yield calm(
        "Spot takes 3 of 40 every 10 min, 5% of the starts fail", 40, 24, _calm(40, (600, _spot(3)), behaviour=rough)
    )
    yield calm("a zone is lost every 8 h", 12, 48, _calm(12, (8 * HOUR, _zone_lost)))
    migrates = crash(Failure.APP_CRASH, after=uniform(5, 15), slots=range(1), first_starts=2)
    yield calm(
        "two starts fail at each hourly deployment", 6, 24, _calm(6, (HOUR, _deploy(migrates)), behaviour=migrates)
    )
    sawtooth = stumbling(0.03, Failure.APP_CRASH, first_starts=1)
    yield calm(
        "swings from 5 to 50 each half hour, 3% of the starts fail",
        50,
        24,
        _calm(50, (1800, _swing(5, 50)), behaviour=sawtooth),
    )
    yield calm("a dependency is away for 100 s every 2 h", 20, 48, _calm(20, (2 * HOUR, _away(100))))
    yawns, group = well(ready_after=constant(550)), TargetGroup(grace=660)
    script = _calm(6, (2 * HOUR, _deploy(yawns)), (5 * HOUR, _spot(2)), behaviour=yawns, target_group=group)
    yield calm("ready after 9 min, grace 660 s, deployed and interrupted", 6, 24, script)
    dies = stumbling(0.02, Failure.KILLED, after=uniform(60, 900))
    script = _calm(30, (1200, lambda sim: sim.restart(CLUSTER, SERVICE)), behaviour=dies)
    yield calm("30 tasks renewed every 20 min, 2% die within 15 min", 30, 24, script)
