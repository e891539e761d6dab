"""The virtual clock."""

from datetime import UTC, datetime
from random import Random

import pytest

from simulation import Simulation, exponential, uniform
from simulation.core.clock import Clock


def test_happenings_run_in_the_order_of_their_time() -> None:
    """The earlier first, those of one time as they were asked for, and nothing that is not due."""
    clock, seen = Clock(datetime(2026, 1, 5, tzinfo=UTC)), list[str]()
    for when, name in [(5, "c"), (1, "a"), (5, "d"), (2, "b"), (9, "e")]:
        clock.at(when, seen.append, name)
    while clock.step(8):
        pass
    assert seen == ["a", "b", "c", "d"]
    assert (clock.now, clock.next_due()) == (8, 9)


def test_time_never_goes_back() -> None:
    """What is asked for in the past happens now."""
    clock, seen = Clock(datetime(2026, 1, 5, tzinfo=UTC)), list[float]()
    clock.step(10)
    clock.at(3, lambda: seen.append(clock.now))
    clock.step(10)
    assert seen == [10]


def test_dates_are_whole_milliseconds() -> None:
    """The API and the events tell the same moment, as ECS does."""
    clock = Clock(datetime(2026, 1, 5, 0, 0, 0, 1999, tzinfo=UTC))
    assert clock.iso(61.0006) == "2026-01-05T00:01:01.002Z"
    assert clock.moment(61.0006) == datetime.fromisoformat(clock.iso(61.0006))


def test_a_start_without_a_time_zone_is_refused() -> None:
    """The message says what is needed."""
    with pytest.raises(ValueError, match="a time zone is needed"):
        Clock(datetime(2026, 1, 5))  # noqa: DTZ001


def test_scripts_run_at_their_time_and_again() -> None:
    """`at` runs once, `every` once per period from its first time on."""
    sim, seen = Simulation(), list[float]()
    sim.at(50, lambda: seen.append(-sim.now))
    sim.every(100, lambda: seen.append(sim.now), first=20)
    sim.run_until(250)
    assert seen == [20, -50, 120, 220]


def test_distributions_have_their_means() -> None:
    """The mean time between failures is the mean of the lifetimes drawn."""
    rng = Random(1)
    assert sum(exponential(600)(rng) for _ in range(5000)) / 5000 == pytest.approx(600, rel=0.05)
    assert sum(uniform(5, 30)(rng) for _ in range(5000)) / 5000 == pytest.approx(17.5, rel=0.05)
