"""A function that dies at any call that changes something, or runs twice at once: nobody is harmed by it.

The judge is `benchmarks/breaker/oracle.py`; the stories are worlds of the benchmark, told once for each such call.
"""

from collections.abc import Callable
from functools import cache

import pytest

from benchmarks.breaker.faults import Killing
from benchmarks.breaker.kinds.ways import dead
from benchmarks.breaker.oracle import Life, compare, live
from benchmarks.breaker.stage import HOUR, MINUTE, Kind, Stage, World
from benchmarks.breaker.summary import broken

CHANGES = ("TagResource", "UntagResource", "RegisterScalableTarget", "UpdateService", "StopServiceDeployment")
Disturb = Callable[[Stage], None]


def _held_and_fixed(stage: Stage) -> None:
    """Stopped with its scaling, tried in vain, then fixed by a deployment."""
    stage.service(desired_count=3)
    stage.scaling(minimum=2)
    stage.began, stage.ended = 10 * MINUTE, 75 * MINUTE
    stage.breaks(stage.began, dead(3))
    stage.deploys(stage.ended)


def _held_and_back(stage: Stage) -> None:
    """Stopped, tried in vain, then tried with success."""
    stage.service(desired_count=2)
    stage.began, stage.ended = 10 * MINUTE, 70 * MINUTE
    stage.breaks(stage.began, dead(3, until=stage.ended))


def _rolled_back(stage: Stage) -> None:
    """A bad revision that is rolled back."""
    stage.service(desired_count=2)
    stage.deploys(10 * MINUTE, dead(3))


STORIES: dict[str, tuple[Disturb, float]] = {
    "held and fixed": (_held_and_fixed, 2.2),
    "held and back": (_held_and_back, 2.5),
    "rolled back": (_rolled_back, 1.2),
}


def _world(name: str, disturb: Disturb) -> World:
    """The story, with something that happens to Loopbreaker in it."""
    script, hours = STORIES[name]

    def told(stage: Stage) -> None:
        script(stage)
        if stage.ours:
            disturb(stage)

    return World(Kind(name, told, hours, 1), {}, 1)


@cache
def _undisturbed(name: str) -> tuple[Life, Life]:
    """The story without Loopbreaker, and with it."""
    world = _world(name, lambda stage: None)
    return live(world, with_us=False), live(world, with_us=True)


def _changing(name: str) -> list[int]:
    """The numbers, from 1 on, of the calls that change something."""
    _, life = _undisturbed(name)
    assert life.stage.ours
    return [number for number, call in enumerate(life.stage.ours.faults.names, start=1) if call in CHANGES]


def _harmless(name: str, disturb: Disturb) -> list[str]:
    """What is wrong once the story was disturbed; nothing where all is well."""
    without, calm = _undisturbed(name)
    world = _world(name, disturb)
    life = live(world, with_us=True)
    judged = compare(world, "web", without, life)
    wrong = broken(judged)
    wrong += ["lost"] if judged.lost_before else []
    wrong += ["late"] if judged.late else []
    wrong += ["wrongly rolled back"] if judged.wrong_rollbacks else []
    wrong += [] if life.courses["web"].final == calm.courses["web"].final else ["another end"]
    return wrong


@pytest.mark.parametrize("name", STORIES)
def test_the_story_itself(name: str) -> None:
    """Undisturbed, each story holds the calls that it is about, and harms nobody."""
    calls = _changing(name)
    assert len(calls) >= 1
    assert _harmless(name, lambda stage: None) == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", STORIES)
def test_killed_at_every_call_that_changes_something(name: str, after: bool) -> None:
    """Killed before such a call, or after it with the answer lost, Loopbreaker comes to the same end."""
    found = {}
    for number in _changing(name):

        def die(stage: Stage, number: int = number) -> None:
            assert stage.ours
            stage.ours.faults.killing = Killing(frozenset({number}), after=after)

        if wrong := _harmless(name, die):
            found[number] = wrong
    assert found == {}


@pytest.mark.parametrize("name", STORIES)
def test_two_at_once(name: str) -> None:
    """A whole second invocation just before such a call changes nothing."""
    found = {}
    for number in _changing(name):

        def twice(stage: Stage, number: int = number) -> None:
            ours = stage.ours
            assert ours

            def step_in(_name: str, _params: dict[str, object]) -> None:
                if ours.faults.calls == number:
                    ours.attend("web")

            ours.faults.meddling = step_in

        if wrong := _harmless(name, twice):
            found[number] = wrong
    assert found == {}


def test_the_tag_that_says_so() -> None:
    """What is held carries the tag of ours, and what is back does not."""
    _, life = _undisturbed("held and fixed")
    held = [tags.get("loopbreaker:held", "") for _, _, params, tags in _acts(life) if params.get("desiredCount") == 0]
    assert held
    assert all(held)
    assert "loopbreaker:held" not in life.stage.sim.service("prod", "web").tags
    assert life.stage.ended is not None
    assert life.stage.ended < 2 * HOUR


def _acts(life: Life) -> list[tuple[float, str, dict[str, object], dict[str, str]]]:
    assert life.stage.ours
    return life.stage.ours.faults.acts
