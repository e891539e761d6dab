"""Operators, schedules and pipelines that go on with their day while a service loops or is held."""

from benchmarks.breaker.kinds.ways import dead, mostly
from benchmarks.breaker.stage import CLUSTER, HOUR, MINUTE, STOP, Kind, Stage, grid
from simulation import EarlySuccess, Failure, ServiceSpec, TrafficShift, constant, crash, healthy


def _loops(stage: Stage, *, until: float, tasks: int = 3, scaling: int = 0) -> None:
    stage.service(desired_count=tasks)
    if scaling:
        stage.scaling(minimum=scaling, maximum=40)
    stage.began, stage.ended = HOUR, until
    stage.breaks(HOUR, dead(3, until=until))


def _scaled_down(stage: Stage, *, minutes: float) -> None:
    """An operator scales from 10 to 3 during the loop."""
    _loops(stage, until=4 * HOUR, tasks=10)
    stage.scales(HOUR + minutes * MINUTE, 3)


def _to_the_minimum(stage: Stage, *, minutes: float) -> None:
    """An operator sets the count that the scaling target has as its least."""
    _loops(stage, until=4 * HOUR, tasks=6, scaling=2)
    stage.scales(HOUR + minutes * MINUTE, 2)


def _off_and_on(stage: Stage, *, minutes: float, pause: float) -> None:
    """An operator sets 0, and the old count some minutes later."""
    _loops(stage, until=4 * HOUR)
    at = HOUR + minutes * MINUTE
    stage.at(at, lambda: stage.sim.scale(CLUSTER, "web", 0))
    stage.scales(at + pause * MINUTE, 3)


def _to_one(stage: Stage, *, minutes: float) -> None:
    """An operator sets 1, to look at it alone."""
    _loops(stage, until=5 * HOUR)
    stage.scales(HOUR + minutes * MINUTE, 1)


def _forced(stage: Stage, *, minutes: float) -> None:
    """An operator deploys the same revision again, every few minutes."""
    _loops(stage, until=5 * HOUR)
    for number in range(4):
        stage.restarts(HOUR + (minutes + 11 * number) * MINUTE)


def _growing(stage: Stage) -> None:
    """Autoscaling goes from 2 to 40 while it loops, still asks for more when it is over, and goes back later."""
    _loops(stage, until=5 * HOUR, tasks=2, scaling=2)
    for number in range(75):
        stage.at(HOUR + (5 + 5 * number) * MINUTE, lambda: stage.sim.scaling.scale_out_alarm(CLUSTER, "web", by=4))
    for number in range(40):
        stage.at((8 + 0.05 * number) * HOUR, lambda: stage.sim.scaling.scale_in_alarm(CLUSTER, "web", by=4))


def _night(stage: Stage, *, began: float, until: float) -> None:
    """At hour 4 a schedule sets everything to 0, and at hour 10 back to 2 and more."""
    stage.service(desired_count=3)
    stage.scaling(minimum=2)
    stage.began, stage.ended = began * HOUR, until * HOUR
    stage.breaks(stage.began, dead(3, until=stage.ended))
    act = stage.sim.scaling.scheduled_action
    stage.at(4 * HOUR, lambda: act(CLUSTER, "web", minimum=0, maximum=0))
    stage.at(10 * HOUR, lambda: act(CLUSTER, "web", minimum=2, maximum=20))


def _more_by_day(stage: Stage, *, at: float) -> None:
    """A schedule asks for more tasks while it is held."""
    _loops(stage, until=5 * HOUR, tasks=3, scaling=2)
    act = stage.sim.scaling.scheduled_action
    stage.at(at * HOUR, lambda: act(CLUSTER, "web", minimum=6, maximum=30))


def _flapping(stage: Stage, *, off: float, on: float) -> None:
    """Away and back, eight times over."""
    stage.service(desired_count=2)
    when = stage.began = HOUR
    for _ in range(8):
        until = when + off * MINUTE
        stage.breaks(when, dead(3, until=until))
        stage.returns.append((until, off * MINUTE))
        stage.ended = until
        when = until + on * MINUTE


def _spot(stage: Stage) -> None:
    """One of two slots loops; Spot takes the other back every 20 min, and its replacement needs some starts."""
    stage.service(
        desired_count=2,
        behaviour=crash(
            Failure.APP_CRASH, after=mostly(3.0, constant(1e9), share=0.4), slots=[0, 1], ready_after=constant(4)
        ),
    )
    when = HOUR
    while when < 5 * HOUR:
        stage.at(when, lambda: stage.sim.churn.interrupt_spot(CLUSTER, "web", count=None))
        when += stage.rng.uniform(15, 30) * MINUTE


def _recreated(stage: Stage, *, hour: float, works: bool) -> None:
    """Somebody deletes the service and makes it again with the same name, held or not."""
    _loops(stage, until=6 * HOUR, scaling=0)

    def again() -> None:
        behaviour = healthy() if works else dead(3, until=6 * HOUR)
        spec = ServiceSpec(cluster=CLUSTER, name="web", desired_count=3, tags=STOP, behaviour=behaviour)
        stage.sim.create_service(spec)

    stage.at(hour * HOUR, lambda: stage.sim.delete(CLUSTER, "web"))
    stage.at(hour * HOUR + 10 * MINUTE, again)
    if works:
        stage.ended = hour * HOUR + 10 * MINUTE


def _cluster_gone(stage: Stage) -> None:
    """The service is deleted while it is held, and its cluster after it."""
    _loops(stage, until=6 * HOUR, scaling=2)
    stage.at(3 * HOUR, lambda: stage.sim.delete(CLUSTER, "web"))
    stage.refuses("DescribeServices", "ListTasks", code="ClusterNotFoundException", since=3 * HOUR + 60)


def _outage_while_shifting(stage: Stage, *, strategy: str, minutes: float) -> None:
    """A good revision is rolled out; in its bake time what both need goes away for a while."""
    shift = TrafficShift(strategy=strategy, bake=2 * HOUR)  # type: ignore[arg-type]
    stage.service(desired_count=4, shift=shift)
    stage.deploys(HOUR)
    stage.began, stage.ended = 1.6 * HOUR, 1.6 * HOUR + minutes * MINUTE

    def away() -> None:
        for deployment in stage.sim.service(CLUSTER, "web").deployments:
            stage.sim.world.behaviours[deployment.definition.arn] = dead(3, until=stage.ended or 0)
        stage.sim.churn.blip(CLUSTER, "web")

    stage.at(stage.began, away)


def _alarm_and_us(stage: Stage, *, strategy: str) -> None:
    """A bad revision that an alarm rolls back in the minute in which we would."""
    shift = TrafficShift(strategy=strategy, bake=600) if strategy else None  # type: ignore[arg-type]
    stage.service(desired_count=3, alarms=("errors",), shift=shift)
    stage.deploys(HOUR, dead(3))
    at = HOUR + stage.rng.uniform(29, 36) * MINUTE
    stage.at(at, lambda: stage.sim.alarm(CLUSTER, "web"))


def _loop_ends_early(stage: Stage, *, minutes: float) -> None:
    """A deployment that counts as done with most of its tasks; then everything loops for a while."""
    stage.service(desired_count=5, early_success=EarlySuccess(healthy_percent=60, deferred=True))
    stage.deploys(HOUR, dead(3, slots=[4]))
    stage.began, stage.ended = 1.2 * HOUR, 1.2 * HOUR + minutes * MINUTE
    stage.breaks(stage.began, dead(3, until=stage.ended))


def _deployed_while_dead(stage: Stage, *, at: float, minutes: float) -> None:
    """The same software is deployed as a new revision while its dependency is away; both fail until it is back."""
    stage.service(desired_count=3)
    stage.began, stage.ended = HOUR, HOUR + minutes * MINUTE
    stage.breaks(HOUR, dead(3, until=stage.ended))
    stage.deploys(HOUR + at * MINUTE, dead(3, until=stage.ended))


def _quick_zero(stage: Stage, *, operation: str) -> None:
    """A person sets 0 in the moment of one of our calls."""
    _loops(stage, until=30 * HOUR)
    done: list[str] = []

    def meddle(name: str, params: dict[str, object]) -> None:
        if name == operation and not done and (name != "UpdateService" or params.get("desiredCount") == 0):
            done.append(name)
            stage.zero()

    if stage.ours:
        stage.ours.faults.meddling = meddle
    else:
        stage.at(1.6 * HOUR, stage.zero)


def _last_minute(stage: Stage, *, minutes: float) -> None:
    """The service recovers by itself in about the minute in which it is stopped."""
    stage.service(desired_count=2)
    stage.began = HOUR
    stage.ended = HOUR + (minutes + stage.rng.uniform(-0.5, 0.5)) * MINUTE
    stage.breaks(HOUR, dead(20, until=stage.ended))


OPERATORS = (
    Kind("scaled from 10 to 3 during the loop", _scaled_down, 9, 3, grid(minutes=(5, 31, 34, 60, 100))),
    Kind("set to its scaling minimum", _to_the_minimum, 9, 3, grid(minutes=(5, 34, 60, 100))),
    Kind("set to 0 and back by hand", _off_and_on, 9, 3, grid(minutes=(5, 31), pause=(1, 5, 45))),
    Kind(
        "set to 0 while it is held at 0, and back",
        _off_and_on,
        9,
        3,
        grid(minutes=(60,), pause=(1, 45)),
        excused=("defied",),
        why="what is at 0 already does not change when a person sets 0: the tag `recovery` says it",
    ),
    Kind("set to 1 by hand", _to_one, 10, 3, grid(minutes=(5, 34, 60))),
    Kind("the same revision deployed again and again", _forced, 10, 3, grid(minutes=(5, 28, 60))),
    Kind("autoscaling grows what loops", _growing, 11, 3),
    Kind("a schedule sets 0 for the night", _night, 16, 3, grid(began=(1, 3), until=(3.8, 6, 11))),
    Kind("a schedule asks for more while held", _more_by_day, 12, 3, grid(at=(1.7, 2.5, 4))),
    Kind("eight times away and back", _flapping, 9, 4, [*grid(off=(20,), on=(5, 12)), {"off": 35, "on": 12}]),
    Kind("Spot takes the only good tasks", _spot, 7, 8),
    Kind("deleted and made again", _recreated, 11, 3, grid(hour=(1.3, 2.5), works=(True, False))),
    Kind("its cluster is deleted while it is held", _cluster_gone, 9, 3),
    Kind(
        "an outage while traffic shifts",
        _outage_while_shifting,
        6,
        3,
        grid(strategy=("BLUE_GREEN", "CANARY", "LINEAR"), minutes=(10, 45)),
    ),
    Kind("an alarm rolls back when we would", _alarm_and_us, 4, 6, grid(strategy=("", "BLUE_GREEN"))),
    Kind("early success, then an outage", _loop_ends_early, 6, 3, grid(minutes=(10, 45, 90))),
    Kind("deployed while its dependency is away", _deployed_while_dead, 8, 3, grid(at=(5, 25, 40), minutes=(50, 120))),
    Kind(
        "a person's 0 in the moment of a call",
        _quick_zero,
        8,
        3,
        grid(operation=("TagResource", "DescribeServices")),
    ),
    Kind(
        "a person's 0 in the moment of ours",
        _quick_zero,
        8,
        3,
        grid(operation=("UpdateService",)),
        excused=("defied",),
        why="`UpdateService` has no compare-and-set, and of two calls that set 0 nobody can tell whose it was",
    ),
    Kind("recovers in the minute of the stop", _last_minute, 5, 4, grid(minutes=(30, 31, 32, 33, 34))),
)
