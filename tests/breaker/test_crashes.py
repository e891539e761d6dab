"""Kill the function at every call in turn, or run another one there: the end is the same, and nothing is harmed."""

from collections import Counter
from dataclasses import dataclass

import pytest

from tests.breaker.scenarios import SCENARIOS, Scenario, no_count_is_lost
from tests.breaker.world import Crash, World, ref


@dataclass(frozen=True)
class End:
    """What is compared: the service, its scaling, the record, the messages."""

    desired: int
    suspended: tuple[bool, ...]
    breaker: str
    verdict: str
    trip: int | None
    kinds: tuple[str, ...]


def _play(scenario: Scenario, crash: Crash | None = None) -> World:
    made = scenario.build()
    made.crash = crash
    made.run(scenario.ends)
    no_count_is_lost(made)
    return made


def _end(made: World) -> End:
    record = made.record()
    targets = made.sim.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    flags = [flag for target in targets["ScalableTargets"] for flag in target["SuspendedState"].values()]
    return End(
        desired=made.sim.service("prod", "web").desired,
        suspended=tuple(flags),
        breaker=record.breaker.value,
        verdict=record.verdict.value,
        trip=record.trip.desired_count if record.trip else None,
        kinds=tuple(made.kinds()),
    )


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_story_as_it_should_be(name: str) -> None:
    """Undisturbed, each story ends as a careful operator would end it."""
    scenario = SCENARIOS[name]
    end = _end(_play(scenario))
    assert (end.kinds, end.desired) == (scenario.kinds, scenario.desired)


@pytest.mark.parametrize("after", [False, True], ids=["call not made", "answer lost"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_at_every_call(name: str, after: bool) -> None:
    """Wherever the function dies, the stream and the sweep bring the story to the same end with no message twice."""
    scenario = SCENARIOS[name]
    count = Crash(at=0, after=False)
    expected = _end(_play(scenario, count))
    wrong = []
    for position in range(1, count.seen + 1):
        crash = Crash(at=position, after=after)
        end = _end(_play(scenario, crash))
        assert crash.fired
        if not _agree(end, expected):
            wrong.append((position, crash.names[-1], end))
    assert not wrong, f"{len(wrong)} of {count.seen}: {wrong[:3]}"


@pytest.mark.parametrize("name", SCENARIOS)
def test_two_at_once(name: str) -> None:
    """A second invocation that runs in the middle of the first, at any of its calls, changes nothing."""
    scenario = SCENARIOS[name]
    expected = _end(_play(scenario))
    calls = scenario.build()
    calls.run(scenario.ends)
    wrong = []
    for position in range(1, calls.calls + 1):
        made = scenario.build()
        _second_at(made, position)
        made.run(scenario.ends)
        no_count_is_lost(made)
        if not _agree(_end(made), expected):
            wrong.append((position, _end(made)))
    assert not wrong, f"{len(wrong)} of {calls.calls}: {wrong[:3]}"


def _second_at(made: World, position: int) -> None:
    """Run a whole second invocation just before the call with this number."""
    earlier = made.before_call
    state = {"seen": 0}

    def step_in(name: str, kwargs: dict[str, object]) -> None:
        state["seen"] += 1
        if state["seen"] == position:
            made.respond(ref())
        if earlier:
            earlier(name, kwargs)

    made.before_call = step_in


def _agree(end: End, expected: End) -> bool:
    """The same end; at most one message more, and none missing."""
    missing = Counter(expected.kinds) - Counter(end.kinds)
    extra = Counter(end.kinds) - Counter(expected.kinds)
    same = (end.desired, end.suspended, end.breaker, end.verdict, end.trip) == (
        expected.desired,
        expected.suspended,
        expected.breaker,
        expected.verdict,
        expected.trip,
    )
    return same and not missing and extra.total() <= 1
