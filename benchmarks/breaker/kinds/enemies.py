"""What an enemy of the rules would write: health that lies, long starts, causes that come one after another."""

from benchmarks.breaker.kinds.ways import dead, mostly, served_for
from benchmarks.breaker.stage import CLUSTER, HOUR, MINUTE, STOP, Kind, Stage, grid
from simulation import (
    CircuitBreaker,
    Failure,
    HealthCheck,
    TargetGroup,
    TaskSpec,
    TrafficShift,
    constant,
    crash,
    healthy,
    uniform,
)


def _all_away(stage: Stage, since: float, until: float, life: float = 3.0) -> None:
    """What every revision needs is away between these times."""

    def away() -> None:
        behaviours = stage.sim.world.behaviours
        before = dict(behaviours)
        for arn in before:
            behaviours[arn] = dead(life, until=until)
        stage.sim.at(until, lambda: behaviours.update(before))
        stage.sim.churn.blip(CLUSTER, "web")

    stage.at(since, away)


def _long_check(stage: Stage, *, period: float, minutes: float) -> None:
    """A container health check with a long start period; each start takes most of it, and an outage comes."""
    check = HealthCheck(interval=30, retries=3, start_period=period)
    up = healthy(ready_after=constant(0.8 * period))
    stage.service(desired_count=2, task=TaskSpec(health_check=check), behaviour=up)
    stage.began, stage.ended = 2 * HOUR, 2 * HOUR + minutes * MINUTE
    _all_away(stage, stage.began, stage.ended)


def _dies_in_its_start_period(stage: Stage, *, share: float) -> None:
    """Ready after 4 min, with a health check; a share of the starts dies a moment before, the others serve on."""
    check = HealthCheck(start_period=300)
    life = lambda rng: 230.0 if rng.random() < share else rng.uniform(1200, 3000)  # noqa: E731
    behaviour = crash(Failure.APP_CRASH, after=life, ready_after=constant(240))
    stage.service(desired_count=2, task=TaskSpec(health_check=check), behaviour=behaviour)


def _long_grace(stage: Stage, *, minutes: float) -> None:
    """Ready after a quarter of an hour, behind a load balancer that waits for it; an outage comes."""
    group = TargetGroup(grace=1200, deregistration_delay=120)
    stage.service(desired_count=3, target_group=group, behaviour=healthy(ready_after=constant(900)))
    stage.began, stage.ended = 2 * HOUR, 2 * HOUR + minutes * MINUTE
    _all_away(stage, stage.began, stage.ended)


def _two_opinions(stage: Stage) -> None:
    """The container says that it is well, the load balancer that it is not, and ECS replaces it for that."""
    task, group = TaskSpec(health_check=HealthCheck()), TargetGroup(grace=60, deregistration_delay=60)
    stage.service(desired_count=2, task=task, target_group=group)
    stage.breaks(HOUR, crash(Failure.ELB_HEALTH_CHECK))


def _healthy_then_hangs(stage: Stage, *, tasks: int) -> None:
    """Well for 20 min, then it hangs, and a slow check takes half an hour to see it."""
    check = HealthCheck(interval=300, retries=6)
    behaviour = crash(Failure.CONTAINER_HEALTH_CHECK, after=uniform(1000, 1400))
    stage.service(desired_count=tasks, task=TaskSpec(health_check=check), behaviour=behaviour)


def _balancer_turns(stage: Stage, *, says: str, minutes: float) -> None:
    """The load balancer calls every target the same and sends requests all the same, and an outage comes."""
    group = TargetGroup(says=says, deregistration_delay=30)  # type: ignore[arg-type]
    stage.service(desired_count=3, target_group=group)
    stage.began, stage.ended = HOUR, HOUR + minutes * MINUTE
    stage.breaks(HOUR, dead(3, until=stage.ended))


def _sidecar_dies(stage: Stage, *, life: float) -> None:
    """The application serves at once; its essential proxy dies some time later and takes it along."""
    stage.service(desired_count=3, task=TaskSpec(sidecars=("proxy",)))
    stage.breaks(HOUR, served_for(uniform(0.9 * life, 1.1 * life)))


def _rare_luck(stage: Stage, *, tasks: int, rarely: float) -> None:
    """One start in so many lives for ten minutes, the others die at once."""
    life = mostly(3.0, constant(600), share=1 / rarely)
    stage.service(desired_count=tasks, behaviour=crash(Failure.APP_CRASH, after=life, ready_after=constant(4)))


def _in_turns(stage: Stage, *, pause: float) -> None:
    """Two causes take turns, in another way each, with some good minutes between them."""
    stage.service(desired_count=3)
    when = stage.began = HOUR
    for number in range(6):
        until = when + 24 * MINUTE
        behaviour = dead(3, until=until)
        if number % 2:
            behaviour = crash(Failure.OUT_OF_MEMORY, after=uniform(20, 40), ready_after=constant(60), until=until)
        stage.breaks(when, behaviour)
        stage.returns.append((until, 24 * MINUTE))
        stage.ended, when = until, until + pause * MINUTE


def _jobs_then_outage(stage: Stage, *, minutes: float) -> None:
    """Workers that end with exit code 0 after 20 min each; for a while they end at once, with an error."""
    worker = crash(Failure.CLEAN_EXIT, after=uniform(1100, 1300))
    stage.service(desired_count=3, behaviour=worker)
    stage.began, stage.ended = 2 * HOUR, 2 * HOUR + minutes * MINUTE
    stage.breaks(stage.began, dead(3))
    stage.heals(stage.ended, worker)


def _many_tasks(stage: Stage, *, minutes: float) -> None:
    """A service of 60 tasks whose dependency is away."""
    stage.service(desired_count=60)
    stage.began, stage.ended = HOUR, HOUR + minutes * MINUTE
    stage.breaks(HOUR, dead(3, until=stage.ended))


def _spot_storm(stage: Stage) -> None:
    """Spot takes all tasks every quarter of an hour; each start takes three minutes until it serves."""
    stage.service(desired_count=4, behaviour=healthy(ready_after=constant(180)))
    when = HOUR
    while when < 6 * HOUR:
        stage.at(when, lambda: stage.sim.churn.interrupt_spot(CLUSTER, "web", count=None))
        when += stage.rng.uniform(12, 18) * MINUTE


def _hosts_lost(stage: Stage, *, looping: bool) -> None:
    """The container instances go for two hours; before, or when they are back, the service loops for a while."""
    for _ in range(3):
        stage.sim.churn.add_host(CLUSTER)
    stage.service(desired_count=3, launch_type="EC2")
    stage.began, stage.ended = HOUR, 4.2 * HOUR
    if looping:
        stage.breaks(HOUR, dead(3, until=4.2 * HOUR))
    for _ in range(3):
        stage.at(2 * HOUR, lambda: stage.sim.churn.lose_host(CLUSTER))
        stage.at(4 * HOUR, lambda: stage.sim.churn.add_host(CLUSTER))


def _daemons(stage: Stage, *, minutes: float) -> None:
    """A DAEMON service on three hosts loops, a host goes and another comes."""
    for _ in range(3):
        stage.sim.churn.add_host(CLUSTER)
    stage.service(strategy="DAEMON", launch_type="EC2", desired_count=0)
    stage.began, stage.ended = HOUR, HOUR + minutes * MINUTE
    stage.breaks(HOUR, dead(3, until=stage.ended))
    stage.at(HOUR + 20 * MINUTE, lambda: stage.sim.churn.lose_host(CLUSTER))
    stage.at(HOUR + 25 * MINUTE, lambda: stage.sim.churn.add_host(CLUSTER))


def _half_rolled(stage: Stage, *, minimum: int, maximum: int) -> None:
    """A bad revision takes the place of some old tasks; the others serve."""
    stage.service(desired_count=4, minimum_percent=minimum, maximum_percent=maximum)
    stage.deploys(HOUR, dead(3))


def _no_room(stage: Stage) -> None:
    """A new revision finds no capacity for hours, while the old one loses a task now and then."""
    stage.service(desired_count=3)
    stage.deploys(HOUR, crash(Failure.PLACEMENT, until=5 * HOUR))
    for number in range(8):
        stage.at((1.2 + 0.4 * number) * HOUR, lambda: stage.sim.churn.blip(CLUSTER, "web", count=1))


def _counting_breaker(stage: Stage, *, until: float) -> None:
    """ECS's own circuit breaker adds up failures without end; the new revision's needs are away for a while."""
    breaker = CircuitBreaker(reset_on_healthy_task=False, threshold_type="COUNT", threshold_value=200)
    stage.service(desired_count=3, circuit_breaker=breaker)
    stage.began, stage.ended = HOUR, HOUR + until * MINUTE
    stage.deploys(HOUR, crash(Failure.CANNOT_START, until=stage.ended))


def _green_then_blue(stage: Stage, *, strategy: str, minutes: float) -> None:
    """The green revision never serves; before it is rolled back what the blue one needs goes away for a while."""
    shift = TrafficShift(strategy=strategy, bake=600)  # type: ignore[arg-type]
    stage.service(desired_count=3, shift=shift)
    stage.began, stage.ended = HOUR + 20 * MINUTE, HOUR + (20 + minutes) * MINUTE
    _all_away(stage, stage.began, stage.ended)
    blue = stage.sim.service(CLUSTER, "web").primary.definition.arn
    behaviours = stage.sim.world.behaviours

    def only_blue() -> None:
        behaviours.update({arn: dead(3) for arn in behaviours if arn != blue})

    stage.deploys(HOUR, dead(3))
    stage.at(stage.began, only_blue)
    stage.at(stage.ended, only_blue)


def _few_share(stage: Stage, *, services: int, apart: float) -> None:
    """A few services with one cause, begun so far apart that no window holds more than a handful of them."""
    stage.began, stage.ended = HOUR, HOUR + services * apart * MINUTE + HOUR
    for number in range(services):
        name = f"web-{number}"
        stage.service(name, desired_count=2)
        stage.breaks(HOUR + number * apart * MINUTE, dead(3, until=stage.ended), name=name)


def _new_and_waiting(stage: Stage, *, minutes: float) -> None:
    """A new service that a stack waits for; what it needs is there after some hours, and nobody may touch it before."""
    stage.began, stage.ended = 0.0, minutes * MINUTE
    stage.service(desired_count=2, tags=STOP, behaviour=dead(3, until=stage.ended))


ENEMIES = (
    Kind("a long start period, and an outage", _long_check, 9, 3, grid(period=(300, 900), minutes=(20, 45, 90))),
    Kind("half die in their start period", _dies_in_its_start_period, 8, 4, grid(share=(0.5, 0.8))),
    Kind(
        "ready after 15 min, and an outage",
        _long_grace,
        9,
        3,
        grid(minutes=(20, 45, 90)),
        excused=("late",),
        why="one task goes first, and each start alone takes all the time that is allowed",
    ),
    Kind("well to its check, ill to its load balancer", _two_opinions, 6, 3),
    Kind("hangs, and a slow check sees it late", _healthy_then_hangs, 10, 3, grid(tasks=(1, 3))),
    Kind(
        "a load balancer that lies, and an outage",
        _balancer_turns,
        6,
        3,
        grid(says=("unused", "unhealthy"), minutes=(20, 60)),
    ),
    Kind("an essential proxy dies", _sidecar_dies, 6, 3, grid(life=(70, 150, 800))),
    Kind("one start in so many is lucky", _rare_luck, 12, 4, grid(tasks=(1, 4), rarely=(8, 20))),
    Kind("two causes in turns", _in_turns, 7, 4, grid(pause=(5, 12))),
    Kind("jobs of 20 min, and an outage", _jobs_then_outage, 8, 3, grid(minutes=(20, 45, 120))),
    Kind("60 tasks, and an outage", _many_tasks, 5, 1, grid(minutes=(20, 50))),
    Kind("Spot takes all tasks again and again", _spot_storm, 7, 4),
    Kind("all container instances go", _hosts_lost, 9, 3, grid(looping=(True, False))),
    Kind("a DAEMON service loops", _daemons, 5, 3, grid(minutes=(20, 90))),
    Kind(
        "a bad roll-out that replaces some",
        _half_rolled,
        5,
        3,
        [{"minimum": 50, "maximum": 100}, {"minimum": 75, "maximum": 100}],
    ),
    Kind("no room for a new revision", _no_room, 7, 3),
    Kind(
        "ECS's own breaker counts for hours",
        _counting_breaker,
        8,
        3,
        grid(until=(25, 60, 150)),
        excused=("wrong_rollbacks",),
        why="a revision that never served cannot be told from one that never will; the old one serves meanwhile",
    ),
    Kind(
        "green loops, then blue as well",
        _green_then_blue,
        7,
        3,
        grid(strategy=("BLUE_GREEN", "CANARY"), minutes=(15, 60)),
    ),
    Kind("a few services, one shared cause", _few_share, 9, 2, grid(services=(4, 5, 7), apart=(1, 7, 20))),
    Kind("a new service that somebody waits for", _new_and_waiting, 8, 3, grid(minutes=(40, 200))),
)
