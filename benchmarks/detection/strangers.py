"""What another generator of streams found, which knew neither this simulation nor the rules."""

from collections.abc import Iterator
from random import Random

from benchmarks.detection.scenario import CLUSTER, HOUR, SERVICE, Group, Loop, Scenario, Script, serve
from simulation import Behaviour, Failure, Simulation, crash, exponential, uniform


def _mostly_young(rng: Random) -> float:
    """Seven of ten die within minutes, the others after hours."""
    return rng.uniform(20, 400) if rng.random() < 0.7 else rng.uniform(3000, 12_000)


def _ends(behaviour: Behaviour, tasks: int, *, loops: bool, deployed_every: float = 0.0) -> Script:
    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, behaviour=behaviour)
        if deployed_every:
            sim.every(deployed_every, lambda: sim.deploy(CLUSTER, SERVICE, behaviour=behaviour))
        return (Loop(0),) if loops else ()

    return script


def strangers() -> Iterator[Scenario]:
    """Every one of these kinds."""

    def loop(name: str, tasks: int, hours: float, behaviour: Behaviour, *, deployed_every: float = 0.0) -> Scenario:
        script = _ends(behaviour, tasks, loops=True, deployed_every=deployed_every)
        return Scenario(name, Group.LOOP, tasks, hours, script, attack=True)

    young = crash(Failure.APP_CRASH, after=_mostly_young)
    yield loop("70% die young, deployed every 30 min", 3, 12, young, deployed_every=HOUR / 2)
    for tasks, minutes in ((5, 25), (20, 40)):
        at_random = crash(Failure.APP_CRASH, after=exponential(minutes * 60.0))
        yield loop(f"each task fails every {minutes} min at random", tasks, 24, at_random)
    # What ends by itself is told where it makes a chain, unless its owner meant it: right and wrong depend on them.
    for tasks, low, high in ((4, 17, 25), (10, 40, 90)):
        work = crash(Failure.CLEAN_EXIT, after=uniform(low * 60, high * 60))
        script = _ends(work, tasks, loops=False)
        name = f"workers that end without an error after {low} to {high} min"
        yield Scenario(name, Group.APART, tasks, 48, script, attack=True)
