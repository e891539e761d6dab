"""Attacks on what is known of a failure: slow and regular deaths, storms, late installation, wrong clocks."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from benchmarks.detection.loops import break_down
from benchmarks.detection.scenario import CLUSTER, HOUR, SERVICE, Event, Group, Loop, Scenario, Script, serve
from simulation import Behaviour, Failure, Simulation, TargetGroup, crash, exponential, uniform


def _loops(behaviour: Behaviour, tasks: int, **spec: Any) -> Script:
    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, behaviour=behaviour, **spec)
        return (Loop(0),)

    return script


def _one_early(behaviour: Behaviour, tasks: int) -> Script:
    """Regular deaths, but for one of the first tasks, which dies early by chance."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, behaviour=behaviour)
        early = sim.world.rng.uniform(300, 1500)
        sim.at(early, lambda: sim.churn.blip(CLUSTER, SERVICE, count=1))
        return (Loop(0),)

    return script


def _after_days(behaviour: Behaviour, tasks: int, **spec: Any) -> Script:
    """A service that ran well for 40 hours falls ill, and its old tasks die of it."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, **spec)

        def fall_ill() -> None:
            sim.behave(CLUSTER, SERVICE, behaviour)
            if behaviour.ending is not None and behaviour.ending.cause is Failure.ELB_HEALTH_CHECK:
                sim.churn.blip(CLUSTER, SERVICE)
            else:
                break_down(sim, behaviour)

        sim.at(40 * HOUR, fall_ill)
        return (Loop(40 * HOUR),)

    return script


def _poisoned(tasks: int) -> Script:
    """A message that kills whoever takes it, and is taken by another after 5 to 15 minutes."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks)

        def take() -> None:
            sim.churn.blip(CLUSTER, SERVICE, count=1)
            sim.at(sim.now + sim.world.rng.uniform(300, 900), take)

        sim.at(12 * HOUR, take)
        return (Loop(12 * HOUR),)

    return script


def _quiet_leaks(tasks: int) -> Script:
    """Tasks that die after days, each at a time of its own: no loop."""

    def script(sim: Simulation, gb: float) -> tuple[Loop, ...]:
        serve(sim, gb, tasks=tasks, behaviour=crash(Failure.OUT_OF_MEMORY, after=exponential(30 * HOUR)))
        return ()

    return script


def _clock_slow(event: Event) -> Event:
    """The agent's clock is ten minutes slow, and so is what it says of the end of containers."""
    detail = event["detail"]
    if "executionStoppedAt" not in detail:
        return event
    ended = datetime.fromisoformat(detail["executionStoppedAt"]) - timedelta(seconds=600)
    return {**event, "detail": {**detail, "executionStoppedAt": ended.isoformat()}}


def _no_service_action(event: Event) -> Event:
    """Nobody routes what ECS says of services to us."""
    return {**event, "detail-type": "none of ours"} if event["detail-type"] == "ECS Service Action" else event


def oddities() -> Iterator[Scenario]:
    """Every other scenario that was written to break the detector."""

    def odd(
        name: str,
        tasks: int,
        hours: float,
        script: Script,
        group: Group = Group.LOOP,
        *,
        installed_at: float = 0.0,
        told: Callable[[Event], Event] = lambda event: event,
    ) -> Scenario:
        return Scenario(name, group, tasks, hours, script, seeds=3, attack=True, installed_at=installed_at, told=told)

    for minutes in (30, 45):
        for tasks in (4, 20):
            script = _one_early(crash(Failure.APP_CRASH, after=uniform(minutes * 60 - 30, minutes * 60 + 30)), tasks)
            yield odd(f"dies every {minutes} min after one early death", tasks, 12, script)
    for hours in (61 / 60, 2, 5):
        for tasks in (1, 4):
            script = _loops(crash(Failure.OUT_OF_MEMORY, after=uniform(hours * HOUR - 5, hours * HOUR + 5)), tasks)
            yield odd(f"out of memory after {hours * 60:.0f} min, to the second", tasks, 48, script)
    yield odd("dies after 50 to 70 min", 4, 48, _loops(crash(Failure.APP_CRASH, after=uniform(3000, 4200)), 4))
    young = crash(Failure.APP_CRASH, after=uniform(60, 840))
    for tasks in (1, 4):
        yield odd("ran for 40 h, then crash after 1 to 14 min", tasks, 46, _after_days(young, tasks))
        unwell, group = crash(Failure.ELB_HEALTH_CHECK), TargetGroup(grace=90)
        script = _after_days(unwell, tasks, target_group=group)
        yield odd("ran for 40 h, then ELB, grace 90 s", tasks, 46, script)
    pull = _loops(crash(Failure.IMAGE_PULL), 1)
    yield odd(
        "installed while ECS throttles, no service events", 1, 16, pull, installed_at=6 * HOUR, told=_no_service_action
    )
    yield odd("the agent's clock is 10 min slow", 2, 3, _loops(crash(Failure.APP_CRASH), 2), told=_clock_slow)
    for tasks in (10, 50):
        yield odd("a poison message kills a worker every 5 to 15 min", tasks, 84, _poisoned(tasks))
    yield odd(
        "each task fails once an hour at random", 20, 72, _loops(crash(Failure.APP_CRASH, after=exponential(HOUR)), 20)
    )
    for tasks in (4, 40):
        yield odd("leaks that take a day or more", tasks, 240, _quiet_leaks(tasks), Group.CHURN)
    for grace in (90, 300, 660):
        group = TargetGroup(grace=grace)
        script = _loops(crash(Failure.ELB_HEALTH_CHECK), 4, target_group=group)
        yield odd(f"ELB, grace {grace} s, only STOPPED tells", 4, 6, script, told=_only_stopped)


def _only_stopped(event: Event) -> Event:
    """The rule for tasks that ECS is about to stop is not installed."""
    return {**event, "detail-type": "none of ours"} if event["detail"].get("lastStatus") == "DEACTIVATING" else event
