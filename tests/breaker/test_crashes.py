"""Kill the function at every call in turn, or run another one there: the end is the same, and nothing is harmed."""

from collections import Counter
from dataclasses import dataclass

import pytest

from tests.breaker.scenarios import SCENARIOS, Scenario, no_count_is_lost
from tests.breaker.world import Crash, World, ref

CHANGES = (
    "RegisterScalableTarget",
    "StopServiceDeployment",
    "UpdateService",
    "table.archive",
    "table.gather",
    "table.save",
)


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


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_before_every_call(name: str) -> None:
    """Wherever the function dies, the stream and the sweep bring the story to the same end with no message twice."""
    scenario = SCENARIOS[name]
    expected, calls = _undisturbed(scenario)
    _all_agree(scenario, expected, [Crash(at=position, after=False) for position in range(1, len(calls) + 1)])


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_after_every_call_that_changes_something(name: str) -> None:
    """The same where a call was made and its answer lost; a call that only reads may as well not have been made."""
    scenario = SCENARIOS[name]
    expected, calls = _undisturbed(scenario)
    changing = [position for position, call in enumerate(calls, start=1) if call in CHANGES]
    _all_agree(scenario, expected, [Crash(at=position, after=True) for position in changing])


@pytest.mark.parametrize("name", SCENARIOS)
def test_two_at_once(name: str) -> None:
    """A second invocation that runs in the middle of the first, at any of its calls, changes nothing."""
    scenario = SCENARIOS[name]
    expected, calls = _undisturbed(scenario)
    wrong = []
    for position in range(1, len(calls) + 1):
        made = scenario.build()
        _second_at(made, position)
        made.run(scenario.ends)
        no_count_is_lost(made)
        if not _agree(_end(made), expected):
            wrong.append((position, _end(made)))
    assert not wrong, f"{len(wrong)} of {len(calls)}: {wrong[:3]}"


def _undisturbed(scenario: Scenario) -> tuple[End, list[str]]:
    """The end as it should be, and the calls on the way."""
    count = Crash(at=0, after=False)
    return _end(_play(scenario, count)), count.names


def _all_agree(scenario: Scenario, expected: End, crashes: list[Crash]) -> None:
    wrong = []
    for crash in crashes:
        end = _end(_play(scenario, crash))
        assert crash.fired
        if not _agree(end, expected):
            wrong.append((crash.at, crash.names[-1], end))
    assert not wrong, f"{len(wrong)} of {len(crashes)}: {wrong[:3]}"


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
