"""What an incident says when it opens, and what each further failure changes of it. Times after `T0`."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from loopbreaker.judging.incident import because, open_incident
from loopbreaker.judging.storm import mark
from loopbreaker.model import Category, ServiceSignal, SignalKind, TaskFailure
from loopbreaker.remembering.history import NO_FAILURES
from loopbreaker.remembering.incident import Incident, Past, Signal, Suspicion
from loopbreaker.remembering.record import Record, Storm
from tests.builders import (
    DEPLOYMENT,
    OLDER_DEPLOYMENT,
    POLICY,
    SERVICE,
    T0,
    TASK_DEFINITION,
    climbed,
    crash_loop,
    incident,
    looping,
    observed,
    signal,
    task_failure,
)

NOW = T0 + 40_000


def opened(record: Record, signal: Signal, since: float, depth: int = 3, now: float = NOW) -> Record:
    found = Suspicion(signal=signal, at=now, depth=depth, since=T0 + since)
    return open_incident(record, found=found, desired_count=2, policy=POLICY, now=now, silent=False)


def of(record: Record) -> Incident:
    assert record.incident is not None
    return record.incident


def test_what_a_fast_loop_says_when_it_opens() -> None:
    """Everything that is known of it then; nobody was served since it began, and nobody looked away."""
    record = observed(crash_loop(3))
    after = opened(record, Signal.FAST, 10, now=T0 + 80)
    assert replace(of(after), messages=()) == Incident(
        signal=Signal.FAST,
        opened_at=T0 + 80,
        first_failure_at=T0 + 10,
        last_failure_at=T0 + 70,
        depth=3,
        category=Category.APP_CRASH,
        failed_tasks=3,
        longest_lifetime=10.0,
        longest_gap=30.0,
        container="web",
        exit_code=1,
        evidence="exit code 1",
        task_definition=TASK_DEFINITION,
        deployment_id=DEPLOYMENT,
        desired_count=2,
        history=record.history,
        openings=(T0 + 80,),
        looked_at=T0 + 80,
        watched_since=T0 + 10,
        unserved_since=T0 + 10,
    )
    assert (after.history, after.suspicion, after.past) == (NO_FAILURES, None, None)
    assert (after.touched_at, after.due_at) == (T0 + 80, T0 + 670)
    assert opened(record, Signal.FAST, 10, now=T0).touched_at == T0 + 70, "time does not go back"


def test_a_slow_loop_is_that_of_the_slow_ladder() -> None:
    """Its lives and pauses are those of tasks that live too long for a fast one."""
    after = of(opened(observed(crash_loop(4, lifetime=1800, restart=60)), Signal.SLOW, 1800, 4))
    assert (after.longest_lifetime, after.longest_gap, after.first_failure_at) == (1800.0, 1860.0, T0 + 1800)
    assert after.last_failure_at == T0 + 3 * 1860 + 1800
    unwell = [task_failure(660.0 * n, 660.0 * n + 1320, category=Category.ELB_HEALTH_CHECK) for n in range(3)]
    ill = of(opened(observed(unwell), Signal.UNHEALTHY, 1320))
    assert (ill.longest_lifetime, ill.category) == (1320.0, Category.ELB_HEALTH_CHECK)


def test_a_fast_loop_is_that_of_the_fast_ladder() -> None:
    """A task that lived for half an hour before it is none of its lives."""
    record = observed([task_failure(-1830, -30), *crash_loop(3)])
    assert of(opened(record, Signal.FAST, 10)).longest_lifetime == 10.0
    assert of(opened(record, Signal.SLOW, -30)).longest_lifetime == 1800.0


def test_a_storm_says_what_its_spans_do() -> None:
    """Its pauses are known to five minutes; how long its tasks lived says nothing, and all of them say the cause."""
    causes = {0.0: Category.APP_CRASH, 1500.0: Category.KILLED, 1800.0: Category.KILLED}
    failures = [task_failure(at - 9000, at, category=category) for at, category in causes.items()]
    record = replace(observed(failures), storm=mark(Storm(), [T0, T0 + 1500, T0 + 1800]))
    after = of(opened(record, Signal.STORM, 0, 1))
    assert (after.longest_gap, after.longest_lifetime, after.category) == (1500.0, 0.0, Category.KILLED)
    assert after.last_failure_at == T0 + 1800


def test_of_a_storm_the_spans_know_more_than_the_failures_that_are_remembered() -> None:
    """Whether those were forgotten in between, or none of them is old enough."""
    remembered = observed([task_failure(at - 9000, at) for at in (7200.0, 14_400.0)]).slow
    every_five = mark(Storm(), [T0 + 300 * n for n in range(49)])
    assert of(opened(Record(service=SERVICE, slow=remembered, storm=every_five), Signal.STORM, 0, 1)).longest_gap == 300
    paused = mark(Storm(), [T0, T0 + 12_000, T0 + 12_300, T0 + 14_400])
    assert of(opened(Record(service=SERVICE, slow=remembered, storm=paused), Signal.STORM, 0, 1)).longest_gap == 12_000


def test_a_slow_loop_knows_its_pauses_however_long_a_replacement_took() -> None:
    """Up to ten minutes, and however unlike its tasks lived: each failure is of the chain."""
    lives, at, failures = (1000.0, 3000.0, 1500.0, 2000.0), 0.0, []
    for lived in lives:
        failures.append(task_failure(at, at + lived))
        at += lived + 500
    after = of(opened(observed(failures), Signal.SLOW, 1000, 4))
    assert (after.longest_gap, after.longest_lifetime) == (3500.0, 3000.0)


def test_what_lived_unlike_the_others_is_part_of_a_chain_all_the_same() -> None:
    """Four that died at one age after one that did not are a chain of five."""
    record = observed([task_failure(0, 3000), *crash_loop(4, lifetime=1800, restart=60, start=3060)])
    assert of(opened(record, Signal.SLOW, 3000, 5)).longest_lifetime == 3000.0


def test_each_task_of_a_loop_counts_once() -> None:
    """Of many side by side all, though few are remembered; of what is no failure none."""
    many = observed(crash_loop(3, slots=60))
    assert of(opened(many, Signal.FAST, 10)).failed_tasks == 180
    none = Record(service=SERVICE, fast=climbed(crash_loop(2)), restarted=(T0, T0 + 300))
    assert of(opened(none, Signal.RESTARTS, 0, 0)).failed_tasks == 0


@pytest.mark.parametrize(
    ("signal", "fields", "gap", "last"),
    [
        (Signal.RESTARTS, {"restarted": (T0, T0 + 300, T0 + 600)}, 1800.0, 600.0),
        (Signal.RESTARTS, {"restarted": (T0, T0 + 2400)}, 2400.0, 2400.0),
        (Signal.RESTARTS, {"restarted": (T0, T0 + 300), "empty": (T0, T0 + 9000)}, 1800.0, 300.0),
        (Signal.EMPTY, {"empty": (T0, T0 + 5400)}, 1800.0, 5400.0),
        (Signal.EMPTY, {"empty": (T0, T0 + 5400), "restarted": (T0 + 9000,)}, 1800.0, 5400.0),
    ],
)
def test_what_was_read_is_no_failure(signal: Signal, fields: dict[str, Any], gap: float, last: float) -> None:
    """Between two restarts it paused; of a service without tasks only the first and the newest sight are known."""
    after = of(opened(replace(observed(crash_loop(2)), **fields), signal, 0, 0))
    assert (after.longest_gap, after.last_failure_at, after.longest_lifetime) == (gap, T0 + last, 0.0)
    on = of(observed(record=looping(signal=signal, **fields), signals=[signal_of_nothing()]))
    assert on.last_failure_at == max(T0 + last, T0 + 100)


def signal_of_nothing() -> ServiceSignal:
    """ECS found no place for a task, which makes the record change and says nothing of the loop."""
    return signal(500, SignalKind.PLACEMENT_FAILURE)


def test_what_was_before_is_told_by_the_incident_alone() -> None:
    """The record keeps no past beside it."""
    past = Past(
        opened_at=T0 - 900,
        openings=(T0 - 900,),
        times=1,
        last_failure_at=T0 - 600,
        longest_gap=30.0,
        deployment_id="",
        closed_at=T0 - 300,
    )
    after = opened(replace(observed(crash_loop(3)), past=past), Signal.FAST, 10, now=T0 + 80)
    assert (after.past, of(after).times, of(after).opened_at) == (None, 2, T0 - 900)


def test_starts_that_fail_are_the_pauses_of_what_ecs_throttles() -> None:
    """Where ECS itself said nothing; of another signal they are none."""
    record = observed([task_failure(1620.0 * n, 1620.0 * n + 60, lifetime=0) for n in range(3)])
    throttled = of(opened(record, Signal.IMPAIRED, 60, 1))
    assert (throttled.longest_gap, throttled.last_failure_at) == (1620.0, T0 + 3300)
    fast = of(opened(record, Signal.FAST, 60, 1))
    assert (fast.longest_gap, fast.last_failure_at) == (0.0, T0 + 3300)
    said = of(opened(Record(service=SERVICE, impaired=(T0, T0 + 900)), Signal.IMPAIRED, 0, 0))
    assert (said.longest_gap, said.last_failure_at, said.category) == (900.0, T0 + 900, Category.UNKNOWN)
    assert of(opened(Record(service=SERVICE), Signal.IMPAIRED, 7, 0)).last_failure_at == T0 + 7


@pytest.mark.parametrize(("old", "began"), [(-290.0, -290.0), (-290.1, 10.0), (5.0, 5.0), (30.0, 10.0)])
def test_an_old_task_may_have_been_the_first_to_die_of_it(old: float, began: float) -> None:
    """Five minutes before the first that replaced one, at most."""
    record = observed([task_failure(old - 9000, old), *crash_loop(3)])
    assert of(opened(record, Signal.FAST, 10)).first_failure_at == T0 + began


@pytest.mark.parametrize(
    ("fields", "starts", "places"),
    [
        ({"signal": Signal.PLACEMENT}, True, True),
        ({"signal": Signal.PLACEMENT, "longest_lifetime": 0.0}, True, True),
        ({"signal": Signal.IMPAIRED}, True, False),
        ({"signal": Signal.IMPAIRED, "longest_lifetime": 0.0}, True, False),
        ({"signal": Signal.FAST}, False, False),
        ({"signal": Signal.FAST, "longest_lifetime": 0.5}, False, False),
        ({"signal": Signal.FAST, "longest_lifetime": 0.0}, True, False),
    ],
)
def test_which_words_of_ecs_say_that_it_goes_on(fields: dict[str, Any], starts: bool, places: bool) -> None:
    """That it cannot start tasks says nothing of those that start and die; that it finds no place only of capacity."""
    for kind, goes_on in ((SignalKind.START_IMPAIRED, starts), (SignalKind.PLACEMENT_FAILURE, places)):
        after = observed(signals=[signal(500, kind)], record=looping(**fields))
        assert of(after).last_failure_at == T0 + (500 if goes_on else 100)


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A computer whose own time is nine hours ahead of UTC."""
    monkeypatch.setitem(os.environ, "TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "replacements failed 4 times in a row"),
        ({"signal": Signal.SLOW}, "replacements failed 4 times in a row"),
        ({"signal": Signal.IMPAIRED}, "ECS cannot start tasks of this service"),
        ({"signal": Signal.PLACEMENT}, "ECS has found no capacity for tasks of this service for a while"),
        (
            {"signal": Signal.UNHEALTHY},
            "4 times in a row a replacement failed its health checks too, and no task passes them",
        ),
        (
            {"signal": Signal.STORM},
            "its tasks fail one after another, for hours, more often or more evenly than chance explains",
        ),
        (
            {"signal": Signal.RESTARTS},
            "ECS restarts its containers inside their tasks, more often than chance explains",
        ),
        (
            {"signal": Signal.EMPTY},
            "it shall run tasks and has run none for a while, and no failure explains it",
        ),
        ({"times": 2}, "replacements failed 4 times in a row; found 2 times since 2026-01-01 00:01 UTC"),
    ],
)
def test_why_a_service_is_said_to_loop(fields: dict[str, Any], words: str) -> None:
    """In the same words and the same time, wherever it is read."""
    assert because(incident(**fields)) == words


# -- goes on ------------------------------------------------------------------------------------------------


def after_one(failure: TaskFailure, **fields: Any) -> Incident:
    known = looping(failed_tasks=0, **fields)
    return of(observed([failure], record=known))


@pytest.mark.parametrize(
    ("signal", "longest", "lived", "counts"),
    [
        (Signal.FAST, 10.0, 3600.0, True),
        (Signal.FAST, 10.0, 3601.0, False),
        (Signal.SLOW, 3000.0, 4500.0, True),
        (Signal.SLOW, 3000.0, 4501.0, False),
        (Signal.STORM, 0.0, 90_000.0, True),
    ],
)
def test_whose_failure_says_that_it_goes_on(signal: Signal, longest: float, lived: float, counts: bool) -> None:
    """Of a task that lived by half as long again as any of them, or up to an hour; of a storm whoever fails."""
    at = 100_000.0
    after = after_one(task_failure(at - lived, at), signal=signal, longest_lifetime=longest)
    assert after.last_failure_at == (T0 + at if counts else T0 + 100)
    assert after.longest_gap == (at - 100 if counts else 30.0)


def test_a_failure_says_what_is_shown_of_the_newest() -> None:
    """Container, words, revision and deployment; one task more."""
    fields: dict[str, Any] = {"container": "app", "exit_code": 137, "evidence": "OOM", "task_definition": "web:8"}
    after = after_one(task_failure(110, 120, deployment_id=OLDER_DEPLOYMENT, **fields))
    assert {name: getattr(after, name) for name in fields} == fields
    assert (after.deployment_id, after.failed_tasks) == (OLDER_DEPLOYMENT, 1)


def test_a_failure_that_comes_late_may_have_been_the_first() -> None:
    """It is older than all that were known of the chain."""
    late = task_failure(-30, -20)
    assert after_one(late, signal=Signal.FAST).first_failure_at == T0 - 20
    assert after_one(late, signal=Signal.FAST).last_failure_at == T0 + 100


def test_a_chain_that_begins_anew_takes_nothing_from_what_the_loop_was() -> None:
    """Eight generations of ten minutes each; then four of ten seconds, after a pause."""
    known = observed(crash_loop(8, lifetime=600), record=looping(depth=4))
    after = of(observed(crash_loop(4, start=9000), record=known))
    assert (after.depth, after.longest_lifetime) == (8, 600.0)


def test_what_ecs_says_again_leaves_the_cause_as_it_was() -> None:
    """No task failed by which it could be told anew."""
    record = looping(signal=Signal.IMPAIRED, category=Category.IMAGE_PULL, fast=(), slow=(), longest_lifetime=0.0)
    assert of(observed(signals=[signal(500)], record=record)).category is Category.IMAGE_PULL


def test_what_turns_out_to_be_a_fast_loop_asks_for_a_decision() -> None:
    """With the failure that shows it, though no further generation failed: only now has it lasted three minutes."""
    old = task_failure(-90_000, -7000)
    known = replace(looping(signal=Signal.STORM, fast=(), slow=()), history_until=T0 - 8000)
    slowly = [task_failure(at, at + 10) for at in (0.0, 80.0, 160.0)]
    record = replace(observed([old, *slowly], record=known), asked_at=None)
    assert of(record).signal is Signal.STORM
    beside = observed([task_failure(150, 200)], record=record)
    assert (of(beside).signal, beside.asked_at) == (Signal.FAST, T0 + 200)
