"""People, pipelines and faults that an enemy would send while a service loops, is held, or is tried."""

from random import Random
from typing import Any

from benchmarks.breaker.faults import Killing
from benchmarks.breaker.kinds.ways import dead
from benchmarks.breaker.living import Living, without_rights
from benchmarks.breaker.stage import CLUSTER, HOUR, MINUTE, STOP, Kind, Stage, grid
from loopbreaker.policy import Mode
from simulation import ServiceSpec, healthy

_READS = ("DescribeServices", "DescribeTasks", "ListTasks", "DescribeScalableTargets")
_ACTS = ("UpdateService", "RegisterScalableTarget", "TagResource", "UntagResource")


def _loops(stage: Stage, *, hours: float, tasks: int = 3, scaling: bool = False, **tags: str) -> None:
    """From the first hour on every task dies at its start, for so many hours."""
    named = {f"loopbreaker:{name.replace('_', '-')}": value for name, value in tags.items()}
    stage.service(desired_count=tasks, tags=STOP | named)
    if scaling:
        stage.scaling(minimum=2)
    stage.began, stage.ended = HOUR, (1 + hours) * HOUR
    stage.breaks(HOUR, dead(3, until=stage.ended))


def _flipped(stage: Stage, *, minutes: float) -> None:
    """A policy of tags takes the opt-in away, and a pipeline puts it back, again and again."""
    _loops(stage, hours=4)
    when, on = HOUR, False
    while when < 8 * HOUR:
        stage.tags(when, action="stop" if on else "alert")
        when, on = when + minutes * MINUTE, not on


def _asked_meanwhile(stage: Stage, *, minutes: float, lasts: float) -> None:
    """The owner opts in while it loops; some minutes later it may be over."""
    stage.service(desired_count=3, tags={})
    stage.began, stage.ended = HOUR, HOUR + lasts * MINUTE
    stage.breaks(HOUR, dead(3, until=stage.ended))
    stage.tags(HOUR + minutes * MINUTE, action="stop")


def _silenced_while_held(stage: Stage, *, how: str) -> None:
    """The owner mutes a held service, or says that people will bring it back, and takes that back later."""
    _loops(stage, hours=2)

    def say() -> None:
        tags = stage.sim.service(CLUSTER, "web").tags
        tags.update({"loopbreaker:mute-until": "2030-01-01T00:00Z"} if how == "mute" else {"loopbreaker:recovery": how})

    def unsay() -> None:
        for name in ("loopbreaker:mute-until", "loopbreaker:recovery"):
            stage.sim.service(CLUSTER, "web").tags.pop(name, None)

    stage.once_at_zero(say, delay=120)
    stage.at(2.6 * HOUR, unsay)


def _waits_changed(stage: Stage) -> None:
    """The owner changes how long to wait while it is held: nothing of that is a reason to forget it."""
    _loops(stage, hours=3, scaling=True)
    stage.tags(2 * HOUR, stop_after="6h", serving_after="10m", abandoned_after="5m")


def _heard_late(stage: Stage, *, least: float, most: float, again: int) -> None:
    """Each event comes later, and more than once."""
    _loops(stage, hours=0.7)
    if stage.ours:
        ours, rng = stage.ours, Random(f"late {least} {most} {stage.rng.random()}")

        def later(event: dict[str, Any]) -> bool:
            for _ in range(again):
                at = stage.sim.now + rng.uniform(least, most) * MINUTE
                stage.sim.at(at, lambda: ours._detect(event))
            return True

        ours.loses = later


def _throttled(stage: Stage, *, what: str, share: float) -> None:
    """So many of the calls are refused at random, all the time."""
    _loops(stage, hours=1.5, scaling=True)
    rng = Random(f"throttled {what} {stage.rng.random()}")
    operations = _READS if what == "reads" else _ACTS
    stage.refuses(*operations, code="ThrottlingException", when=lambda _: rng.random() < share)


def _drifting(stage: Stage, *, to: float) -> None:
    """The clock of the functions wanders off and comes back, within hours."""
    _loops(stage, hours=2, scaling=True)
    if stage.ours:
        ours = stage.ours
        for number in range(72):
            skew = to * (1 - abs(number - 36) / 36)
            stage.at(number * 5 * MINUTE, lambda skew=skew: setattr(ours, "skew", skew))  # type: ignore[misc]


def _tracked(stage: Stage) -> None:
    """Target tracking moves the count every three minutes, up and down, whatever the tasks do."""
    _loops(stage, hours=2, scaling=True)
    scaling = stage.sim.scaling
    for number in range(140):
        move = scaling.scale_out_alarm if number % 2 else scaling.scale_in_alarm
        stage.at(number * 3 * MINUTE, lambda move=move: move(CLUSTER, "web"))  # type: ignore[misc]


def _same_schedule(stage: Stage) -> None:
    """A scheduled action says every quarter of an hour what the limits are already."""
    _loops(stage, hours=3, scaling=True)
    for number in range(36):
        stage.at(number * 15 * MINUTE, lambda: stage.sim.scaling.scheduled_action(CLUSTER, "web", minimum=2))


def _maximum_lowered(stage: Stage) -> None:
    """A schedule lowers the limits below the old count while it is held."""
    _loops(stage, hours=3, tasks=8, scaling=True)
    act = stage.sim.scaling.scheduled_action
    stage.at(2.2 * HOUR, lambda: act(CLUSTER, "web", minimum=1, maximum=4))


def _reset(stage: Stage, *, every: float) -> None:
    """A controller writes the count that is in its repository, every few minutes."""
    _loops(stage, hours=3)
    when = HOUR
    while when < 8 * HOUR:
        stage.scales(when, 3)
        when += every * MINUTE


def _to_one_while_held(stage: Stage) -> None:
    """A person starts one task of a held service, to look at it, and all of them an hour later."""
    _loops(stage, hours=4)
    stage.once_at_zero(lambda: stage.sim.scale(CLUSTER, "web", 1), delay=9 * MINUTE)
    stage.scales(4 * HOUR, 3)


def _zero_in_the_try(stage: Stage) -> None:
    """A person sets 0 in the moment in which we start a task."""
    _loops(stage, hours=20)
    done: list[str] = []

    def meddle(name: str, params: dict[str, object]) -> None:
        if name == "UpdateService" and params.get("desiredCount") and not done:
            done.append(name)
            stage.zero()

    if stage.ours:
        stage.ours.faults.meddling = meddle
    else:
        stage.at(2 * HOUR, stage.zero)


def _stack_rolls_back(stage: Stage, *, after: float) -> None:
    """A stack brings a revision that never serves, old tasks first; after a while it brings the old one back."""
    tags = {**STOP, "loopbreaker:abandoned-after": "1h"}
    stage.service(desired_count=2, tags=tags, minimum_percent=0, maximum_percent=100)
    stage.waits = min(after, 1) * HOUR
    stage.began, stage.ended = HOUR, (1 + after) * HOUR
    stage.deploys(HOUR, dead(3))
    stage.deploys(stage.ended)


def _fix_that_fails(stage: Stage, *, pause: float) -> None:
    """While it is held somebody deploys a fix that fails as well, and then another that works."""
    _loops(stage, hours=6)
    stage.deploys(2 * HOUR, dead(3))
    stage.ended = 2 * HOUR + pause * MINUTE
    stage.deploys(stage.ended)


def _moved(stage: Stage) -> None:
    """A held service is moved to another cluster: deleted here, made there."""
    _loops(stage, hours=6, scaling=True)
    stage.sim.create_cluster("other")
    stage.at(3 * HOUR, lambda: stage.sim.delete(CLUSTER, "web"))
    spec = ServiceSpec(cluster="other", name="web", desired_count=3, tags=STOP, behaviour=healthy())
    stage.at(3 * HOUR + 60, lambda: stage.sim.create_service(spec))


def _made_again_empty(stage: Stage) -> None:
    """A held service is deleted and made again with 0 tasks; its people start it the next hour."""
    _loops(stage, hours=2)
    spec = ServiceSpec(cluster=CLUSTER, name="web", desired_count=0, tags=STOP, behaviour=healthy())
    stage.ended = 3.5 * HOUR
    stage.at(2.4 * HOUR, lambda: stage.sim.delete(CLUSTER, "web"))
    stage.at(2.6 * HOUR, lambda: stage.sim.create_service(spec))
    stage.scales(3.5 * HOUR, 3)


def _deleted_in_its_first(stage: Stage) -> None:
    """A stack gives its new service up, which is held by then, and deletes it."""
    stage.waits = HOUR
    stage.service(desired_count=2, tags={**STOP, "loopbreaker:abandoned-after": "1h"}, behaviour=dead(3))
    stage.at(3 * HOUR, lambda: stage.sim.delete(CLUSTER, "web"))


def _killed_often(stage: Stage, *, each: int, after: bool) -> None:
    """The function dies at each so-many-th of its calls, for ever."""
    _loops(stage, hours=1.5, scaling=True)
    if stage.ours:
        stage.ours.faults.killing = Killing(frozenset(range(each, 20_000, each)), after)


def _no_rights_for_a_while(stage: Stage) -> None:
    """The installation loses its rights while a service is held, and gets them back after two hours."""
    _loops(stage, hours=6)

    def lose() -> None:
        assert stage.ours is not None
        without_rights(stage.ours)

    def regain() -> None:
        if stage.ours:
            stage.ours.mode, stage.ours.faults.permissions = Mode.STOP, frozenset({"rollback", "stop"})

    stage.once_at_zero(lose, delay=300)
    stage.at(4 * HOUR, regain)


def _one_only_looks(stage: Stage) -> None:
    """A second installation in the account, which may tell only."""
    _loops(stage, hours=2)
    if stage.ours:
        stage.ours.second = Living(stage.sim, mode=Mode.ALERT)


MEDDLING = (
    Kind("the opt-in comes and goes", _flipped, 9, 3, grid(minutes=(3, 20, 45))),
    Kind("opted in while it loops", _asked_meanwhile, 6, 4, grid(minutes=(10, 29), lasts=(33, 45, 120))),
    Kind(
        "muted or manual while it is held",
        _silenced_while_held,
        9,
        4,
        grid(how=("mute", "manual")),
        excused=("late", "lost_after"),
        why="its owner said that people bring it back",
    ),
    Kind("the owner changes the waits", _waits_changed, 12, 3),
    Kind(
        "events come late and twice",
        _heard_late,
        7,
        4,
        [
            {"least": 0, "most": 60, "again": 2},
            {"least": 20, "most": 21, "again": 1},
            {"least": 1, "most": 9, "again": 3},
        ],
    ),
    Kind("calls are throttled at random", _throttled, 8, 4, grid(what=("reads", "acts"), share=(0.3, 0.5))),
    Kind("a clock that wanders", _drifting, 9, 3, grid(to=(-900.0, 900.0))),
    Kind("target tracking moves the count", _tracked, 8, 3),
    Kind(
        "a schedule repeats itself",
        _same_schedule,
        hours=10,
        seeds=3,
        excused=("late", "left"),
        why="a scheduled action that sets the minimum that it has already looks like a person who sets that count",
    ),
    Kind("the maximum is lowered while held", _maximum_lowered, 10, 3),
    Kind("a controller resets the count", _reset, 9, 3, grid(every=(2, 10, 45))),
    Kind("set to 1 while it is held", _to_one_while_held, 11, 3),
    Kind(
        "a person's 0 in the moment of a try",
        _zero_in_the_try,
        hours=8,
        seeds=3,
        excused=("defied",),
        why="`UpdateService` has no compare-and-set",
    ),
    Kind("a stack rolls back in the middle", _stack_rolls_back, 12, 3, grid(after=(0.4, 1.6, 3, 6))),
    Kind("a fix that fails too, while it is held", _fix_that_fails, 10, 3, grid(pause=(5, 40, 120))),
    Kind("moved to another cluster while held", _moved, 8, 3),
    Kind("deleted while held, made again with 0", _made_again_empty, 8, 3),
    Kind("deleted in its first deployment", _deleted_in_its_first, 7, 3),
    Kind("killed at each so-many-th call", _killed_often, 8, 3, grid(each=(5, 17), after=(False, True))),
    Kind("without rights for a while", _no_rights_for_a_while, 16, 3),
    Kind("a second installation that only tells", _one_only_looks, 8, 3),
)
