"""Services that serve, all of the time or some of it: nothing of them may ever be stopped."""

from benchmarks.breaker.kinds.ways import dead, mostly, served_for
from benchmarks.breaker.stage import CLUSTER, HOUR, MINUTE, Kind, Stage, grid
from simulation import Behaviour, Failure, HealthCheck, TargetGroup, TaskSpec, constant, crash, healthy, uniform


def _out_of_memory(stage: Stage) -> None:
    stage.service(desired_count=4, behaviour=served_for(uniform(480, 780), cause=Failure.OUT_OF_MEMORY))


def _recycling(stage: Stage, *, tasks: int, minutes: float) -> None:
    stage.service(desired_count=tasks, behaviour=served_for(constant(60 * minutes), cause=Failure.CLEAN_EXIT))


def _one_slot(stage: Stage, *, renewed: str, life: float) -> None:
    """Slot 3 of 4 loops from the beginning; after an hour the other three are renewed."""
    behaviour = _slots(life, [3])
    stage.service(desired_count=4, behaviour=behaviour)
    at = HOUR + stage.rng.uniform(0, 300)
    match renewed:
        case "by a restart":
            stage.restarts(at)
        case "by a new revision":
            stage.deploys(at, behaviour)
        case "by Spot":
            stage.at(at, lambda: stage.sim.churn.interrupt_spot(CLUSTER, "web", count=None))
        case "by host retirement":
            stage.at(at, lambda: stage.sim.churn.maintain(CLUSTER, "web"))


def _slots(life: float, slots: list[int]) -> Behaviour:
    return dead(life, slots=slots) if life < 60 else served_for(constant(life), slots=slots)


def _balancer(stage: Stage, *, says: str) -> None:
    """Three tasks serve, whatever the load balancer says of them; one loops."""
    group = TargetGroup(says=says)  # type: ignore[arg-type]
    stage.service(desired_count=4, target_group=group)
    stage.breaks(stage.rng.uniform(2, 3) * HOUR, dead(3, slots=[3]), count=1)


def _mixed(stage: Stage, *, tasks: int) -> None:
    """Of ten lives nine end at once and one lasts 5 to 40 min."""
    life = mostly(2.0, uniform(300, 2400), share=0.1)
    stage.service(desired_count=tasks, behaviour=served_for(life))


def _unhealthy_later(stage: Stage, *, check: str) -> None:
    """Healthy for 3 to 9 min each time, then replaced for failed health checks."""
    good = uniform(180, 540)
    if check == "container":
        task = TaskSpec(health_check=HealthCheck())
        stage.service(desired_count=2, task=task, behaviour=crash(Failure.CONTAINER_HEALTH_CHECK, after=good))
    else:
        stage.service(
            desired_count=2, target_group=TargetGroup(), behaviour=crash(Failure.ELB_HEALTH_CHECK, after=good)
        )


def _one_of(stage: Stage, *, tasks: int) -> None:
    """All but one loop, from some time on; the one serves on."""
    stage.service(desired_count=tasks)
    stage.breaks(stage.rng.uniform(0.2, 1) * HOUR, dead(3, slots=list(range(1, tasks))), count=0)
    stage.at(1.2 * HOUR, lambda: _kill_others(stage))


def _kill_others(stage: Stage) -> None:
    for task in list(stage.sim.service(CLUSTER, "web").live.values()):
        if task.slot and task.last_status == "RUNNING":
            stage.sim.churn.end(task)


def _blips(stage: Stage, *, minutes: float) -> None:
    """One task dies at a time, at random moments."""
    stage.service(desired_count=3)
    when = 20 * MINUTE
    while when < 11 * HOUR:
        stage.at(when, lambda: stage.sim.churn.blip(CLUSTER, "web", count=1))
        when += stage.rng.uniform(0.5, 1.5) * minutes * MINUTE


def _scaling(stage: Stage) -> None:
    """One slot loops while the service is scaled between 3 and 12 tasks."""
    stage.service(desired_count=3, behaviour=dead(5, slots=[1]))
    when = 0.0
    while when < 5.5 * HOUR:
        when += stage.rng.uniform(300, 1500)
        stage.scales(when, stage.rng.randint(3, 12))


def _short_lives(stage: Stage, *, tasks: int) -> None:
    stage.service(desired_count=tasks, behaviour=served_for(uniform(120, 1200)))


def _slow_starters(stage: Stage, *, tasks: int) -> None:
    """Ready after 100 s; half of the starts fail before, the others live 10 min."""
    life = mostly(80.0, constant(600), share=0.5)
    stage.service(desired_count=tasks, behaviour=crash(Failure.APP_CRASH, after=life, ready_after=constant(100)))


def _operator(stage: Stage, *, tasks: int) -> None:
    """Somebody restarts the service three times in a row; each time one start fails and its retry works."""
    behaviour = crash(Failure.APP_CRASH, after=constant(2), slots=[0], first_starts=1)
    stage.service(desired_count=tasks, behaviour=behaviour)
    when = HOUR
    for _ in range(3):
        stage.restarts(when)
        when += stage.rng.uniform(90, 360)


def _nothing(stage: Stage, *, tasks: int) -> None:
    """An ordinary day: deployments, scaling, Spot, stops by hand, a crash now and then."""
    stage.service(desired_count=tasks, target_group=TargetGroup(deregistration_delay=60))
    churn = stage.sim.churn
    when = HOUR
    while when < 11 * HOUR:
        stage.at(
            when,
            stage.rng.choice(
                [
                    lambda: stage.sim.deploy(CLUSTER, "web", behaviour=healthy()),
                    lambda: churn.interrupt_spot(CLUSTER, "web", count=1),
                    lambda: churn.stop_by_user(CLUSTER, "web"),
                    lambda: churn.blip(CLUSTER, "web", count=1),
                    lambda: churn.rebalance(CLUSTER, "web"),
                ]
            ),
        )
        when += stage.rng.uniform(120, 2400)


SERVING = (
    Kind("out of memory after 8 to 13 min each, 4 tasks", _out_of_memory, hours=6, seeds=40),
    Kind("workers that recycle themselves (exit 0)", _recycling, 6, 8, grid(tasks=(1, 2, 4), minutes=(10, 14))),
    Kind(
        "one slot of 4 loops, the good ones are renewed",
        _one_slot,
        hours=4,
        seeds=4,
        cases=grid(
            renewed=("by a restart", "by a new revision", "by Spot", "by host retirement"),
            life=(0.5, 3.0, 10.0, 30.0, 60.0, 120.0, 200.0),
        ),
    ),
    Kind("a load balancer that knows nothing", _balancer, 6, 15, grid(says=("unused", "unavailable", "unhealthy"))),
    Kind("most lives end at once, some last 5 to 40 min", _mixed, 12, 12, grid(tasks=(1, 2, 4, 10))),
    Kind("healthy for minutes, then unhealthy", _unhealthy_later, 6, 20, grid(check=("container", "load balancer"))),
    Kind("one task of several serves", _one_of, 6, 15, grid(tasks=(2, 4, 10))),
    Kind("single tasks die, and come back", _blips, 12, 15, grid(minutes=(5, 20, 60))),
    Kind("scaled in and out while a slot loops", _scaling, hours=6, seeds=40),
    Kind("lives of 2 to 20 min, no health check", _short_lives, 12, 15, grid(tasks=(1, 4))),
    Kind("slow starters of which half fail", _slow_starters, 8, 12, grid(tasks=(1, 3, 10))),
    Kind("restarted three times in a row by an operator", _operator, 3, 15, grid(tasks=(1, 2, 4, 20))),
    Kind("an ordinary day", _nothing, 12, 10, grid(tasks=(1, 4, 12))),
)
