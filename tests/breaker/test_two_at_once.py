"""Run a whole second invocation in the middle of the first: nobody is harmed, and the end is the same."""

import pytest

from benchmarks.breaker.stage import Stage
from tests.breaker.stories import STORIES, calls_of, distinct, wrong_with


@pytest.mark.parametrize("name", STORIES)
def test_two_at_once(name: str) -> None:
    """A second invocation that runs in the middle of the first, around any call that changes something, is no harm."""
    found = {}
    for number in distinct(calls_of(name)):

        def twice(stage: Stage, number: int = number) -> None:
            ours = stage.ours
            assert ours
            earlier = ours.faults.meddling

            def step_in(call: str, params: dict[str, object]) -> None:
                if ours.faults.calls == number:
                    ours.attend("web")
                if earlier:
                    earlier(call, params)

            ours.faults.meddling = step_in

        if wrong := wrong_with(name, twice):
            found[number] = wrong
    assert found == {}
