"""Tasks that live for hours and die regularly; and those of a long-lived service that die with its first failure."""

from collections.abc import Sequence
from dataclasses import replace
from math import exp, log
from random import Random
from typing import Any

import pytest

from loopbreaker.judging.detection import confirm
from loopbreaker.judging.ladder import surprise, top
from loopbreaker.judging.regular import regular_deaths
from loopbreaker.model import Category, TaskFailure
from loopbreaker.remembering.incident import Incident, Signal
from loopbreaker.remembering.record import Record
from tests.builders import POLICY, SERVICE, T0, climbed, crash_loop, observed, signal, task_failure
from tests.unit.test_detection import opened

HOUR = 3600.0


def deaths(*lifetimes: float, slots: int = 1, restart: float = 60, **fields: Any) -> list[TaskFailure]:
    """Each slot runs tasks of these lifetimes, one after the other; slots are 7 s apart."""
    found, at = [], 0.0
    for lifetime in lifetimes:
        found += [task_failure(at + 7 * n, at + 7 * n + lifetime, **fields) for n in range(slots)]
        at += lifetime + restart
    return found


def found_after(failures: list[TaskFailure]) -> int:
    """How many failures it took; 0 where nobody would be told."""
    record = Record(service=SERVICE)
    for number, failure in enumerate(failures, start=1):
        record = observed([failure], record=record)
        if record.suspicion:
            assert record.suspicion.signal is Signal.SLOW
            return number
    return 0


@pytest.mark.parametrize("hours", [61 / 60, 2, 5, 7.9, 9])
def test_what_dies_at_the_same_age_is_found_at_its_fourth_death(hours: float) -> None:
    """There is no age at which a loop ends to be one, up to what a day holds four deaths of."""
    expected = 4 if hours < 8 else 0
    assert found_after(deaths(*[hours * HOUR] * 6)) == expected


def test_there_is_no_cliff_at_an_hour() -> None:
    """Deaths at about an hour, some before and some after, are found as those well before it."""
    rng = Random(1)
    about = [HOUR + rng.uniform(-300, 300) for _ in range(8)]
    assert 0 < found_after(deaths(*about)) <= 7


def test_a_worker_that_is_renewed_every_two_hours_is_no_loop() -> None:
    """It ends without an error, by itself, for as long as it likes."""
    assert found_after(deaths(*[2 * HOUR] * 8, category=Category.CLEAN_EXIT)) == 0


def test_all_that_died_at_one_age_are_counted() -> None:
    """Four deaths within ten hours are four failed tasks, and not the last of them alone."""
    record = climbed_record(deaths(*[2 * HOUR] * 4))
    incident = confirm(record, desired_count=1, policy=POLICY, now=record.touched_at + 1).incident
    assert incident is not None
    assert (incident.depth, incident.failed_tasks) == (4, 4)


def test_a_service_that_ends_every_half_hour_is_told_whatever_its_exit_code() -> None:
    """A service should go on: four ends in a row are told, with an error or without, unless its owner meant it."""
    lives = [1800.0 + n % 3 for n in range(4)]
    for category in (Category.CLEAN_EXIT, Category.APP_CRASH):
        assert found_after(deaths(*lives, category=category)) == 4


def climbed_record(failures: list[TaskFailure]) -> Record:
    """The record after these failures, each told by itself."""
    record = Record(service=SERVICE)
    for failure in failures:
        record = observed([failure], record=record)
    return record


def test_tasks_that_started_together_and_die_together_are_no_loop() -> None:
    """One outage of 12 tasks of one age; none of them replaced another."""
    assert found_after(deaths(2 * HOUR, slots=12)) == 0
    assert found_after(deaths(2 * HOUR, 5 * HOUR, slots=6)) == 0


def test_different_causes_at_one_age_are_no_loop() -> None:
    """A leak and a person's mistake have nothing to do with each other."""
    mixed = deaths(*[2 * HOUR] * 6)
    causes = (Category.OUT_OF_MEMORY, Category.APP_CRASH)
    other = [task_failure(0, 0, category=causes[n % 2]) for n in range(6)]
    changed = [
        task_failure(f.created_at - other[0].created_at, f.failed_at - other[0].created_at, category=o.category)
        for f, o in zip(mixed, other, strict=True)
    ]
    assert found_after(changed) == 0


def test_lives_of_random_length_are_no_loop() -> None:
    """A service whose tasks fail by chance every two hours, for a month, of one task and of four."""
    for slots in (1, 4):
        rng = Random(slots)
        record = Record(service=SERVICE)
        for failure in deaths(*(rng.expovariate(1 / (2 * HOUR)) for _ in range(360)), slots=slots):
            record = observed([failure], record=record)
            assert not regular_deaths(record.slow, POLICY)


def test_an_incident_of_regular_deaths_goes_on_with_each() -> None:
    """Its deaths are no bystanders: they are what it is made of."""
    record = opened(deaths(*[2 * HOUR] * 4), desired_count=1)
    incident = open_of(record)
    assert (incident.signal, incident.depth, incident.longest_lifetime) == (Signal.SLOW, 4, 2 * HOUR)
    assert incident.longest_gap == 2 * HOUR + 60
    more = open_of(observed(deaths(*[2 * HOUR] * 5)[4:], record=record))
    assert more.last_failure_at == incident.last_failure_at + 2 * HOUR + 60


def test_one_odd_death_does_not_spoil_a_slow_chain_for_good() -> None:
    """After an early death, tasks that die at 45 minutes are judged by themselves."""
    odd = [task_failure(0, 1000), *crash_loop(4, start=1020, lifetime=2700, restart=30)]
    ladder = climbed(odd, POLICY.slow)
    rung = top(ladder, POLICY.slow)
    assert rung is not None
    whole = surprise(rung, ladder, POLICY.slow, flaky_mtbf=POLICY.flaky_mtbf)
    last = surprise(rung, ladder, POLICY.slow, flaky_mtbf=POLICY.flaky_mtbf, old=900)
    assert last > whole + 10
    assert found_after(odd) == 5


def test_an_old_task_that_dies_of_the_cause_is_no_proof_of_flakiness() -> None:
    """Less is asked of a chain whose only old tasks died with it than of one whose tasks died long before."""
    lives = [200.0, 500, 350, 640, 420, 310, 580, 470]
    loop = deaths(*lives, restart=20)
    known = [task_failure(-90_000, -7200.0), *loop]
    with_it = [task_failure(-90_000, -30.0), *loop]
    new, late, later = fast_after(loop), fast_after(with_it), fast_after(known)
    assert new < late < later


def fast_after(failures: list[TaskFailure]) -> int:
    record = Record(service=SERVICE)
    for number, failure in enumerate(failures, start=1):
        record = observed([failure], record=record)
        if record.suspicion:
            return number - len([f for f in failures if f.lifetime > HOUR])
    return 99


def open_of(record: Record) -> Incident:
    assert record.incident is not None
    return record.incident


def test_statements_of_ecs_are_no_deaths() -> None:
    """A record without any failure holds nothing regular."""
    assert regular_deaths(observed(signals=[signal(0)]).slow, POLICY) == ()


def test_a_loop_that_outlives_the_profile_but_once_knows_its_gap() -> None:
    """Deaths at 60 to 65 minutes, the last a little before an hour: its quiet is twice an hour, and not one."""
    lifetimes = [minutes * 60.0 for minutes in (61, 64, 62, 65, 61, 63, 62, 59)]
    record = opened(deaths(*lifetimes))
    assert record.incident is not None
    assert record.incident.depth > 1
    assert record.incident.longest_gap >= HOUR


# -- how rare it has to be ----------------------------------------------------------------------------------


def rarity(failures: list[TaskFailure]) -> float:
    """By how small a chance the deaths may be told from a flaky service's, as -ln: where `flaky_chance` just lets them.

    0 where nothing is regular at all.
    """
    ladder = climbed(failures, POLICY.slow)
    low, high = 0.0, 100.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        found = regular_deaths(ladder, replace(POLICY, flaky_chance=exp(-middle)))
        low, high = (middle, high) if found else (low, middle)
    return low


@pytest.mark.parametrize(
    ("lifetimes", "chance"),
    [
        # Of tasks that live on for two hours on average, each of the other three dies within the same 20 s by
        # 20 / 7200; any of the four may be the youngest.
        ((7200, 7210, 7190, 7205), 4 * (20 / 7200) ** 3),
        ((3 * 7200, 3 * 7200 + 10, 3 * 7200 - 10, 3 * 7200 + 5), 4 * (20 / 7200) ** 3),
        # Times are true to a second: no two are more alike than by one in ten thousand.
        ((7200, 7200, 7200, 7200), 4 * 1e-4**3),
        ((901, 901, 901, 901), 4 * 1e-4**3),
    ],
)
def test_how_rare_regular_deaths_are(lifetimes: Sequence[float], chance: float) -> None:
    """By how alike they lived alone, and not by how long."""
    assert rarity(deaths(*lifetimes)) == pytest.approx(-log(chance), abs=0.01)


def test_what_the_fast_profile_judges_is_no_regular_death() -> None:
    """Tasks that live for a quarter of an hour at most."""
    assert regular_deaths(climbed(deaths(*[900.0] * 5), POLICY.slow), POLICY) == ()


def test_of_tasks_side_by_side_those_that_died_alike_are_compared() -> None:
    """And that there were others to choose from is taken off: of two each time, three times."""
    alone = deaths(*[2 * HOUR] * 4)
    for odd in (HOUR, 3 * HOUR):
        beside = [task_failure(f.failed_at - T0 - 5 - odd, f.failed_at - T0 - 5) for f in alone[:3]]
        ladder = climbed([*beside, *alone], POLICY.slow)
        assert [rung.lifetime for rung in regular_deaths(ladder, POLICY)] == [2 * HOUR] * 4
        assert rarity(alone) - rarity([*beside, *alone]) == pytest.approx(3 * log(2), abs=0.001)


@pytest.mark.parametrize(("restart", "number"), [(0, 0), (0.001, 4), (600, 4), (600.001, 0)])
def test_who_came_in_the_place_of_whom(restart: float, number: int) -> None:
    """A task that was created after the other's death, within ten minutes."""
    assert len(regular_deaths(climbed(deaths(*[2 * HOUR] * 4, restart=restart), POLICY.slow), POLICY)) == number


def test_a_task_does_not_come_in_its_own_place() -> None:
    """Also where the times contradict each other: failed when it was created, after it had run for hours."""
    assert regular_deaths(climbed([task_failure(0, 0, lifetime=2 * HOUR)], POLICY.slow), POLICY) == ()
