"""Whom the breaker never touches: many at once, the muted, the out of scope, those with tags nobody understands."""

from collections import Counter

import pytest

from loopbreaker.policy import Mode
from loopbreaker.remembering.trip import BreakerState
from loopbreaker.treating.scope import Scope
from tests.breaker.world import BROKEN, World, broken, empty, fixed, ref


def _many(number: int, *, scope: Scope | None = None) -> World:
    """So many services whose owners opted in, all of which break within two minutes."""
    made = empty(scope=scope)
    for position in range(number):
        name = f"web-{position}"
        made.stage.service(name)
        made.stage.breaks(200 + 10 * position, BROKEN, name=name)
    return made


def _stopped(made: World) -> list[str]:
    return [record.service.name for record in made.table.records() if record.breaker is not BreakerState.CLOSED]


@pytest.mark.parametrize("number", [1, 5])
def test_a_few_are_stopped_each_for_itself(number: int) -> None:
    """Up to the limit each service is its own case, and is stopped."""
    made = _many(number)
    made.go(900)
    assert len(_stopped(made)) == number


@pytest.mark.parametrize("number", [6, 8, 13])
def test_many_at_once_have_a_shared_cause(number: int) -> None:
    """More than five at once: none is stopped, and one summary stands for those beyond the limit."""
    made = _many(number)
    made.go(900)
    kinds = Counter(told.kind for told in made.told)
    assert _stopped(made) == []
    assert not [kwargs for name, kwargs in made.sim.calls if name == "UpdateService"]
    assert kinds["looping"] == 5
    # Told when the limit is passed, and again when the number has doubled.
    assert kinds["mass"] == (2 if number >= 12 else 1)


def test_deny_wins() -> None:
    """A service that a pattern forbids is left alone, even where another allows it; its owner is told why."""
    made = _many(2, scope=Scope(allow=("prod/*",), deny=("*/web-1",)))
    made.go(900)
    assert _stopped(made) == ["web-0"]
    assert made.kinds("web-1") == ["looping", "not-stopped"]


@pytest.mark.parametrize("mode", [Mode.ALERT, Mode.ROLLBACK])
def test_a_lesser_mode_never_stops(mode: Mode) -> None:
    """Where the installation may not stop services, none is, whatever its owner allows."""
    made = broken(mode=mode)
    made.go(900)
    assert not [kwargs for name, kwargs in made.sim.calls if name == "UpdateService"]
    assert "looping" in made.kinds()


def test_mute() -> None:
    """While a service is muted nothing is told and nothing done; a loop that outlasts the silence is told then."""
    tags = {"loopbreaker:mute-until": "2026-01-05T00:20Z"}
    made = broken(tags=tags)
    made.go(1100)
    assert made.kinds() == []
    made.go(1500)
    assert made.kinds()[:2] == ["looping", "stopped"]


def test_ignore() -> None:
    """A service whose owner asks for it to be ignored is never told of and never touched."""
    made = broken(tags={"loopbreaker:action": "ignore"})
    made.go(1500)
    assert (made.kinds(), made.sim.service("prod", "web").desired) == ([], 2)


@pytest.mark.parametrize(
    "tags",
    [
        {"loopbreaker:action": "Stop!"},
        {"loopbreaker:action": "stop", "loopbreaker:depth": "many"},
        {"loopbreaker:action": "stop", "loopbreaker:mute-until": "tomorrow"},
        {"loopbreaker:action": "stop", "loopbreaker:recovery": "soon"},
        {"loopbreaker:action": "stop", "loopbreaker:colour": "red"},
    ],
)
def test_a_tag_that_is_not_understood(tags: dict[str, str]) -> None:
    """A wrong tag is told to the owner once, and the safe default holds instead of it."""
    made = broken(tags=tags)
    made.go(1200)
    assert made.kinds().count("bad-tag") == 1
    stops = tags["loopbreaker:action"] == "stop"
    assert ("stopped" in made.kinds()) == stops


def test_the_owner_asks_for_more_generations() -> None:
    """`loopbreaker:depth` delays the verdict and the stop to that generation."""
    made = broken(tags={"loopbreaker:depth": "6"})
    made.go(300)
    assert made.kinds() == []
    made.go(900)
    incident = made.record().incident
    assert incident is not None
    assert incident.depth >= 6
    assert made.kinds()[0] == "looping"


def test_at_most_three_more_times_a_day() -> None:
    """A service that somebody starts again and again is stopped four times within a day, then left to a person."""
    made = broken(tags={"loopbreaker:recovery": "manual"})

    def start_again() -> None:
        if made.sim.service("prod", "web").desired == 0:
            made.sim.scale("prod", "web", 2)

    made.sim.every(900, start_again)
    made.go(4 * 3600)
    assert made.kinds().count("stopped") == 4
    assert made.sim.service("prod", "web").desired == 2
    last = [told for told in made.told if told.kind == "not-stopped"][-1]
    assert "a person has to decide" in last.text


def test_a_fix_is_given_its_own_chance() -> None:
    """After a fix that does not help either, the new revision is judged from its own first failure."""
    made = broken()
    made.sim.at(800, lambda: made.sim.deploy("prod", "web", behaviour=BROKEN))
    made.go(1000)
    back_at = made.epoch + next(told.at for told in made.told if told.kind == "back")
    assert all(rung.failed_at > back_at for rung in made.record().fast)


def test_deleted_while_it_is_held() -> None:
    """A service that is deleted while it is held is forgotten, with a word about it."""
    made = fixed(broken(), at=10_000)
    made.go(700)
    assert made.record().breaker is BreakerState.OPEN
    made.sim.delete("prod", "web")
    made.go(300)
    assert (made.kinds()[-1], made.record(ref().name).incident) == ("recovered", None)
