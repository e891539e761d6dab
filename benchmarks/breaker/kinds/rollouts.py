"""Deployments: a good one is never rolled back, a bad one is."""

from benchmarks.breaker.kinds.ways import dead, served_for
from benchmarks.breaker.stage import CLUSTER, HOUR, MINUTE, STOP, Kind, Stage, grid
from simulation import CircuitBreaker, EarlySuccess, Failure, TrafficShift, constant, crash, uniform


def _fix(stage: Stage, *, tasks: int, after: float) -> None:
    """The old revision looped; a fix is rolled out, and one starting task of it fails once."""
    stage.service(desired_count=tasks)
    stage.began = HOUR
    stage.ended = HOUR + after * MINUTE + stage.rng.uniform(0, 60)
    stage.breaks(stage.began, dead(3))
    stage.deploys(stage.ended, crash(Failure.APP_CRASH, after=uniform(1, 40), slots=[0], first_starts=1))


def _one_slot(stage: Stage, *, tasks: int) -> None:
    """All new tasks but one serve; that one loops, so the deployment does not end."""
    stage.service(desired_count=tasks)
    stage.deploys(HOUR, dead(3, slots=[tasks - 1]))


def _batches(stage: Stage, *, tasks: int, share: float, maximum: int) -> None:
    """A share of the starts fails once; each retry works."""
    stage.service(desired_count=tasks, maximum_percent=maximum)
    stage.deploys(HOUR, crash(Failure.APP_CRASH, after=uniform(1, 20), first_starts=1, share=share))


def _bad(stage: Stage, *, tasks: int, life: float) -> None:
    """No task of the new revision ever serves; the old one does."""
    stage.service(desired_count=tasks)
    stage.deploys(HOUR, dead(life))


def _bad_with_ecs_breaker(stage: Stage, *, tasks: int, life: float) -> None:
    """The same with ECS's own circuit breaker, which counts no task that reached RUNNING."""
    stage.service(desired_count=tasks, circuit_breaker=CircuitBreaker())
    stage.deploys(HOUR, dead(life))


def _both_bad(stage: Stage, *, tasks: int) -> None:
    """The running revision breaks with a dependency while another is rolled out, which needs it too."""
    stage.service(desired_count=tasks)
    stage.deploys(HOUR, dead(3))
    stage.breaks(HOUR + 2 * MINUTE, dead(3), count=None)
    stage.at(HOUR + 2 * MINUTE, lambda: _break_old(stage))


def _break_old(stage: Stage) -> None:
    """Software changes under both revisions, and every task dies."""
    for deployment in stage.sim.service(CLUSTER, "web").deployments:
        stage.sim.world.behaviours[deployment.definition.arn] = dead(3)
    stage.sim.churn.blip(CLUSTER, "web")


def _served_a_while(stage: Stage, *, tasks: int, minutes: float) -> None:
    """Each task of the new revision serves for some minutes before it fails."""
    stage.service(desired_count=tasks)
    stage.deploys(HOUR, served_for(constant(60 * minutes)))


def _needs_something_new(stage: Stage, *, minutes: float) -> None:
    """The new revision needs something that is away for a while; the old one does not."""
    stage.service(desired_count=3)
    stage.began, stage.ended = HOUR, HOUR + minutes * MINUTE
    stage.deploys(HOUR, dead(3, until=stage.ended))


def _again_and_again(stage: Stage, *, pause: float) -> None:
    """A pipeline deploys good revisions one after another, each before the last is done; one start in twenty fails."""
    stage.service(desired_count=10)
    when = HOUR
    while when < 4 * HOUR:
        stage.deploys(when, crash(Failure.APP_CRASH, after=uniform(1, 20), first_starts=1, share=0.05))
        when += stage.rng.uniform(0.5, 1.5) * pause * MINUTE


def _side_by_side(stage: Stage, *, strategy: str, share: float) -> None:
    """A good revision beside the old one; a share of its starts fails once."""
    shift = TrafficShift(strategy=strategy, bake=600)  # type: ignore[arg-type]
    stage.service(desired_count=4, shift=shift)
    stage.deploys(HOUR, crash(Failure.APP_CRASH, after=uniform(1, 20), first_starts=2, share=share))


def _bad_side_by_side(stage: Stage, *, strategy: str, life: float) -> None:
    """No task of the new revision ever serves; the old one has all the traffic."""
    shift = TrafficShift(strategy=strategy, bake=600)  # type: ignore[arg-type]
    stage.service(desired_count=4, shift=shift)
    stage.deploys(HOUR, dead(life))


def _bad_after_the_shift(stage: Stage, *, until: float) -> None:
    """The new revision has the traffic and serves; in the bake time the old one's tasks begin to loop."""
    stage.service(desired_count=3, shift=TrafficShift(bake=3600))
    old = stage.sim.service(CLUSTER, "web").primary.definition.arn
    stage.deploys(HOUR)

    def happen() -> None:
        stage.sim.world.behaviours[old] = dead(3, until=2 * HOUR + until * MINUTE)
        for task in list(stage.sim.service(CLUSTER, "web").live.values()):
            if task.definition.arn == old and task.last_status == "RUNNING":
                stage.sim.churn.end(task)

    stage.at(HOUR + 15 * MINUTE, happen)


def _paused(stage: Stage, *, looping: str) -> None:
    """A deployment waits at its PAUSE hook for hours; meanwhile a slot of one of the revisions loops."""
    stage.service(desired_count=4, shift=TrafficShift(), pauses=True)
    stage.deploys(HOUR)
    stage.at(HOUR + 10 * MINUTE, lambda: _loop_slot(stage, 0 if looping == "the new" else 1))
    stage.at(7 * HOUR, lambda: stage.sim.go_on(CLUSTER, "web"))


def _loop_slot(stage: Stage, which: int) -> None:
    """Slot 0 of the newest revision, or of the one before, loops from now on."""
    deployments = stage.sim.service(CLUSTER, "web").deployments
    if which >= len(deployments):
        return
    stage.sim.world.behaviours[deployments[which].definition.arn] = dead(3, slots=[0])
    for task in deployments[which].tasks():
        if task.slot == 0 and task.last_status == "RUNNING":
            stage.sim.churn.end(task)


def _early_success(stage: Stage, *, tasks: int, deferred: bool) -> None:
    """ECS calls the deployment done with 80 % of its tasks; the last slot loops on."""
    stage.service(desired_count=tasks, early_success=EarlySuccess(healthy_percent=80, deferred=deferred))
    stage.deploys(HOUR, dead(3, slots=[tasks - 1]))


def _alarm(stage: Stage, *, life: float) -> None:
    """A bad revision that an alarm of the service rolls back after some minutes."""
    stage.service(desired_count=3, alarms=("errors",))
    stage.deploys(HOUR, dead(life))
    stage.at(HOUR + stage.rng.uniform(2, 9) * MINUTE, lambda: stage.sim.alarm(CLUSTER, "web"))


def _first(stage: Stage, *, tasks: int, waits: float, strategy: str) -> None:
    """A new service of which no task ever serves: its first deployment never ends. Nobody waits for more hours than
    so many: a stack 36, a pipeline 6, and others as their tag says.
    """
    tags = STOP if waits in (6, 36) else {**STOP, "loopbreaker:abandoned-after": f"{waits}h"}
    stage.waits = waits * HOUR
    shift = TrafficShift(strategy=strategy) if strategy else None  # type: ignore[arg-type]
    stack = "shop" if waits == 36 else ""
    stage.service(desired_count=tasks, tags=tags, behaviour=dead(3), shift=shift, stack=stack)


def _first_then_back(stage: Stage, *, after: float, tasks: int, scaling: bool) -> None:
    """The same, and what it needs is there after some hours: its first deployment ends well, if a bit late."""
    tags = {**STOP, "loopbreaker:abandoned-after": "1h"}
    stage.waits, stage.began, stage.ended = HOUR, 0.0, after * HOUR
    stage.service(desired_count=tasks, tags=tags, behaviour=dead(3, until=stage.ended))
    if scaling:
        stage.scaling(minimum=min(2, tasks))


def _first_then_fixed(stage: Stage, *, after: float) -> None:
    """The same, and somebody deploys a revision that works, over the one that never did."""
    stage.waits, stage.began, stage.ended = HOUR, 0.0, after * HOUR
    stage.service(desired_count=2, tags={**STOP, "loopbreaker:abandoned-after": "1h"}, behaviour=dead(3))
    stage.deploys(stage.ended)


def _none_left(stage: Stage, *, old: str) -> None:
    """Old tasks go before new ones come, so that a bad revision leaves nobody; or the old ones loop as well."""
    minimum, maximum = (0, 100) if old == "gone" else (100, 200)
    tags = {**STOP, "loopbreaker:abandoned-after": "1h"}
    stage.waits = HOUR
    stage.service(desired_count=2, tags=tags, minimum_percent=minimum, maximum_percent=maximum)
    stage.deploys(HOUR, dead(3))
    if old == "loops":
        stage.at(HOUR + 5 * MINUTE, lambda: _break_old(stage))


def _paused_then_dead(stage: Stage, *, minutes: float) -> None:
    """A deployment has waited at its hook for longer than anybody waits; then all tasks die for a while."""
    stage.service(
        desired_count=3, shift=TrafficShift(), pauses=True, tags={**STOP, "loopbreaker:abandoned-after": "1h"}
    )
    stage.deploys(HOUR)
    stage.began, stage.ended = 4 * HOUR, 4 * HOUR + minutes * MINUTE

    def away() -> None:
        for deployment in stage.sim.service(CLUSTER, "web").deployments:
            stage.sim.world.behaviours[deployment.definition.arn] = dead(3, until=stage.ended or 0)
        stage.sim.churn.blip(CLUSTER, "web")

    stage.at(stage.began, away)
    stage.at(stage.ended + HOUR, lambda: stage.sim.go_on(CLUSTER, "web"))


_STRATEGIES = ("BLUE_GREEN", "CANARY", "LINEAR")
ROLLOUTS = (
    Kind("a fix of which one start fails once", _fix, 5, 8, grid(tasks=(1, 2, 4), after=(6, 12, 20, 45, 100))),
    Kind("all new tasks but one serve, one slot loops", _one_slot, 4, 15, grid(tasks=(2, 4, 10))),
    Kind(
        "batches of which some starts fail once",
        _batches,
        hours=3,
        seeds=4,
        cases=grid(tasks=(10, 20, 50, 100), share=(0.02, 0.05, 0.1), maximum=(110, 125, 200)),
    ),
    Kind("a bad roll-out beside a good revision", _bad, 4, 5, grid(tasks=(1, 2, 4, 10), life=(0.5, 3.0, 45.0))),
    Kind("a bad roll-out, ECS's own breaker on", _bad_with_ecs_breaker, 4, 5, grid(tasks=(1, 4, 10), life=(3.0, 45.0))),
    Kind("both revisions loop", _both_bad, 24, 3, grid(tasks=(1, 4))),
    Kind("a new revision that serves for minutes", _served_a_while, 4, 8, grid(tasks=(2, 5), minutes=(2, 5, 12))),
    Kind(
        "a new revision needs what is away",
        _needs_something_new,
        hours=4,
        seeds=5,
        cases=grid(minutes=(3, 8, 15, 30, 60)),
        excused=("wrong_rollbacks",),
        why="a revision that never served cannot be told from one that never will; the old one serves meanwhile",
    ),
    Kind("side by side, a good revision", _side_by_side, 5, 5, grid(strategy=_STRATEGIES, share=(0.1, 0.5))),
    Kind("side by side, a bad revision", _bad_side_by_side, 4, 5, grid(strategy=_STRATEGIES, life=(3.0, 45.0))),
    Kind("the old revision loops in the bake time", _bad_after_the_shift, 4, 8, grid(until=(5, 30))),
    Kind("a PAUSE hook waits for hours", _paused, 9, 8, grid(looping=("the new", "the old"))),
    Kind("early success, the last slot loops", _early_success, 5, 8, grid(tasks=(5, 10), deferred=(False, True))),
    Kind("a bad roll-out that an alarm rolls back", _alarm, 3, 8, grid(life=(3.0, 45.0))),
    Kind(
        "a first deployment that never ends",
        _first,
        hours=44,
        seeds=2,
        cases=[
            *grid(tasks=(1, 3), waits=(1,), strategy=("", "BLUE_GREEN")),
            {"tasks": 2, "waits": 36, "strategy": ""},
            {"tasks": 2, "waits": 6, "strategy": ""},
        ],
    ),
    Kind(
        "a first deployment that fails for hours",
        _first_then_back,
        16,
        3,
        grid(after=(0.5, 1.2, 2, 6), tasks=(1, 3), scaling=(False, True)),
    ),
    Kind("a first deployment, then a fix", _first_then_fixed, 16, 3, grid(after=(0.5, 2, 8))),
    Kind("nothing is left to roll back to", _none_left, 24, 3, grid(old=("gone", "loops"))),
    Kind("a hook waits, then all tasks die", _paused_then_dead, 10, 3, grid(minutes=(20, 60, 120))),
    Kind("deployed again and again", _again_and_again, 5, 10, grid(pause=(4, 12, 30))),
)
