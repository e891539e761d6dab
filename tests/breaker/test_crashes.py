"""Kill the function at every call in turn: the end is the same, and nothing is harmed."""

import pytest

from tests.breaker.endings import CHANGES, FIRST, End, agree, end_of, play, undisturbed
from tests.breaker.scenarios import SCENARIOS, Scenario
from tests.breaker.world import Crash


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_story_as_it_should_be(name: str) -> None:
    """Undisturbed, each story ends as a careful operator would end it."""
    scenario = SCENARIOS[name]
    end = end_of(play(scenario))
    assert (end.kinds, end.desired) == (scenario.kinds, scenario.desired)


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_before_every_call(name: str) -> None:
    """Wherever the function dies, the stream and the sweep bring the story to the same end with no message twice.

    Before a call that follows a read the world is what it was before that read: one of them stands for both.
    """
    scenario = SCENARIOS[name]
    expected, calls = undisturbed(scenario)
    _all_agree(scenario, expected, [Crash(at=position, after=False) for position in distinct(calls)])


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_after_every_call_that_changes_something(name: str) -> None:
    """The same where a call was made and its answer lost; a call that only reads may as well not have been made."""
    scenario = SCENARIOS[name]
    expected, calls = undisturbed(scenario)
    changing = [position for position, call in enumerate(calls, start=1) if call in CHANGES]
    _all_agree(scenario, expected, [Crash(at=position, after=True) for position in changing])


def distinct(calls: list[str]) -> list[int]:
    """Positions, from 1 on, before which the world is another one than before the call in front of them."""
    after = [FIRST, *calls]
    return [
        position
        for position, (before, call) in enumerate(zip(after, calls, strict=False), start=1)
        if call == FIRST or before in CHANGES
    ]


def _all_agree(scenario: Scenario, expected: End, crashes: list[Crash]) -> None:
    wrong = []
    for crash in crashes:
        end = end_of(play(scenario, crash))
        assert crash.fired
        if not agree(end, expected):
            wrong.append((crash.at, crash.names[-1], end))
    assert not wrong, f"{len(wrong)} of {len(crashes)}: {wrong[:3]}"
