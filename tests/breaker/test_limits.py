"""Whom the breaker never touches: many at once, the muted, the out of scope, those with tags nobody understands."""

from collections import Counter

import pytest

from loopbreaker.policy import Mode
from loopbreaker.remembering.trip import BreakerState
from loopbreaker.treating.scope import Scope
from simulation import ServiceSpec, Simulation, healthy
from tests.breaker.scenarios import BROKEN, POLICY, breaks, fixed, world
from tests.breaker.world import World, quiet_delivery, ref


def _many(number: int, *, scope: Scope | None = None) -> World:
    """So many services whose owners opted in, all of which break within two minutes."""
    sim = Simulation(seed=3, delivery=quiet_delivery())
    sim.create_cluster("prod")
    names = [f"web-{i}" for i in range(number)]
    for position, name in enumerate(names):
        sim.create_service(
            ServiceSpec(cluster="prod", name=name, behaviour=healthy(), tags={"loopbreaker:action": "stop"})
        )

        def happen(name: str = name) -> None:
            sim.behave("prod", name, BROKEN)
            sim.churn.blip("prod", name)

        sim.at(200 + 10 * position, happen)
    return World(sim, policy=POLICY, scope=scope)


def _stopped(made: World) -> list[str]:
    return [record.service.name for record in made.table.records() if record.breaker is not BreakerState.CLOSED]


@pytest.mark.parametrize("number", [1, 5])
def test_a_few_are_stopped_each_for_itself(number: int) -> None:
    """Up to the limit each service is its own case, and is stopped."""
    made = _many(number)
    made.run(900)
    assert len(_stopped(made)) == number


@pytest.mark.parametrize("number", [6, 8, 13])
def test_many_at_once_have_a_shared_cause(number: int) -> None:
    """More than five at once: none is stopped, and one summary stands for those beyond the limit."""
    made = _many(number)
    made.run(900)
    kinds = Counter(notice.kind.value for _, notice in made.notices)
    assert _stopped(made) == []
    assert not [kwargs for name, kwargs in made.sim.calls if name == "UpdateService"]
    assert kinds["looping"] == 5
    # Told when the limit is passed, and again when the number has doubled.
    assert kinds["mass"] == (2 if number >= 12 else 1)


def test_deny_wins() -> None:
    """A service that a pattern forbids is left alone, even where another allows it; its owner is told why."""
    made = _many(2, scope=Scope(allow=("prod/*",), deny=("*/web-1",)))
    made.run(900)
    assert _stopped(made) == ["web-0"]
    assert made.kinds("web-1") == ["looping", "not-stopped"]


@pytest.mark.parametrize("mode", [Mode.ALERT, Mode.ROLLBACK])
def test_a_lesser_mode_never_stops(mode: Mode) -> None:
    """Where the installation may not stop services, none is, whatever its owner allows."""
    made = breaks(world(mode=mode))
    made.run(900)
    assert not [kwargs for name, kwargs in made.sim.calls if name == "UpdateService"]
    assert "looping" in made.kinds()


def test_mute() -> None:
    """While a service is muted nothing is told and nothing done; a loop that outlasts the silence is told then."""
    tags = {"loopbreaker:mute-until": "2026-01-05T00:20Z"}
    made = breaks(world(tags=tags))
    made.run(1100)
    assert made.kinds() == []
    made.run(1500)
    assert made.kinds()[:2] == ["looping", "stopped"]


def test_ignore() -> None:
    """A service whose owner asks for it to be ignored is never told of and never touched."""
    made = breaks(world(tags={"loopbreaker:action": "ignore"}))
    made.run(1500)
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
    made = breaks(world(tags=tags))
    made.run(1200)
    assert made.kinds().count("bad-tag") == 1
    stops = tags["loopbreaker:action"] == "stop"
    assert ("stopped" in made.kinds()) == stops


def test_the_owner_asks_for_more_generations() -> None:
    """`loopbreaker:depth` delays the verdict and the stop to that generation."""
    made = breaks(world(tags={"loopbreaker:depth": "6"}))
    made.run(300)
    assert made.kinds() == []
    made.run(900)
    incident = made.record().incident
    assert incident is not None
    assert incident.depth >= 6
    assert made.kinds()[0] == "looping"


def test_at_most_three_more_times_a_day() -> None:
    """A service that somebody starts again and again is stopped four times within a day, then left to a person."""
    made = breaks(world(tags={"loopbreaker:recovery": "manual"}))

    def start_again() -> None:
        if made.sim.service("prod", "web").desired == 0:
            made.sim.scale("prod", "web", 2)

    made.sim.every(900, start_again)
    made.run(4 * 3600)
    assert made.kinds().count("stopped") == 4
    assert made.sim.service("prod", "web").desired == 2
    last = [notice for service, notice in made.notices if notice.kind.value == "not-stopped"][-1]
    assert "a person has to decide" in last.reason


def test_a_fix_is_given_its_own_chance() -> None:
    """After a fix that does not help either, the new revision is judged from its own first failure."""
    made = breaks(world())
    made.sim.at(800, lambda: made.sim.deploy("prod", "web", behaviour=BROKEN))
    made.run(1000)
    back_at = next(n.at for _, n in made.notices if n.kind.value == "back")
    assert all(rung.failed_at > back_at for rung in made.record().fast)


def test_deleted_while_it_is_held() -> None:
    """A service that is deleted while it is held is forgotten, with a word about it."""
    made = fixed(breaks(world()), at=10_000)
    made.run(700)
    assert made.record().breaker is BreakerState.OPEN
    made.sim.delete("prod", "web")
    made.run(300)
    assert (made.kinds()[-1], made.record(ref().name).incident) == ("recovered", None)
