"""Loops in which nobody is ever served: these are there to be stopped, and to come back."""

from benchmarks.breaker.faults import Killing
from benchmarks.breaker.kinds.ways import dead
from benchmarks.breaker.stage import HOUR, MINUTE, Kind, Stage, grid
from simulation import Failure, HealthCheck, TargetGroup, TaskSpec, constant, crash, healthy

_START = 20 * MINUTE


def _dead(stage: Stage, *, tasks: int, life: float, scaling: bool) -> None:
    """Nobody is served all day, after a good start."""
    stage.service(desired_count=tasks)
    stage.breaks(_START, dead(life))
    if scaling:
        stage.scaling(minimum=min(2, tasks))


def _dead_and_drained(stage: Stage, *, tasks: int, life: float) -> None:
    """The same behind a load balancer, which keeps each task for five minutes before ECS says that it failed."""
    stage.service(desired_count=tasks, target_group=TargetGroup(deregistration_delay=300))
    stage.breaks(_START, dead(life))


def _never_healthy(stage: Stage, *, check: str, tasks: int) -> None:
    """No task ever passes its health checks."""
    if check == "container":
        stage.service(desired_count=tasks, task=TaskSpec(health_check=HealthCheck()))
        stage.breaks(_START, crash(Failure.CONTAINER_HEALTH_CHECK))
    else:
        stage.service(desired_count=tasks, target_group=TargetGroup(grace=60))
        stage.breaks(_START, crash(Failure.ELB_HEALTH_CHECK))


def _fixed(stage: Stage, *, after: float, tasks: int) -> None:
    """Somebody deploys a fix after some hours."""
    stage.service(desired_count=tasks)
    stage.scaling(minimum=min(2, tasks))
    stage.began, stage.ended = HOUR, (1 + after) * HOUR
    stage.breaks(HOUR, dead(3))
    stage.deploys(stage.ended)


def _returns(stage: Stage, *, after: float, tasks: int) -> None:
    """What it needs is back after some hours, and nobody does anything."""
    stage.service(desired_count=tasks)
    stage.began, stage.ended = HOUR, (1 + after) * HOUR
    stage.breaks(HOUR, dead(3, until=stage.ended))


def _returns_drained(stage: Stage, *, after: float, tasks: int) -> None:
    """The same behind a load balancer with the usual deregistration delay."""
    stage.service(desired_count=tasks, target_group=TargetGroup(deregistration_delay=300))
    stage.began, stage.ended = HOUR, (1 + after) * HOUR
    stage.breaks(HOUR, dead(3, until=stage.ended))


def _returns_heavy(stage: Stage, *, after: float, tasks: int) -> None:
    """The same where a task alone dies of the load."""
    least = tasks // 2 + 1
    stage.service(desired_count=tasks, behaviour=healthy(least=least))
    stage.began, stage.ended = HOUR, (1 + after) * HOUR
    stage.breaks(HOUR, dead(3, until=stage.ended, least=least))


def _killed(stage: Stage) -> None:
    """The function dies at forty of its calls, before or after they are made."""
    _fixed(stage, after=2.5, tasks=3)
    if stage.ours:
        at = frozenset(stage.rng.sample(range(1, 900), 40))
        stage.ours.faults.killing = Killing(at, after=stage.rng.random() < 0.5)


def _killed_then_back(stage: Stage) -> None:
    _returns(stage, after=3, tasks=3)
    stage.scaling(minimum=2)
    if stage.ours:
        at = frozenset(stage.rng.sample(range(1, 900), 40))
        stage.ours.faults.killing = Killing(at, after=stage.rng.random() < 0.5)


def _stale(stage: Stage, *, age: float) -> None:
    """Reads answer what was true a while ago."""
    _fixed(stage, after=stage.rng.uniform(0.5, 2), tasks=3)
    if stage.ours:
        stage.ours.faults.stale = (0.0, 1e12, age)


def _stale_outage(stage: Stage, *, age: float) -> None:
    stage.service(desired_count=3)
    stage.began = HOUR
    stage.ended = HOUR + stage.rng.uniform(25, 50) * MINUTE
    stage.breaks(HOUR, dead(3, until=stage.ended))
    if stage.ours:
        stage.ours.faults.stale = (0.0, 1e12, age)


def _throttled(stage: Stage) -> None:
    """For minutes at a time nothing of AWS answers."""
    _returns(stage, after=2, tasks=3)
    stage.scaling(minimum=2)
    when = HOUR
    while when < 7 * HOUR:
        until = when + stage.rng.uniform(1, 6) * MINUTE
        every = ("DescribeServices", "DescribeTasks", "UpdateService", "RegisterScalableTarget", "TagResource")
        stage.refuses(*every, code="ThrottlingException", since=when, until=until)
        when = until + stage.rng.uniform(1, 10) * MINUTE


def _unprovable(stage: Stage, *, life: float) -> None:
    """Ready 5 s after its start, dead soon after, and without any health check."""
    stage.service(desired_count=2)
    stage.breaks(_START, crash(Failure.APP_CRASH, after=constant(life)))


_TWICE = "a function that dies twice in a row at one call is a lease and a sweep later each time when it says so"
LOOPS = (
    Kind(
        "dead for 24 hours",
        _dead,
        hours=24.4,
        seeds=3,
        cases=grid(tasks=(1, 2, 10), life=(0.5, 5.0, 45.0), scaling=(False, True)),
        dead=True,
    ),
    Kind(
        "dead for 24 hours behind a load balancer",
        _dead_and_drained,
        hours=24.4,
        seeds=3,
        cases=grid(tasks=(1, 2, 10), life=(0.5, 5.0, 45.0)),
        dead=True,
    ),
    Kind(
        "never healthy for 24 hours",
        _never_healthy,
        hours=24.4,
        seeds=3,
        cases=grid(check=("container", "load balancer"), tasks=(1, 4)),
        dead=True,
    ),
    Kind("dead, then fixed by a deployment", _fixed, 24, 4, grid(after=(0.5, 1, 4, 18), tasks=(1, 3))),
    Kind("dead, then the dependency returns", _returns, 24, 4, grid(after=(1, 3, 6, 12), tasks=(1, 2, 10))),
    Kind(
        "dead behind a load balancer, then the dependency returns",
        _returns_drained,
        hours=16,
        seeds=4,
        cases=grid(after=(0.45, 0.6, 0.75, 1, 3, 6), tasks=(1, 3)),
    ),
    Kind(
        "the same, one task cannot carry the load", _returns_heavy, 24, 4, grid(after=(1, 3, 6, 12), tasks=(2, 4, 10))
    ),
    Kind("killed at any call, then fixed", _killed, 8, 60, excused=("silent",), why=_TWICE),
    Kind("killed at any call, then the dependency returns", _killed_then_back, 10, 60, excused=("silent",), why=_TWICE),
    Kind("stale reads, then fixed", _stale, 6, 15, grid(age=(300, 60, 10))),
    Kind("stale reads, then the dependency returns", _stale_outage, 5, 15, grid(age=(300, 60, 10))),
    Kind("AWS throttles for minutes", _throttled, hours=9, seeds=30),
    Kind(
        "up for less than a minute, no health check",
        _unprovable,
        hours=6,
        seeds=5,
        cases=grid(life=(15.0, 30.0, 45.0)),
        excused=("lost_before",),
        why="without a health check nobody can tell 40 s of service from 40 s of starting: tag `serving-after`",
    ),
)
