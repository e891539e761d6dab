"""Run a whole second invocation in the middle of the first: the end is the same, and nothing is harmed."""

import pytest

from tests.breaker.endings import agree, end_of, undisturbed
from tests.breaker.scenarios import SCENARIOS, no_count_is_lost
from tests.breaker.world import World, ref


@pytest.mark.parametrize("name", SCENARIOS)
def test_two_at_once(name: str) -> None:
    """A second invocation that runs in the middle of the first, at any of its calls, changes nothing."""
    scenario = SCENARIOS[name]
    expected, calls = undisturbed(scenario)
    wrong = []
    for position in range(1, len(calls) + 1):
        made = scenario.build()
        _second_at(made, position)
        made.run(scenario.ends)
        no_count_is_lost(made)
        if not agree(end_of(made), expected):
            wrong.append((position, end_of(made)))
    assert not wrong, f"{len(wrong)} of {len(calls)}: {wrong[:3]}"


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
