"""What a service depends on goes away for a while: whoever was stopped meanwhile has to be back in time."""

from benchmarks.breaker.kinds.ways import dead
from benchmarks.breaker.stage import CLUSTER, DAY, HOUR, MINUTE, Kind, Stage, grid
from simulation import healthy

_MINUTES = (2, 3, 5, 8, 10, 15, 20, 30, 45, 60, 90, 120)


def _away(stage: Stage, *, minutes: float, tasks: int, life: float = 3.0) -> None:
    """Healthy for about an hour, then every task dies at its start until the dependency is back."""
    stage.service(desired_count=tasks)
    stage.began = stage.rng.uniform(0.8, 1.2) * HOUR
    stage.ended = stage.began + minutes * MINUTE
    stage.breaks(stage.began, dead(life, until=stage.ended))


def _away_with_scaling(stage: Stage, *, minutes: float, tasks: int) -> None:
    _away(stage, minutes=minutes, tasks=tasks)
    stage.scaling(minimum=2)


def _heavy_load(stage: Stage, *, minutes: float, tasks: int) -> None:
    """Once the dependency is back, a task alone dies of the load that half of the tasks carry together."""
    least = max(2, tasks // 2)
    stage.service(desired_count=tasks, behaviour=healthy(least=least))
    stage.began = HOUR
    stage.ended = stage.began + minutes * MINUTE
    stage.breaks(stage.began, dead(3, until=stage.ended, least=least))


def _in_turns(stage: Stage, *, away: float, back: float) -> None:
    """Away and back, five times over: in between the service serves."""
    stage.service(desired_count=3)
    when = stage.began = HOUR
    for _ in range(5):
        until = when + stage.rng.uniform(0.8, 1.2) * away * MINUTE
        stage.breaks(when, dead(3, until=until))
        stage.returns.append((until, until - when))
        stage.ended = until
        when = until + back * MINUTE


def _no_reads(stage: Stage, *, minutes: float, life: float) -> None:
    """What Loopbreaker reads of ECS is throttled from the first failure until some minutes after the last."""
    _away(stage, minutes=minutes, tasks=3, life=life)
    reads = ("DescribeServices", "DescribeTasks", "ListTasks")
    until = (stage.ended or 0) + stage.rng.uniform(1, 6) * MINUTE
    stage.refuses(*reads, code="ThrottlingException", since=stage.began, until=until)


def _redriven(stage: Stage, *, minutes: float, life: float) -> None:
    """The events of the outage come out of the dead-letter queue a day later, when all tasks are but minutes old."""
    _away(stage, minutes=minutes, tasks=3, life=life)
    again = stage.began + DAY
    stage.at(again - 5 * MINUTE, lambda: stage.sim.churn.interrupt_spot(CLUSTER, "web", count=None))
    if stage.ours:
        stage.ours.deaf = (stage.began, (stage.ended or 0) + 300, again)


def _asked_late(stage: Stage, *, minutes: float, what: str, life: float) -> None:
    """The owner opts in, or the silence ends, when the loop is over."""
    opted_in = {"loopbreaker:action": "stop"}
    stage.began, over = HOUR, HOUR + minutes * MINUTE
    late = over + stage.rng.uniform(1, 6) * MINUTE
    if what == "opt-in":
        stage.service(desired_count=3, tags={})
        stage.tags(late, action="stop")
    else:
        until = stage.sim.world.clock.moment(late).isoformat(timespec="seconds")
        stage.service(desired_count=3, tags={**opted_in, "loopbreaker:mute-until": until})
    stage.ended = over
    stage.breaks(stage.began, dead(life, until=over))


def _shared(stage: Stage, *, apart: float, lasts: float) -> None:
    """20 services that begin to loop one after another, of one cause that ends for all at once."""
    stage.began = HOUR
    stage.ended = stage.began + 20 * apart + lasts * HOUR
    for number in range(20):
        name = f"web-{number}"
        stage.service(name, desired_count=1 + number % 2)
        at = stage.began + apart * number * stage.rng.uniform(0.9, 1.1)
        stage.breaks(at, dead(3, until=stage.ended), name=name)


def _fewer_left(stage: Stage, *, minutes: float) -> None:
    """Three of four tasks die with the dependency; the fourth holds on to its old connection and serves."""
    stage.service(desired_count=4)
    stage.began = HOUR
    stage.ended = HOUR + minutes * MINUTE
    stage.breaks(stage.began, dead(3, until=stage.ended), count=3)


def _ordinary_life_after(stage: Stage, *, minutes: float) -> None:
    """The dependency comes back, then a task is stopped by hand and a revision is deployed."""
    _away(stage, minutes=minutes, tasks=3)
    assert stage.ended is not None
    stage.at(stage.ended + 8 * MINUTE, lambda: stage.sim.churn.stop_by_user(CLUSTER, "web"))
    stage.deploys(stage.ended + 15 * MINUTE)


OUTAGES = (
    Kind("a dependency is away", _away, 6, 6, grid(minutes=_MINUTES, tasks=(1, 2, 4, 10, 20))),
    Kind("a dependency is away, long starts", _away, 6, 4, grid(minutes=_MINUTES, tasks=(2,), life=(45.0, 100.0))),
    Kind("a dependency is away, with scaling", _away_with_scaling, 6, 4, grid(minutes=_MINUTES, tasks=(2, 5))),
    Kind("a dependency returns about when it is stopped", _away, 5, 2, grid(minutes=range(25, 61), tasks=(2,))),
    Kind(
        "one task alone cannot carry the load",
        _heavy_load,
        14,
        5,
        grid(minutes=(10, 35, 60, 150, 360), tasks=(2, 4, 10)),
    ),
    Kind(
        "a dependency comes and goes",
        _in_turns,
        hours=9,
        seeds=6,
        cases=[*grid(away=(3, 8, 20), back=(4, 10, 25)), *grid(away=(40,), back=(10, 25))],
    ),
    Kind(
        "away for longer than we wait, back for minutes",
        _in_turns,
        hours=9,
        seeds=6,
        cases=grid(away=(35, 40), back=(4, 5)),
        excused=("late",),
        why="to see that it was back would take a try every few minutes, and with them more restarts than may be left",
    ),
    Kind("reads are throttled during the loop", _no_reads, 5, 6, grid(minutes=(10, 25, 40, 90), life=(3.0, 150.0))),
    Kind("events redriven a day later", _redriven, 28, 5, grid(minutes=(10, 40, 90), life=(3.0, 150.0))),
    Kind(
        "asked for action when the loop is over",
        _asked_late,
        4,
        10,
        grid(minutes=(10, 40, 90), what=("opt-in", "mute"), life=(3.0, 150.0)),
    ),
    Kind("20 services, one shared cause", _shared, 8, 3, grid(apart=(0, 10, 90, 130, 300), lasts=(1, 2))),
    Kind("an old connection still serves", _fewer_left, 4, 8, grid(minutes=(10, 40, 90))),
    Kind("ordinary life after an outage", _ordinary_life_after, 5, 8, grid(minutes=(10, 40, 90))),
)
