"""Failures that come too evenly for chance."""

from itertools import pairwise
from random import Random
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopbreaker.judging.steady import beat, is_steady
from loopbreaker.model import Category, TaskFailure
from loopbreaker.remembering.record import Storm
from tests.builders import T0, task_failure
from tests.unit.cases import storm_told_after

HOUR, DAY = 3600.0, 86_400.0


def poisoned(seed: int, category: Category = Category.KILLED) -> list[TaskFailure]:
    """One of many workers is killed every 5 to 15 minutes, each after five hours of good work."""
    rng, at, failures = Random(seed), 0.0, []
    while at < 12 * HOUR:
        at += rng.uniform(300, 900)
        failures.append(task_failure(at - 5 * HOUR, at, category=category))
    return failures


def test_a_worker_in_fifty_that_is_killed_every_few_minutes_is_told_within_half_a_day() -> None:
    """Each worker fails once in eight hours, which is nothing; that one fails every ten minutes is something."""
    assert all(0 < storm_told_after(poisoned(seed), desired=50) < 8 for seed in range(10))


def test_evenness_needs_no_word_of_ecs() -> None:
    """How many tasks there are does not matter."""
    assert 0 < storm_told_after(poisoned(1), desired=None) < 8


def test_workers_that_are_renewed_evenly_are_no_storm() -> None:
    """They end without an error."""
    assert storm_told_after(poisoned(1, category=Category.CLEAN_EXIT), desired=50) == 0


def test_failures_at_random_are_not_even() -> None:
    """A month of a service in which something fails once, four or thirty times an hour, for twenty seeds."""
    for seed in range(20):
        rng, at, storm = Random(seed), 0.0, Storm()
        for _ in range(2000):
            at += rng.expovariate((1, 4, 30)[seed % 3] / HOUR)
            storm = beat(storm, [at])
            assert not is_steady(storm)


def test_two_dozen_failures_within_a_day_are_needed() -> None:
    """What fails every two hours, however evenly, is not one after another."""
    assert is_steady(beat(Storm(), [600.0 * n for n in range(24)]))
    assert not is_steady(beat(Storm(), [600.0 * n for n in range(23)]))
    assert not is_steady(beat(Storm(), [2 * HOUR * n for n in range(100)]))


@pytest.mark.parametrize(("late", "even"), [(0, True), (412, True), (414, False), (600, False)])
def test_how_uneven_a_beat_may_be(late: float, even: bool) -> None:
    """Pauses of ten minutes, every second of which is as much longer as the one before it is shorter: by a third."""
    storm = beat(Storm(), [600.0 * n + (late / 2 if n % 2 else 0.0) for n in range(24)])
    pauses = [later - earlier for earlier, later in pairwise(storm.times)]
    assert is_steady(storm) is even
    assert ((stdev(pauses) / mean(pauses)) ** 2 <= 0.12) is even


def test_a_beat_is_of_the_last_day_and_two_dozen() -> None:
    """What failed a day before the newest is forgotten; what is told again changes nothing."""
    storm = beat(Storm(), [T0 + 3000.0 * n for n in range(40)])
    assert storm.times == tuple(T0 + 3000.0 * n for n in range(16, 40))
    assert beat(storm, [T0 + 39 * 3000.0]) is storm
    assert beat(Storm(), [T0, T0 + 1, T0 + DAY]).times == (T0 + 1, T0 + DAY)
    assert beat(Storm(), [T0 + 40_000, T0 + DAY]).times == (T0 + 40_000, T0 + DAY)
    assert beat(Storm(), []).times == ()


def test_one_failure_told_in_two_ways_is_one() -> None:
    """The event that foretells a stop and that of the stop may differ by parts of a second."""
    assert beat(beat(Storm(), [599.8]), [600.2]).times == (600.0,)


@given(st.lists(st.floats(0, 3 * DAY), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(times: list[float], rng: Random) -> None:
    """Within what is kept: the newest two dozen of a day."""
    shuffled = [*times, *times[::2]]
    rng.shuffle(shuffled)
    one_by_one = Storm()
    for moment in shuffled:
        one_by_one = beat(one_by_one, [moment])
    assert one_by_one == beat(Storm(), times)
    assert beat(one_by_one, times[-1:]) is one_by_one
    assert len(one_by_one.times) <= 24
