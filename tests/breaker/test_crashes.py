"""Kill the function at every call in turn: nobody is harmed, and the story comes to the same end.

The judge is `benchmarks/breaker/oracle.py`, which knows the simulation's own truth and none of our rules.
"""

import pytest

from benchmarks.breaker.faults import Killing
from benchmarks.breaker.stage import Stage
from loopbreaker.remembering.trip import Step
from tests.breaker.stories import CHANGES, STORIES, calls_of, distinct, undisturbed, wrong_with


@pytest.mark.parametrize("name", STORIES)
def test_the_story_as_it_should_be(name: str) -> None:
    """Undisturbed, each story ends as a careful operator would end it, and tells what it is about."""
    assert wrong_with(name, lambda _: None) == []
    assert tuple(told.kind for told in undisturbed(name)[1].told) == STORIES[name].kinds


def test_every_step_is_passed() -> None:
    """Together the stories go through each step that there is."""
    assert {step for name in STORIES for step in undisturbed(name)[2]} == set(Step)


@pytest.mark.parametrize("name", STORIES)
def test_killed_before_every_call(name: str) -> None:
    """Wherever the function dies, the stream and the sweep bring the story to the same end.

    Before a call that follows a read the world is what it was before that read: one of them stands for both.
    """
    _none_is_wrong(name, distinct(calls_of(name)), after=False)


@pytest.mark.parametrize("name", STORIES)
def test_killed_after_every_call_that_changes_something(name: str) -> None:
    """The same where a call was made and its answer lost; a call that only reads may as well not have been made."""
    changing = [number for number, call in enumerate(calls_of(name), start=1) if call in CHANGES]
    _none_is_wrong(name, changing, after=True)


def _none_is_wrong(name: str, numbers: list[int], *, after: bool) -> None:
    found = {}
    for number in numbers:

        def die(stage: Stage, number: int = number) -> None:
            assert stage.ours
            stage.ours.faults.killing = Killing(frozenset({number}), after=after)

        if wrong := wrong_with(name, die):
            found[number] = wrong
    assert found == {}, f"{len(found)} of {len(numbers)}"
