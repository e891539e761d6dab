"""What is heard, and when: lost events, clocks that are off, old answers, two installations, a crowd."""

from random import Random
from typing import Any

from benchmarks.breaker.kinds.ways import dead
from benchmarks.breaker.living import Living
from benchmarks.breaker.stage import CLUSTER, HOUR, MINUTE, Kind, Stage, grid
from simulation import Failure, TargetGroup, constant, crash
from simulation.core.state import Task, TaskChange


def _outage(stage: Stage, *, minutes: float, scaling: bool = False) -> None:
    stage.service(desired_count=3)
    if scaling:
        stage.scaling(minimum=2)
    stage.began = HOUR
    stage.ended = HOUR + minutes * MINUTE
    stage.breaks(HOUR, dead(3, until=stage.ended))


def _lost_events(stage: Stage, *, share: float, minutes: float) -> None:
    """A share of all events never arrives."""
    _outage(stage, minutes=minutes)
    if stage.ours:
        rng = Random(f"lost {stage.sim.now} {share} {minutes} {stage.rng.random()}")
        stage.ours.loses = lambda event: rng.random() < share


def _some_tasks_only(stage: Stage, *, tasks: int) -> None:
    """Only the failures of one slot are heard of, while the others serve."""
    stage.service(desired_count=tasks)
    stage.breaks(HOUR, dead(3, slots=[0]), count=1)

    def others(event: dict[str, Any]) -> bool:
        task = stage.sim.world.tasks.get(str(event["detail"].get("taskArn", "")).rsplit("/", 1)[-1])
        return task is not None and task.slot != 0

    if stage.ours:
        stage.ours.loses = others


def _clock(stage: Stage, *, skew: float, minutes: float) -> None:
    """The clock of the functions is off."""
    _outage(stage, minutes=minutes, scaling=True)
    if stage.ours:
        stage.ours.skew = skew


def _clock_serving(stage: Stage, *, skew: float) -> None:
    """The clock is off, and every task serves for 3 min."""
    stage.service(desired_count=3, behaviour=crash(Failure.APP_CRASH, after=constant(180)))
    if stage.ours:
        stage.ours.skew = skew


def _old_answers(stage: Stage, *, age: float, then: str) -> None:
    """Reads answer what was true many minutes ago."""
    minutes = stage.rng.uniform(28, 80)
    stage.service(desired_count=3)
    stage.scaling(minimum=2)
    stage.began = HOUR
    stage.ended = HOUR + minutes * MINUTE
    stage.breaks(HOUR, dead(3, until=stage.ended if then == "back" else 1e12))
    if then == "fixed":
        stage.deploys(stage.ended)
    if stage.ours:
        stage.ours.faults.stale = (0.0, 1e12, age)


def _old_answers_serving(stage: Stage, *, age: float) -> None:
    """Old answers, about a service of which a slot loops while the good tasks are renewed now and then."""
    stage.service(desired_count=4, behaviour=dead(3, slots=[3]))
    when = HOUR
    while when < 5 * HOUR:
        stage.at(when, lambda: stage.sim.churn.interrupt_spot(CLUSTER, "web", count=None))
        when += stage.rng.uniform(10, 40) * MINUTE
    if stage.ours:
        stage.ours.faults.stale = (0.0, 1e12, age)


def _twice_installed(stage: Stage, *, minutes: float, scaling: bool) -> None:
    """Two installations in one account act on the same service."""
    _outage(stage, minutes=minutes, scaling=scaling)
    if stage.ours:
        stage.ours.second = Living(stage.sim)


def _herd(stage: Stage, *, services: int, limit: int) -> None:
    """Services that came to be held one after another share a database that a crowd of starts brings down again."""
    stage.began, stage.ended = HOUR, 6 * HOUR
    for number in range(services):
        name = f"web-{number}"
        stage.service(name, desired_count=2)
        stage.breaks(HOUR + number * 8 * MINUTE, dead(3, until=stage.ended), name=name)
    started: list[float] = []
    before = stage.sim.world.on_change

    def watch(task: Task, change: TaskChange) -> None:
        before(task, change)
        if change is TaskChange.RUNNING and stage.sim.now > stage.ended:  # type: ignore[operator]
            started[:] = [at for at in started if at > stage.sim.now - 30] + [stage.sim.now]
            if len(started) > limit:
                stage.sim.at(stage.sim.now + 5, lambda: stage.sim.churn.end(task))

    stage.sim.world.on_change = watch


def _old_sdk(stage: Stage, *, what: str) -> None:
    """The SDK of the runtime drops what it does not know: a deployment under way, or that ECS manages the service."""
    managed = what == "an Express service"
    stage.service(desired_count=3, managed_by_ecs=managed)
    if what == "a deployment":
        stage.deploys(HOUR, dead(3))
    stage.began, stage.ended = 1.5 * HOUR, 3 * HOUR
    stage.at(stage.began, lambda: _all_dead(stage, until=3 * HOUR))
    if stage.ours:
        stage.ours.connect(unknown=("currentServiceDeployment", "resourceManagementType"))


def _all_dead(stage: Stage, *, until: float) -> None:
    for deployment in stage.sim.service(CLUSTER, "web").deployments:
        stage.sim.world.behaviours[deployment.definition.arn] = dead(3, until=until)
    stage.sim.churn.blip(CLUSTER, "web")


def _no_group(stage: Stage, *, all_loop: bool) -> None:
    """Somebody deletes the target group; then one slot loops, or all do until what they need is back."""
    stage.service(desired_count=3, target_group=TargetGroup(deregistration_delay=30))
    stage.at(HOUR / 2, lambda: stage.sim.delete_target_group("web"))
    if all_loop:
        stage.began, stage.ended = HOUR, 3 * HOUR
        stage.breaks(HOUR, dead(3, until=stage.ended))
    else:
        stage.breaks(HOUR, dead(3, slots=[0]), count=0)
        stage.at(HOUR, lambda: stage.sim.churn.end(stage.sim.service(CLUSTER, "web").primary.slots[0].tasks[0]))


WEATHER = (
    Kind("an SDK that is too old", _old_sdk, 5, 3, grid(what=("a loop", "a deployment", "an Express service"))),
    Kind("a deleted target group", _no_group, 6, 3, grid(all_loop=(True, False))),
    Kind("events are lost", _lost_events, 6, 5, grid(share=(0.5, 0.9), minutes=(20, 60, 120))),
    Kind("events of the one slot that loops", _some_tasks_only, 5, 4, grid(tasks=(2, 4))),
    Kind("a clock that is off", _clock, 7, 3, grid(skew=(-600.0, -60.0, 60.0, 600.0), minutes=(40, 120))),
    Kind("a clock that is off, and all serve", _clock_serving, 4, 3, grid(skew=(-600.0, -60.0, 60.0, 600.0))),
    Kind("very old answers", _old_answers, 7, 6, grid(age=(180.0, 400.0, 600.0), then=("back", "fixed"))),
    Kind("very old answers, and some serve", _old_answers_serving, 6, 5, grid(age=(180.0, 600.0))),
    Kind("installed twice", _twice_installed, 8, 4, grid(minutes=(40, 120), scaling=(False, True))),
    Kind("a crowd comes back to one database", _herd, 12, 2, grid(services=(20,), limit=(6, 12))),
)
