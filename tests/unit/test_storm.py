"""Storms: many failures that make no chain, held against what chance shows."""

from dataclasses import replace
from math import comb, exp
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopbreaker.judging.storm import began_at, is_storm, longest_gap, mark
from loopbreaker.model import Category, TaskFailure
from loopbreaker.remembering.record import Storm
from tests.builders import T0, task_failure
from tests.unit.cases import storm_told_after

HOUR, DAY = 3600.0, 86_400.0


def at_random(tasks: int, mtbf: float, *, days: float, seed: int) -> list[TaskFailure]:
    """Each task lives for a random time, and is replaced two minutes after it failed."""
    rng, found = Random(seed), []
    for _ in range(tasks):
        at = 0.0
        while at < days * DAY:
            lifetime = rng.expovariate(1 / mtbf)
            found.append(task_failure(at + 100, at + 100 + lifetime))
            at += lifetime + 120
    return sorted(found, key=lambda failure: failure.failed_at)


def test_each_of_20_tasks_that_fails_about_once_an_hour_is_told_within_14_hours() -> None:
    """No chain, and a failure every three minutes."""
    for seed in range(3):
        assert 0 < storm_told_after(at_random(20, HOUR, days=1, seed=seed), desired=20) < 14


def test_a_worker_in_ten_that_is_killed_every_few_minutes_is_told_within_a_day() -> None:
    """A poison message, taken by one worker after the other."""
    rng, at, failures = Random(1), 0.0, []
    while at < 2 * DAY:
        at += rng.uniform(300, 900)
        failures.append(task_failure(at - 6000, at))
    assert 0 < storm_told_after(failures, desired=10) < 24


def test_a_service_that_is_merely_flaky_has_no_storm() -> None:
    """Each task fails every two hours: one, four, 20 or 100 of them, for days."""
    for tasks, days in ((1, 30.0), (4, 10.0), (20, 4.0), (100, 1.5)):
        assert storm_told_after(at_random(tasks, 2 * HOUR, days=days, seed=tasks), desired=tasks) == 0


def test_where_ecs_cannot_be_asked_there_is_no_storm() -> None:
    """Without the number of tasks the number of failures says nothing."""
    assert storm_told_after(at_random(20, HOUR, days=2, seed=0), desired=None) == 0


def test_starts_that_fail_make_no_storm() -> None:
    """A start that fails in each deployment of a day with a hundred of them is a matter of its deployments."""
    starts = [task_failure(900.0 * n, 900 * n + 60, deployment_id=f"ecs-svc/{n}") for n in range(100)]
    assert storm_told_after(starts, desired=1) == 0


@given(st.lists(st.floats(0, 3 * DAY), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_order_and_repetition_make_no_storm(times: list[float], rng: Random) -> None:
    """The same failures in any order, some of them twice, are the same storm."""
    moments = [T0 + at for at in times]
    shuffled = [*moments, *moments[::2]]
    rng.shuffle(shuffled)
    one_by_one = Storm()
    for moment in shuffled:
        one_by_one = mark(one_by_one, [moment])
    assert one_by_one == mark(Storm(), moments)
    assert mark(one_by_one, moments[-1:]) is one_by_one


def test_what_is_older_than_a_day_is_forgotten() -> None:
    """A storm is of today."""
    storm = mark(mark(Storm(), [T0]), [T0 + DAY - 1])
    assert storm.failing.bit_length() == 288
    assert mark(storm, [T0 + DAY + 300]).failing.bit_length() == 3
    assert mark(storm, []) is storm


def test_the_longest_gap_of_a_storm_is_known_to_a_span() -> None:
    """Failures at 0, 5 and 30 minutes."""
    assert longest_gap(mark(Storm(), [T0, T0 + 300, T0 + 1800])) == 1500
    assert longest_gap(mark(Storm(), [T0])) == 300


def chance_of(times: list[float], tasks: int) -> float:
    """How probably so many tasks, each of which fails once in two hours, fail in as many intervals as these, at most so
    often as somebody looks: the last 2 to 24 hours, by one, five and fifteen minutes."""
    looks = [(60, n) for n in (2, 3, 4.5, 6, 9, 12)] + [(300, n) for n in (6, 9, 12, 18, 24)] + [(900, 12), (900, 24)]
    newest, least = max(times), 1.0
    for width, hours in looks:
        n, q = int(hours * 3600 / width), 1 - exp(-tasks / 7200 * width)
        hit = len({age for at in times if (age := int((newest - at) // width)) < n})
        least = min(least, sum(comb(n, k) * q**k * (1 - q) ** (n - k) for k in range(hit, n + 1)))
    return len(looks) * least


@pytest.mark.parametrize(
    ("tasks", "minutes"),
    [(1, 5), (1, 15), (1, 25), (5, 5), (5, 10), (20, 1), (20, 3), (50, 1)],
)
def test_a_storm_is_what_chance_shows_once_in_a_million_times(tasks: int, minutes: float) -> None:
    """By the binomial law: never told of what is ten times as probable, nor kept back of what is a hundredth of it."""
    times: list[float] = []
    storm = Storm()
    while not is_storm(storm, tasks=tasks, mtbf=7200):
        assert chance_of(times, tasks) > 1e-8 if times else True
        times.append(T0 + len(times) * minutes * 60)
        storm = mark(storm, times[-1:])
        assert times[-1] < T0 + DAY
    assert chance_of(times, tasks) < 1e-6


def test_where_every_span_would_fail_anyway_nothing_is_a_storm() -> None:
    """Ten thousand tasks of a flaky service fail in each five minutes."""
    storm = mark(Storm(), [T0 + 300 * n for n in range(288)])
    assert not is_storm(storm, tasks=10_000_000, mtbf=7200)
    assert not is_storm(storm, tasks=10_000, mtbf=7200)
    assert not is_storm(Storm(), tasks=1, mtbf=7200)


def test_a_storm_is_remembered_by_its_spans() -> None:
    """Five minutes each, from the first that failed; what is told again changes nothing."""
    storm = mark(Storm(), [T0 + 299, T0 + 300, T0 + 1500])
    assert (storm.failing, began_at(storm)) == (0b100011, T0)
    assert mark(storm, [T0 + 299.9, T0 + 1500]) is storm
    assert mark(storm, [T0 + 1, T0 + 1799]).failing == storm.failing
    assert mark(storm, [T0 - 1]).failing == 0b1000111
    assert began_at(mark(storm, [T0 + DAY + 1])) == T0 + 300


def test_more_tasks_are_allowed_more_failures() -> None:
    """What is a storm of ten is none of a hundred."""
    storm = mark(Storm(), [T0 + 300 * n for n in range(288)])
    assert is_storm(storm, tasks=10, mtbf=7200)
    assert not is_storm(storm, tasks=100, mtbf=7200)


def test_the_work_of_workers_makes_no_storm() -> None:
    """Ten workers end without an error after an hour each, for days: those that fail as often are told of."""
    work = at_random(10, HOUR, days=3, seed=1)
    assert storm_told_after(work, desired=10) > 0
    done = [replace(failure, category=Category.CLEAN_EXIT) for failure in work]
    assert storm_told_after(done, desired=10) == 0
