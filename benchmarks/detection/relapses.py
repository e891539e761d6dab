"""Attacks on the end of a loop: what comes again and again, what never quite ends, and what must not be swallowed."""

from collections.abc import Callable, Iterator

from benchmarks.detection.loops import break_down
from benchmarks.detection.scenario import CLUSTER, DAY, HOUR, SERVICE, Group, Loop, Scenario, Script, serve
from benchmarks.detection.software import in_turn
from simulation import Behaviour, Failure, Simulation, constant, crash, healthy, uniform

_QUICK = crash(Failure.APP_CRASH)


def _always(behaviour: Behaviour, tasks: int) -> Script:
    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, behaviour=behaviour)
        return (Loop(0),)

    return script


def _hanging(quick: int, low: float, high: float) -> Behaviour:
    """So many quick failures, then a task that hangs for a while and dies; never once well."""
    return in_turn([*[_QUICK] * quick, crash(Failure.KILLED, after=uniform(low, high))])


def _away(tasks: int, *, every: float, lasts: float, days: float) -> Script:
    """What the tasks need is away again and again."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks)
        found = []
        for number in range(1, int(days * DAY / every)):
            begins = number * every
            sim.at(begins, lambda: break_down(sim, crash(Failure.APP_CRASH, after=uniform(5, 30))))
            sim.at(begins + lasts, lambda: sim.behave(CLUSTER, SERVICE, healthy()))
            found.append(Loop(begins, begins + lasts, again=number > 1))
        return tuple(found)

    return script


def _then_crash(first: Behaviour, after_fix: Callable[[Simulation], object], tasks: int, *, unwell: bool) -> Script:
    """A loop of four hours, a mend with an afterlife of its own, and another loop 12 hours later."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks)
        fixed, again = 5 * HOUR, 17 * HOUR
        sim.at(HOUR, lambda: break_down(sim, first))
        sim.at(fixed, lambda: after_fix(sim))
        sim.at(again, lambda: break_down(sim, _QUICK))
        middle = (Loop(fixed, again, optional=True),) if unwell else ()
        return (Loop(HOUR, fixed), *middle, Loop(again))

    return script


def _deployed_on(every: float) -> Callable[[Simulation], object]:
    """Fixed, and then deployed often until the next loop."""

    def after_fix(sim: Simulation) -> None:
        for number in range(int(12 * HOUR / every)):
            sim.at(sim.now + number * every, lambda: sim.deploy(CLUSTER, SERVICE))

    return after_fix


def _one_unplaced(sim: Simulation) -> None:
    """Mended, but one of the tasks finds no capacity."""
    sim.behave(CLUSTER, SERVICE, crash(Failure.PLACEMENT, slots=range(1)))
    sim.churn.blip(CLUSTER, SERVICE)


def _flapping(tasks: int, *, period: float) -> Script:
    """Deployed broken and mended in turn: the most that anybody could be told of."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks)
        found = []
        for number in range(1, int(2 * DAY / period)):
            begins = number * period
            sim.at(
                begins, lambda: sim.deploy(CLUSTER, SERVICE, behaviour=crash(Failure.APP_CRASH, after=uniform(1, 9)))
            )
            sim.at(begins + 600, lambda: sim.deploy(CLUSTER, SERVICE))
            found.append(Loop(begins, begins + 600, again=number > 1))
        return tuple(found)

    return script


def relapses() -> Iterator[Scenario]:
    """Every scenario about the end of a loop, or its coming again."""

    def relapse(name: str, tasks: int, hours: float, script: Script, group: Group = Group.RECOVERY) -> Scenario:
        return Scenario(name, group, tasks, hours, script, attack=True)

    for tasks in (1, 4):
        for quick in (3, 6):
            for low, high in ((20, 40), (20, 90), (60, 90)):
                name = f"{quick} quick failures, then {low} to {high} min of hanging"
                script = _always(_hanging(quick, low * 60, high * 60), tasks)
                yield relapse(name, tasks, 72, script, Group.LOOP)
    for tasks in (1, 4, 20):
        script = _away(tasks, every=HOUR, lasts=600, days=2)
        yield relapse("a dependency is away for 10 min each hour", tasks, 48, script)
        script = _away(tasks, every=3 * HOUR, lasts=900, days=3)
        yield relapse("a dependency is away for 15 min every 3 h", tasks, 72, script)
    for period in (25, 45, 100):
        script = _flapping(2, period=period * 60)
        yield relapse(f"deployed broken and mended every {period} min", 2, 48, script)
    slow = crash(Failure.APP_CRASH, after=uniform(1740, 1860))
    for minutes in (45, 60):
        script = _then_crash(slow, _deployed_on(minutes * 60.0), 4, unwell=False)
        yield relapse(f"fixed, deployed every {minutes} min, and a loop 12 h later", 4, 20, script)
    for first, what in ((slow, "a slow loop"), (_QUICK, "a crash loop")):
        script = _then_crash(first, _one_unplaced, 5, unwell=True)
        yield relapse(f"{what}, fixed but for a task without a place, and a crash loop", 5, 20, script)
    for minutes in (58, 61):
        script = _always(crash(Failure.APP_CRASH, after=constant(minutes * 60.0)), 1)
        yield relapse(f"dies every {minutes} min, to the second", 1, 240, script, Group.LOOP)
