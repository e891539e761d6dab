"""People, schedules and refusals that come between a service and whoever stopped it."""

from collections.abc import Callable
from functools import partial

from benchmarks.breaker.kinds.ways import dead
from benchmarks.breaker.living import without_rights
from benchmarks.breaker.stage import CLUSTER, DAY, HOUR, MINUTE, STOP, Kind, Stage, grid

_TELL = 15 * MINUTE


def _loops(
    stage: Stage, *, until: float | None = None, scaling: bool = False, tags: dict[str, str] | None = None
) -> None:
    """Three tasks that die at their start from the first hour on, until something is back."""
    stage.service(desired_count=3, tags=tags)
    if scaling:
        stage.scaling(minimum=2)
    stage.began, stage.ended = HOUR, until
    stage.breaks(HOUR, dead(3, until=1e12 if until is None else until))


def _raised_and_rolled_back(stage: Stage) -> None:
    """Stopped, raised by hand, and the next revision loops as well and is rolled back; later all is well."""
    _loops(stage, until=8 * HOUR, scaling=True)
    stage.once_at_zero(lambda: stage.sim.scale(CLUSTER, "web", 3), delay=10 * MINUTE)
    stage.deploys(5 * HOUR + stage.rng.uniform(0, 1800), dead(3, until=8 * HOUR))


def _person_sets_zero(stage: Stage, *, when: str, scaling: bool) -> None:
    """A person sets 0, as the message advises, and means it."""
    _loops(stage, scaling=scaling)
    match when:
        case "before the stop":
            stage.at(HOUR + 12 * MINUTE, stage.zero)
        case "while a suspend call is retried":
            until = HOUR + 55 * MINUTE
            stage.refuses("RegisterScalableTarget", "TagResource", code="ThrottlingException", until=until)
            stage.at(HOUR + 45 * MINUTE, stage.zero)
        case "between two calls of the stop":
            if stage.ours:
                stage.ours.faults.meddling = _once(("TagResource", "RegisterScalableTarget"), stage.zero)
            else:
                stage.at(2 * HOUR, stage.zero)
        case "during a try":
            if stage.ours is None:
                stage.at(4 * HOUR, stage.zero)
            _once_tried(stage, stage.zero)


def _once(operations: tuple[str, ...], action: Callable[[], object]) -> Callable[[str, dict[str, object]], None]:
    done: list[str] = []

    def meddle(name: str, _params: dict[str, object]) -> None:
        if name in operations and not done:
            done.append(name)
            action()

    return meddle


def _once_tried(stage: Stage, action: Callable[[], object]) -> None:
    """When Loopbreaker, having set the service to 0, lets tasks of it try."""
    if stage.ours is None:
        return
    seen: list[int] = []

    def look() -> None:
        count = stage.sim.service(CLUSTER, "web").desired
        if not count and not seen:
            seen.append(count)
        if count and len(seen) == 1:
            seen.append(count)
            stage.sim.at(stage.sim.now + 15, action)

    stage.sim.every(10, look)


def _minimum_lowered(stage: Stage) -> None:
    """Stopped, raised by hand and the minimum lowered, stopped again: the new minimum stays."""
    _loops(stage, until=8 * HOUR, scaling=True)

    def raise_and_lower() -> None:
        stage.sim.scale(CLUSTER, "web", 3)
        stage.sim.scaling.register(CLUSTER, "web", minimum=1)

    stage.once_at_zero(raise_and_lower, delay=10 * MINUTE)
    if stage.ours is None:
        stage.at(2 * HOUR, raise_and_lower)


def _lifted_by_scaling(stage: Stage) -> None:
    """The minimum is lowered while the service is held: that call alone lifts it to the new minimum."""
    _loops(stage, until=8 * HOUR, scaling=True)
    stage.at(stage.rng.uniform(2, 3) * HOUR, lambda: stage.sim.scaling.register(CLUSTER, "web", minimum=1))


def _reads_refused(stage: Stage) -> None:
    """Held, and then nothing can be read any more, for good."""
    _loops(stage, until=5 * HOUR)

    def refuse() -> None:
        now = stage.sim.now
        stage.refuses("DescribeServices", code="AccessDeniedException", since=now)
        stage.must_tell(now, within=HOUR)

    stage.once_at_zero(refuse, delay=60)


def _way_back_throttled(stage: Stage) -> None:
    """Held; the dependency is back, and for a day the call that raises the count is throttled."""
    _loops(stage, until=4 * HOUR)
    since = 2 * HOUR
    raising = lambda params: params.get("desiredCount", 0) > 0  # noqa: E731
    stage.refuses("UpdateService", code="ThrottlingException", since=since, until=since + DAY, when=raising)
    stage.deploys(4 * HOUR)
    if stage.ours:
        stage.must_tell(4 * HOUR, within=HOUR)


def _way_back_flaky(stage: Stage) -> None:
    """Every other minute the calls that act are throttled."""
    _loops(stage, until=4 * HOUR, scaling=True)
    odd = lambda _: int(stage.sim.now / 60) % 2 == 1  # noqa: E731
    acts = ("UpdateService", "RegisterScalableTarget", "TagResource", "UntagResource")
    stage.refuses(*acts, code="ThrottlingException", when=odd)


def _opt_in_removed(stage: Stage, *, then: str) -> None:
    """The owner takes the opt-in away while the service is held."""
    _loops(stage, until=5 * HOUR)
    stage.once_at_zero(lambda: stage.sim.service(CLUSTER, "web").tags.pop("loopbreaker:action", None), delay=300)
    if then == "a fix":
        stage.deploys(5 * HOUR)


def _mode_lowered(stage: Stage) -> None:
    """The installation's mode is lowered to alert while the service is held: its rights go with it."""
    _loops(stage, until=5 * HOUR)

    def lower() -> None:
        assert stage.ours is not None
        without_rights(stage.ours)
        stage.must_tell(stage.sim.now, within=HOUR)

    stage.once_at_zero(lower, delay=300)


def _refused_for_good(stage: Stage, *, what: str) -> None:
    """AWS never lets us; nobody wants to hear that a hundred times."""
    _loops(stage, scaling=True, tags={"loopbreaker:action": "stop "} if what == "tag with a space" else STOP)
    if what != "tag with a space":
        stage.refuses(what, code="AccessDeniedException")


def _unreadable(stage: Stage) -> None:
    """The record of one service cannot be read; the others are stopped and come back all the same."""
    stage.began, stage.ended = HOUR, 4 * HOUR
    for number in range(3):
        stage.service(f"web-{number}", desired_count=2)
        at = HOUR + number * 1500
        stage.breaks(at, dead(3, until=stage.ended), name=f"web-{number}")
    if stage.ours:
        ours = stage.ours
        stage.at(2.5 * HOUR, lambda: ours.table.unreadable.add("web-0"))


def _changed_mind(stage: Stage, *, to: str) -> None:
    """The owner changes a tag between two of our calls, at some moment of the loop."""
    _loops(stage, until=5 * HOUR)
    number = stage.rng.randint(1, 60)
    seen: list[str] = []
    change = {
        "no opt-in": {"loopbreaker:action": "alert"},
        "mute": {"loopbreaker:mute-until": "2030-01-01T00:00Z"},
        "ignore": {"loopbreaker:action": "ignore"},
    }[to]

    def meddle(name: str, _params: dict[str, object]) -> None:
        if name == "DescribeServices":
            seen.append(name)
            if len(seen) == number:
                stage.sim.service(CLUSTER, "web").tags.update(change)

    if stage.ours:
        stage.ours.faults.meddling = meddle


def _schedule(stage: Stage) -> None:
    """A nightly schedule sets the limits of scaling, and so the count."""
    _loops(stage, until=7 * HOUR, scaling=True)
    for hour in range(2, 12):
        at = hour * HOUR + stage.rng.uniform(0, 1800)
        minimum = stage.rng.choice((2, 3, 4))
        stage.at(at, partial(stage.sim.scaling.scheduled_action, CLUSTER, "web", minimum=minimum))


def _terraform(stage: Stage) -> None:
    """Every two hours an unrelated apply writes the old count back."""
    _loops(stage, until=7 * HOUR)
    for hour in range(2, 12, 2):
        stage.scales(hour * HOUR + stage.rng.uniform(0, 1800), 3)


_NO_CALL = "AWS refuses the call that would bring it back"
PEOPLE = (
    Kind("raised by hand, next revision rolled back", _raised_and_rolled_back, hours=14, seeds=20),
    Kind(
        "a person sets 0",
        _person_sets_zero,
        hours=8,
        seeds=8,
        cases=grid(
            when=(
                "before the stop",
                "while a suspend call is retried",
                "between two calls of the stop",
                "during a try",
            ),
            scaling=(False, True),
        ),
    ),
    Kind("the minimum is lowered between two stops", _minimum_lowered, hours=14, seeds=20),
    Kind("a scaling call lifts what is held", _lifted_by_scaling, hours=14, seeds=15),
    Kind("held, and reads are refused for good", _reads_refused, 24, 10, excused=("late", "lost_after"), why=_NO_CALL),
    Kind(
        "the way back is throttled for a day", _way_back_throttled, 30, 10, excused=("late", "lost_after"), why=_NO_CALL
    ),
    Kind("acts throttled every other minute", _way_back_flaky, hours=10, seeds=15),
    Kind("opt-in removed while held", _opt_in_removed, 12, 10, grid(then=("a fix", "the dependency is back"))),
    Kind("mode lowered while held", _mode_lowered, 12, 10, excused=("late", "lost_after"), why=_NO_CALL),
    Kind(
        "refused for good",
        _refused_for_good,
        hours=12,
        seeds=6,
        cases=grid(what=("UpdateService", "RegisterScalableTarget", "TagResource", "tag with a space")),
    ),
    Kind("one unreadable record", _unreadable, 10, 10, excused=("late of web-0",), why="nobody can read what it was"),
    Kind("the owner changes the tag meanwhile", _changed_mind, 12, 12, grid(to=("no opt-in", "mute", "ignore"))),
    Kind("a schedule moves the count", _schedule, hours=14, seeds=15),
    Kind("an apply writes the old count back", _terraform, hours=14, seeds=15),
)
