"""Services of odd shape: hard limits, long starts, wrong tags, lives about as long as a threshold."""

from benchmarks.breaker.kinds.ways import dead, served_for
from benchmarks.breaker.stage import CLUSTER, HOUR, MINUTE, STOP, Kind, Stage, grid
from simulation import Failure, TargetGroup, TaskSpec, constant, crash, healthy, uniform


def _tight(stage: Stage, *, minutes: float, tasks: int) -> None:
    """Old tasks go before new ones come; a dependency is away, and a deployment follows."""
    stage.service(desired_count=tasks, minimum_percent=0, maximum_percent=100)
    stage.began, stage.ended = HOUR, HOUR + minutes * MINUTE
    stage.breaks(HOUR, dead(3, until=stage.ended))
    stage.deploys(stage.ended + 12 * MINUTE, crash(Failure.APP_CRASH, after=constant(2), first_starts=1))


def _tight_roll_out(stage: Stage, *, life: float) -> None:
    """The same limits; the new revision's starts fail twice each, and then it serves."""
    stage.service(desired_count=2, minimum_percent=0, maximum_percent=100)
    stage.deploys(HOUR, crash(Failure.APP_CRASH, after=constant(life), ready_after=constant(life + 5), first_starts=2))


def _long_start(stage: Stage, *, tag: str, share: float) -> None:
    """One task that is ready after 5 min; a share of the starts dies a moment before, the others serve half an hour."""
    tags = STOP if not tag else {**STOP, "loopbreaker:serving-after": tag}
    life = lambda rng: 290.0 if rng.random() < share else rng.uniform(1500, 2100)  # noqa: E731
    stage.service(tags=tags, behaviour=crash(Failure.APP_CRASH, after=life, ready_after=constant(300)))


def _about_a_minute(stage: Stage, *, tasks: int) -> None:
    """Each task serves for 62 to 75 s, without a health check."""
    stage.service(desired_count=tasks, behaviour=served_for(uniform(62, 75)))


def _checked_minute(stage: Stage, *, life: float) -> None:
    """Each task has a healthy target for some seconds before it dies."""
    group = TargetGroup(interval=5, deregistration_delay=0)
    behaviour = crash(Failure.APP_CRASH, after=constant(10 + life), ready_after=constant(1))
    stage.service(desired_count=2, target_group=group, behaviour=behaviour)


def _sidecars(stage: Stage, *, serves: bool) -> None:
    """Two essential containers beside the application, which dies at once or after some minutes."""
    task = TaskSpec(sidecars=("proxy", "agent"))
    behaviour = served_for(uniform(120, 400)) if serves else dead(3)
    stage.service(desired_count=3, task=task)
    stage.breaks(HOUR, behaviour)


def _drains(stage: Stage, *, tasks: int, life: float) -> None:
    """Queue workers that end with exit code 0 when the queue is empty."""
    stage.service(desired_count=tasks)
    stage.breaks(HOUR, crash(Failure.CLEAN_EXIT, after=uniform(0.7 * life, 1.3 * life), ready_after=constant(1)))


def _a_good_hour(stage: Stage) -> None:
    """Dead starts for 25 min, then one task that serves for two minutes, again and again."""
    started: list[float] = [0.0]

    def life(rng: object) -> float:
        if stage.sim.now > started[0] + 25 * MINUTE:
            started[0] = stage.sim.now
            return 130.0
        return 2.0

    stage.service(desired_count=2, behaviour=crash(Failure.APP_CRASH, after=life, ready_after=constant(3)))


def _waits(stage: Stage) -> None:
    """Each start fails after 10 min of waiting for a dependency, which nobody calls serving; for half a day."""
    tags = {**STOP, "loopbreaker:serving-after": "15m"}
    stage.service(desired_count=2, tags=tags)
    stage.began, stage.ended = HOUR, 7 * HOUR
    stage.breaks(HOUR, crash(Failure.APP_CRASH, after=uniform(560, 640), ready_after=constant(700), until=7 * HOUR))


def _cannot_be_placed(stage: Stage, *, minutes: float) -> None:
    """Capacity is missing for a while, and returns; the tasks that ran are gone."""
    stage.service(desired_count=3)
    stage.began, stage.ended = HOUR, HOUR + minutes * MINUTE
    stage.breaks(HOUR, crash(Failure.PLACEMENT, until=stage.ended))


def _pulls(stage: Stage, *, minutes: float) -> None:
    """The registry is away for a while."""
    stage.service(desired_count=3)
    stage.began, stage.ended = HOUR, HOUR + minutes * MINUTE
    stage.breaks(HOUR, crash(Failure.IMAGE_PULL, until=stage.ended))


def _slow_balancer(stage: Stage) -> None:
    """Starts that take four minutes to be healthy; half of them die before."""
    group = TargetGroup(grace=400, interval=30, healthy_threshold=8)
    life = lambda rng: 200.0 if rng.random() < 0.6 else rng.uniform(900, 1800)  # noqa: E731
    stage.service(desired_count=2, target_group=group, behaviour=crash(Failure.APP_CRASH, after=life))


def _on_hosts(stage: Stage, *, tasks: int, serves: bool, behind: bool) -> None:
    """On container instances, where a start takes some seconds, with a load balancer or without."""
    for _ in range(3):
        stage.sim.churn.add_host(CLUSTER)
    group = TargetGroup(interval=10) if behind else None
    stage.service(desired_count=tasks, launch_type="EC2", target_group=group)
    stage.began, stage.ended = HOUR, None if serves else 4 * HOUR
    stage.breaks(HOUR, served_for(uniform(80, 300)) if serves else dead(5, until=4 * HOUR))


def _impatient(stage: Stage, *, after: str, minutes: float) -> None:
    """The owner asks for action after a minute or five; the outage is a short one."""
    stage.service(desired_count=3, tags={**STOP, "loopbreaker:stop-after": after})
    stage.began, stage.ended = HOUR, HOUR + minutes * MINUTE
    stage.breaks(HOUR, dead(3, until=stage.ended))


def _same_death(stage: Stage, *, tasks: int) -> None:
    """Out of memory after half a minute for three hours; then a task alone dies just so, and all together live."""
    least = tasks // 2 + 1
    stage.service(desired_count=tasks, behaviour=healthy(least=least))
    stage.began, stage.ended = HOUR, 4 * HOUR
    life = uniform(25, 35)
    behaviour = crash(Failure.OUT_OF_MEMORY, after=life, ready_after=constant(60), until=stage.ended, least=least)
    stage.breaks(HOUR, behaviour)


def _heals_slowly(stage: Stage, *, ready: float) -> None:
    """Back after two hours; each start takes minutes until it serves."""
    stage.service(desired_count=2, behaviour=healthy(ready_after=constant(ready)))
    stage.began, stage.ended = HOUR, 3 * HOUR
    stage.breaks(HOUR, dead(3, until=stage.ended))


_MINUTE = "without a health check nobody can tell this much of service from a start: tag `serving-after`"
SHAPES = (
    Kind("old tasks go first, a dependency is away", _tight, 6, 4, grid(minutes=(10, 40, 90), tasks=(1, 4))),
    Kind("old tasks go first, starts fail twice", _tight_roll_out, 4, 4, grid(life=(2.0, 40.0, 280.0))),
    Kind(
        "ready after 5 min, half of the starts die before",
        _long_start,
        10,
        4,
        grid(tag=("", "10s", "330s", "5 min"), share=(0.5,)),
    ),
    Kind("serves for little more than a minute", _about_a_minute, 6, 4, grid(tasks=(1, 4))),
    Kind("a healthy target for seconds", _checked_minute, 6, 4, grid(life=(20.0, 40.0, 100.0))),
    Kind("essential sidecars", _sidecars, 6, 4, grid(serves=(True, False))),
    Kind("workers that drain a queue and end", _drains, 6, 4, grid(tasks=(1, 3), life=(15.0, 45.0, 120.0))),
    Kind("two good minutes in every half hour", _a_good_hour, 8, 6),
    Kind("starts that wait ten minutes in vain", _waits, 14, 4),
    Kind("capacity is missing for a while", _cannot_be_placed, 6, 4, grid(minutes=(20, 60, 150))),
    Kind("the registry is away", _pulls, 6, 4, grid(minutes=(20, 60, 150))),
    Kind("slow to be healthy, half die before", _slow_balancer, 8, 6),
    Kind("on container instances", _on_hosts, 8, 3, grid(tasks=(1, 4), serves=(True, False), behind=(True, False))),
    Kind("an impatient owner", _impatient, 5, 3, grid(after=("1m", "5m"), minutes=(4, 8, 20))),
    Kind(
        "one task alone dies as all did before",
        _same_death,
        20,
        3,
        grid(tasks=(2, 4, 10)),
        excused=("late",),
        why="a death of its load that looks like the death of the loop: the whole is tried only each third time",
    ),
    Kind("long starts after an outage", _heals_slowly, 8, 4, grid(ready=(90.0, 200.0))),
)
