"""Loops of health checks, found by those who can ask ECS how the tasks are that run."""

from dataclasses import replace
from typing import Any

import pytest

from loopbreaker.judging.unwell import Checked
from loopbreaker.model import Category, TaskFailure
from loopbreaker.policy import Mode
from loopbreaker.remembering.incident import Signal
from loopbreaker.remembering.record import Record
from loopbreaker.treating.case import Case, Limits
from loopbreaker.treating.facts import Facts, RunningTask, Unknown
from loopbreaker.treating.look import consider
from tests.builders import (
    DEPLOYMENT,
    OLDER_DEPLOYMENT,
    POLICY,
    SERVICE,
    T0,
    facts,
    observed,
    running_task,
    task_failure,
)

GRACE = 660.0


def unhealthy(created: float, failed: float, **fields: Any) -> TaskFailure:
    return task_failure(created, failed, category=Category.ELB_HEALTH_CHECK, **fields)


# One slot: each task is judged after its grace period, its replacement too, and then the older one is stopped.
FIRST, SECOND = unhealthy(0, 1320), unhealthy(660, 1980)
YOUNG, JUDGED = 1980.0, 1320.0


def ill(created: float, **fields: Any) -> RunningTask:
    """A task whose target is unhealthy."""
    known: dict[str, Any] = {"target_health": "unhealthy", "created_at": T0 + created}
    return running_task(created, **(known | fields))


def looked(record: Record, at: float, seen: Facts | Unknown) -> Record:
    record = replace(record, asked_at=T0 + at)
    return consider(Case(record=record, facts=seen, limits=Limits(mode=Mode.ALERT), policy=POLICY, now=T0 + at)).record


def seen(*tasks: RunningTask, **fields: Any) -> Facts:
    known: dict[str, Any] = {"desired_count": 1, "tasks": tasks, "grace": GRACE}
    return facts(**(known | fields))


def test_two_failed_and_a_third_that_ecs_has_judged_are_a_loop() -> None:
    """Nobody waits another grace period for what ECS knows already."""
    record = observed([FIRST, SECOND])
    assert record.suspicion is not None
    assert record.suspicion.signal is Signal.UNHEALTHY
    incident = looked(record, 1981, seen(ill(JUDGED), ill(YOUNG, target_health="initial"))).incident
    assert incident is not None
    assert (incident.signal, incident.depth, incident.failed_tasks) == (Signal.UNHEALTHY, 3, 2)
    assert (incident.first_failure_at, incident.category) == (T0 + 1320, Category.ELB_HEALTH_CHECK)


@pytest.mark.parametrize(
    "fields",
    [
        {"target_health": "unhealthy"},
        {"target_health": "draining"},
        {"target_health": "unhealthy", "health": "HEALTHY"},
        {"target_health": "healthy", "health": "UNHEALTHY"},
        {"target_health": "", "health": "UNHEALTHY"},
        {"target_health": "initial", "health": "UNHEALTHY"},
    ],
)
def test_a_task_is_ill_by_any_of_its_checks(fields: dict[str, str]) -> None:
    """By that of its container, or by its targets; what is being taken out of the load balancer serves nobody."""
    assert looked(observed([FIRST, SECOND]), 1981, seen(ill(JUDGED, **fields))).incident is not None


def test_a_task_whose_targets_were_not_checked_yet_is_not_well() -> None:
    """Its container may be healthy: nobody is sent to it yet."""
    unknown = ill(YOUNG, target_health="initial", health="HEALTHY")
    assert looked(observed([FIRST, SECOND]), 1981, seen(ill(JUDGED), unknown)).incident is not None


@pytest.mark.parametrize(
    "tasks",
    [
        (ill(JUDGED, last_status="DEACTIVATING"),),
        (ill(JUDGED), ill(YOUNG, target_health="healthy")),
        (ill(JUDGED), ill(YOUNG, target_health="", health="HEALTHY")),
        (ill(JUDGED), running_task(-9000, created_at=T0 - 9000)),
        (),
        (ill(JUDGED, deployment_id=OLDER_DEPLOYMENT),),
        (ill(900),),
        (ill(JUDGED, last_status="PENDING", started_at=None),),
    ],
)
def test_where_a_task_is_well_or_none_is_judged_it_is_no_loop_yet(tasks: tuple[RunningTask, ...]) -> None:
    """Two failures are bad luck; the suspicion is dropped, and the next failure raises it again."""
    after = looked(observed([FIRST, SECOND]), 1981, seen(*tasks))
    assert (after.incident, after.suspicion, after.due_at) == (None, None, None)
    assert observed([unhealthy(1320, 2640)], record=after).suspicion is not None


def test_a_task_within_its_grace_period_is_waited_for() -> None:
    """An application that takes long to start is unhealthy to its load balancer, and not to ECS."""
    waiting = looked(observed([FIRST, SECOND]), 1981, seen(ill(YOUNG)))
    assert (waiting.incident, waiting.due_at) == (None, T0 + YOUNG + GRACE)
    assert waiting.suspicion is not None
    assert looked(waiting, YOUNG + GRACE - 5, seen(ill(YOUNG))).incident is not None, "clocks differ by seconds"
    well = looked(waiting, YOUNG + GRACE, seen(ill(YOUNG, target_health="healthy")))
    assert (well.incident, well.suspicion) == (None, None)


def test_a_healthy_task_of_an_older_deployment_says_nothing_of_the_new_one() -> None:
    """A bad roll-out beside healthy tasks."""
    old = ill(-9000, deployment_id=OLDER_DEPLOYMENT, target_health="healthy")
    assert looked(observed([FIRST, SECOND]), 1981, seen(ill(JUDGED), old)).incident is not None


def test_where_ecs_does_not_say_of_which_deployment_a_task_was_any_of_the_service_counts() -> None:
    """Events of old carry no `startedBy`."""
    unnamed = [unhealthy(0, 1320, deployment_id=""), unhealthy(660, 1980, deployment_id="")]
    assert looked(observed(unnamed), 1981, seen(ill(JUDGED))).incident is not None


def test_one_failed_health_check_asks_nobody() -> None:
    """A blip costs no look at ECS."""
    assert observed([FIRST]).suspicion is None


def test_a_short_outage_is_waited_out() -> None:
    """Of a service that ran well before, twice the time that a short outage takes."""
    quick = [unhealthy(0, 60), unhealthy(61, 121)]
    for failures, least in ((quick, POLICY.outage), ([unhealthy(-9000, -1), *quick], 2 * POLICY.outage)):
        record = observed(failures)
        early = looked(record, 200, seen(ill(122), grace=60.0))
        assert (early.incident, early.due_at) == (None, T0 + 60 + least)
        assert looked(early, 60 + least, seen(ill(122), grace=60.0)).incident is not None


def test_where_ecs_does_not_answer_only_failures_tell() -> None:
    """What runs is not known, so that nothing is concluded from it."""
    after = looked(observed([FIRST, SECOND]), 1981, Unknown("throttled"))
    assert (after.incident, after.suspicion, after.due_at) == (None, None, None)


def test_the_owner_s_depth_holds_here_too() -> None:
    """Who wants to hear after five failures in a row is not told of three."""
    patient = seen(ill(JUDGED), tags={"loopbreaker:depth": "5"})
    assert looked(observed([FIRST, SECOND]), 1981, patient).incident is None


def test_failures_of_another_kind_ask_nobody() -> None:
    """A crash is told by its chain alone."""
    assert observed([task_failure(0, 1320), task_failure(1330, 1980)]).suspicion is None
    assert Record(service=SERVICE).suspicion is None
    assert Checked(T0, T0, DEPLOYMENT, None, T0).healthy is None


def test_who_was_well_for_long_and_then_unhealthy_by_chance_is_no_loop() -> None:
    """Ages of half an hour and of ten minutes, with a grace of 90 s; the same ages with one of 660 s are one round or
    two, and ages that are alike are no chance."""
    chance = observed([unhealthy(0, 1900), unhealthy(1900, 2500)])
    again = ill(2500.0)
    assert looked(chance, 3300, seen(again, grace=90.0)).incident is None
    assert looked(chance, 3300, seen(again, grace=660.0)).incident is not None
    alike = observed([unhealthy(0, 1900), unhealthy(1900, 3795)])
    assert looked(alike, 5700, seen(ill(3800.0), grace=90.0)).incident is not None
