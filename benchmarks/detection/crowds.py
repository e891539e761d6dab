"""Attacks on the chain: many tasks start, some of them fail once, and none of it is a loop."""

from collections.abc import Iterator

from benchmarks.detection.scenario import CLUSTER, HOUR, SERVICE, Group, Loop, Scenario, Script, serve
from benchmarks.detection.software import stumbling
from simulation import Failure, Simulation, crash, uniform
from simulation.scripting.behaviour import Draw

_HOURS = 10.0
_WAYS: tuple[tuple[str, Failure, Draw | None], ...] = (
    ("crash at once", Failure.APP_CRASH, None),
    ("crash within a minute", Failure.APP_CRASH, uniform(10, 60)),
    ("do not get their secrets", Failure.RESOURCE_INIT, None),
)


def _renewed(tasks: int, share: float, cause: Failure, after: Draw | None, *, batch: int) -> Script:
    """Each hour the service is renewed, `batch` percent of it at a time; the second start of a task works."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, minimum_percent=100 - batch, maximum_percent=100)
        behaviour = stumbling(share, cause, after=after, first_starts=1)
        sim.every(HOUR, lambda: sim.deploy(CLUSTER, SERVICE, behaviour=behaviour))
        return ()

    return script


def _ramps(tasks: int, share: float, cause: Failure, after: Draw | None) -> Script:
    """Auto scaling goes up in steps and down again, over and over; some starts fail, and so may their retry."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks)
        sim.behave(CLUSTER, SERVICE, stumbling(share, cause, after=after))
        sim.scaling.register(CLUSTER, SERVICE, minimum=tasks, maximum=4 * tasks)
        step = max(1, tasks // 8)
        sim.every(120, lambda: sim.scaling.scale_out_alarm(CLUSTER, SERVICE, by=step))
        sim.every(3600, lambda: sim.scaling.scale_in_alarm(CLUSTER, SERVICE, by=3 * tasks))
        return ()

    return script


def _delivered_often(tasks: int, cause: Failure, after: Draw | None, *, slots: int | None) -> Script:
    """A deployment every 10 to 20 minutes, whose first start fails: of some slots or of all."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks)
        ill = None if slots is None else range(slots)

        def deploy() -> None:
            sim.deploy(CLUSTER, SERVICE, behaviour=crash(cause, after=after, first_starts=1, slots=ill))
            sim.at(sim.now + sim.world.rng.uniform(600, 1200), deploy)

        sim.at(HOUR, deploy)
        return ()

    return script


def crowds() -> Iterator[Scenario]:
    """Every scenario in which what looks like a chain is chance."""

    def crowd(name: str, tasks: int, script: Script, hours: float = _HOURS) -> Scenario:
        return Scenario(name, Group.CHURN, tasks, hours, script, seeds=2 if tasks > 40 else 3, attack=True)

    for way, cause, after in _WAYS:
        for tasks in (40, 100, 200):
            for share in (0.02, 0.05, 0.1):
                script = _renewed(tasks, share, cause, after, batch=20 if tasks < 200 else 10)
                yield crowd(f"renewed in batches, {share:.0%} of the first starts {way}", tasks, script)
        for tasks in (20, 60):
            for share in (0.05, 0.1):
                script = _ramps(tasks, share, cause, after)
                yield crowd(f"ramps of auto scaling, {share:.0%} of the starts {way}", tasks, script)
        for tasks, slots in ((1, None), (4, 1), (4, None), (20, 1), (20, None)):
            which = "first starts" if slots is None else "one first start"
            script = _delivered_often(tasks, cause, after, slots=slots)
            yield crowd(f"deployed every 10 to 20 min, {which}: {way}", tasks, script, 24)
