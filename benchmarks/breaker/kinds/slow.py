"""What takes longer than a glance: deaths minutes after the start, pipelines that never rest, faults of our own."""

from random import Random

from benchmarks.breaker.kinds.ways import dead
from benchmarks.breaker.living import Living
from benchmarks.breaker.stage import CLUSTER, HOUR, MINUTE, STOP, Kind, Stage, grid
from loopbreaker.model import ServiceRef
from simulation import (
    Behaviour,
    CircuitBreaker,
    Failure,
    HealthCheck,
    TargetGroup,
    TaskSpec,
    TrafficShift,
    constant,
    crash,
    uniform,
)

_START = 20 * MINUTE


def _dies_late(stage: Stage, *, life: float, check: str, tasks: int) -> None:
    """Each start gives up after so many seconds, and was never ready: a database that does not answer."""
    group = TargetGroup(grace=300, deregistration_delay=60) if check == "load balancer" else None
    task = TaskSpec(health_check=HealthCheck(start_period=300)) if check == "container" else TaskSpec()
    stage.service(desired_count=tasks, target_group=group, task=task)
    stage.breaks(_START, _gives_up(life))


def _gives_up(life: float, *, until: float = 1e12) -> Behaviour:
    after = uniform(0.9 * life, 1.1 * life)
    return crash(Failure.APP_CRASH, after=after, ready_after=constant(1.2 * life + 60), until=until)


def _dies_late_then_back(stage: Stage, *, life: float, check: str, minutes: float) -> None:
    """The same for a while."""
    group = TargetGroup(grace=300, deregistration_delay=60) if check == "load balancer" else None
    task = TaskSpec(health_check=HealthCheck(start_period=300)) if check == "container" else TaskSpec()
    stage.service(desired_count=2, target_group=group, task=task)
    stage.began, stage.ended = HOUR, HOUR + minutes * MINUTE
    stage.breaks(HOUR, _gives_up(life, until=stage.ended))


def _late_roll_out(stage: Stage, *, life: float, check: str) -> None:
    """A bad revision whose tasks give up after a while; the old one serves beside it."""
    group = TargetGroup(grace=300, deregistration_delay=60) if check == "load balancer" else None
    task = TaskSpec(health_check=HealthCheck(start_period=300)) if check == "container" else TaskSpec()
    stage.service(desired_count=3, target_group=group, task=task)
    stage.deploys(HOUR, _gives_up(life))


def _drains_for_long(stage: Stage, *, delay: float) -> None:
    """Dead behind a network load balancer that drains each target for long."""
    stage.service(desired_count=2, target_group=TargetGroup(deregistration_delay=delay))
    stage.breaks(_START, dead(3))


def _ends_well(stage: Stage, *, life: float) -> None:
    """A command that ends at once, and well, because somebody forgot its arguments."""
    stage.service(desired_count=2)
    stage.breaks(_START, crash(Failure.CLEAN_EXIT, after=uniform(0.8 * life, 1.2 * life), ready_after=constant(600)))


def _never_starts(stage: Stage, *, cause: Failure) -> None:
    """No task ever reaches RUNNING; ECS starts them more and more rarely."""
    stage.service(desired_count=2)
    stage.breaks(_START, crash(cause))


def _pipeline(stage: Stage, *, minutes: float, good: bool) -> None:
    """A pipeline deploys every few minutes, old tasks first, what never serves; or what always does."""
    stage.service(desired_count=3, minimum_percent=0, maximum_percent=100)
    when = HOUR
    while when < 8 * HOUR:
        stage.deploys(when, None if good else dead(3))
        when += minutes * MINUTE
    stage.began, stage.ended = HOUR, when
    stage.deploys(when)


def _off_and_on_again(stage: Stage, *, stack: str, hours: float) -> None:
    """Somebody restarts what loops, which begins a deployment that never ends; a day later it is well, or never."""
    stage.waits = 36 * HOUR if stack else 6 * HOUR
    stage.service(desired_count=2, stack=stack)
    stage.began, stage.ended = HOUR, (1 + hours) * HOUR
    stage.breaks(HOUR, dead(3, until=stage.ended))
    for minutes in (12, 25):
        stage.restarts(HOUR + minutes * MINUTE)


def _image_of_old_gone(stage: Stage, *, minimum: int) -> None:
    """A bad revision took the place of some old tasks, and the image of the old one is no longer in the registry."""
    stage.service(desired_count=4, minimum_percent=minimum, maximum_percent=125)
    old = stage.sim.service(CLUSTER, "web").primary.definition.arn
    stage.deploys(HOUR, dead(3))
    stage.at(HOUR + 1, lambda: stage.sim.world.behaviours.update({old: crash(Failure.IMAGE_PULL)}))


def _canary_sticks(stage: Stage, *, share: float) -> None:
    """A canary that keeps a tenth of the users for a day; a share of its starts dies, the old revision is well."""
    shift = TrafficShift(strategy="CANARY", step_percent=10, step_bake=8 * HOUR, bake=600)
    stage.service(desired_count=4, shift=shift)
    stage.deploys(HOUR, crash(Failure.APP_CRASH, after=uniform(400, 1200), share=share))


def _both_breakers(stage: Stage, *, cause: Failure) -> None:
    """ECS's own circuit breaker and an alarm are on as well; the revision never starts."""
    stage.service(desired_count=4, circuit_breaker=CircuitBreaker(), alarms=("errors",))
    stage.deploys(HOUR, crash(cause))
    stage.at(HOUR + stage.rng.uniform(10, 50) * MINUTE, lambda: stage.sim.alarm(CLUSTER, "web"))


def _loops(stage: Stage, hours: float, *, scaling: bool = False) -> None:
    stage.service(desired_count=3)
    if scaling:
        stage.scaling(minimum=2)
    stage.began, stage.ended = HOUR, (1 + hours) * HOUR
    stage.breaks(HOUR, dead(3, until=stage.ended))


def _clock_stops(stage: Stage, *, since: float, minutes: float) -> None:
    """Our clock does not tick for a while: no sweep."""
    _loops(stage, 1.5)
    if stage.ours:
        ours, due = stage.ours, stage.ours.table.due

        def none(*, now: float, limit: int) -> list[ServiceRef]:
            stopped = since * HOUR <= ours.sim.now < since * HOUR + minutes * MINUTE
            return [] if stopped else due(now=now, limit=limit)

        ours.table.due = none  # type: ignore[method-assign]


def _table_away(stage: Stage, *, since: float, minutes: float) -> None:
    """Our table answers nothing for a while."""
    _loops(stage, 1.5, scaling=True)
    until = since * HOUR + minutes * MINUTE
    names = ("table.load", "table.save", "table.began")
    stage.refuses(*names, code="InternalServerError", since=since * HOUR, until=until)


def _fix_between_calls(stage: Stage, *, call: str, hour: float) -> None:
    """Somebody deploys a fix right before a certain call of ours."""
    _loops(stage, 9, scaling=True)
    stage.ended = hour * HOUR
    done: list[str] = []

    def deploy() -> None:
        if not done:
            done.append(call)
            stage.sim.deploy(CLUSTER, "web")

    def meddle(name: str, _params: dict[str, object]) -> None:
        if name == call and stage.sim.now >= hour * HOUR:
            deploy()

    if stage.ours:
        stage.ours.faults.meddling = meddle
    stage.at(hour * HOUR + (5 * MINUTE if stage.ours else 0), deploy)


def _commands(stage: Stage, *, each: float) -> None:
    """Operators do something every few minutes: restart, tags, tasks stopped by hand, maintenance."""
    _loops(stage, 3, scaling=True)
    rng = Random(f"{each} {stage.rng.random()}")
    sim = stage.sim
    when = HOUR
    todo = [
        lambda: sim.restart(CLUSTER, "web"),
        lambda: sim.churn.stop_by_user(CLUSTER, "web", count=None),
        lambda: sim.service(CLUSTER, "web").tags.update({"team": str(sim.now)}),
        lambda: sim.service(CLUSTER, "web").tags.pop("loopbreaker:held", None),
        lambda: sim.churn.maintain(CLUSTER, "web"),
    ]
    while when < 4.5 * HOUR:
        stage.at(when, rng.choice(todo))
        when += rng.uniform(0.5, 1.5) * each * MINUTE


def _tags_replaced(stage: Stage) -> None:
    """A tool writes its own tags over all others every ten minutes, ours included, and keeps the opt-in."""
    _loops(stage, 4)

    def write() -> None:
        tags = stage.sim.service(CLUSTER, "web").tags
        tags.clear()
        tags.update(STOP)

    stage.sim.every(600, write)


def _two_that_act(stage: Stage, *, apart: float) -> None:
    """Two installations that may both act; the clock of one is off."""
    _loops(stage, 3, scaling=True)
    if stage.ours:
        stage.ours.second = Living(stage.sim, skew=apart)


_CHECKS = ("none", "load balancer", "container")
SLOW = (
    Kind(
        "gives up after minutes, never ready",
        _dies_late,
        24.4,
        1,
        grid(life=(100.0, 400.0), check=_CHECKS, tasks=(1, 3)),
    ),
    Kind(
        "gives up after minutes, for a while",
        _dies_late_then_back,
        12,
        2,
        grid(life=(100.0, 400.0), check=_CHECKS, minutes=(40, 240)),
    ),
    Kind("a bad roll-out that gives up after minutes", _late_roll_out, 8, 1, grid(life=(100.0, 400.0), check=_CHECKS)),
    Kind("dead behind a long drain", _drains_for_long, 24.4, 1, grid(delay=(600, 1800))),
    Kind("a command that ends well at once", _ends_well, 24.4, 1, grid(life=(2.0, 20.0))),
    Kind(
        "no task ever starts",
        _never_starts,
        24.4,
        1,
        grid(cause=(Failure.IMAGE_PULL, Failure.RESOURCE_INIT, Failure.CANNOT_START, Failure.NETWORK_ENI)),
    ),
    Kind("a pipeline that never rests", _pipeline, 11, 1, grid(minutes=(7, 50), good=(False, True))),
    Kind("turned off and on again", _off_and_on_again, 40, 1, grid(stack=("", "shop"), hours=(2, 8, 22))),
    Kind("the old image is gone", _image_of_old_gone, 6, 2, grid(minimum=(50, 75))),
    Kind("a canary that stays for hours", _canary_sticks, 12, 2, grid(share=(0.3, 1.0))),
    Kind("both breakers and an alarm", _both_breakers, 5, 2, grid(cause=(Failure.CANNOT_START, Failure.IMAGE_PULL))),
    Kind("our clock stands still", _clock_stops, 8, 2, grid(since=(1.3, 2.3), minutes=(12, 40))),
    Kind("our table is away", _table_away, 8, 2, grid(since=(1.3, 2.3), minutes=(12, 40))),
    Kind(
        "a fix right before a call of ours",
        _fix_between_calls,
        8,
        2,
        grid(call=("DescribeServices", "UpdateService", "TagResource", "table.save"), hour=(1.5, 3.1)),
    ),
    Kind("operators who never rest", _commands, 9, 6, grid(each=(4, 15))),
    Kind("a tool that owns all tags", _tags_replaced, 9, 3),
    Kind("two installations that act", _two_that_act, 9, 2, grid(apart=(-50.0, 400.0))),
)
