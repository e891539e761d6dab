"""When a loop is over, to the second: what is asked for, of whom, and when the next look is due. Times after `T0`."""

from dataclasses import replace
from math import inf
from typing import Any

import pytest

from loopbreaker.judging.ending import Tasks, may_be_the_fix, next_end, over, over_unasked, quiet_at
from loopbreaker.judging.ration import may_remind, told_at
from loopbreaker.judging.relapse import closed, taken_up
from loopbreaker.remembering.incident import Incident, Past
from loopbreaker.remembering.notice import NoticeKind, Told
from tests.builders import (
    DEPLOYMENT,
    OLDER_DEPLOYMENT,
    POLICY,
    T0,
    crash_loop,
    incident,
    looping,
    observed,
    task_failure,
    trip,
)

HOUR, DAY = 3600.0, 86_400.0
WELL = Tasks(desired=2, running=2, lasting=2)
RUNS = replace(WELL, proven=False)
HALF = Tasks(desired=2, running=1, lasting=1)


def loop(**fields: Any) -> Incident:
    """A loop whose last task failed at `T0`, found a minute before; its tasks lived ten seconds, 30 apart."""
    return incident(**({"opened_at": T0 - 60, "last_failure_at": T0} | fields))


def ended(found: Incident, tasks: Tasks, after: float) -> str:
    return over(found, tasks, policy=POLICY, now=T0 + after)


@pytest.mark.parametrize(
    ("fields", "tasks", "after", "why"),
    [
        ({}, WELL, 599, ""),
        ({}, WELL, 600, "no task failed for 10 minutes and all 2 tasks run"),
        ({}, replace(WELL, desired=1), 660, "no task failed for 11 minutes and its task runs"),
        ({}, replace(WELL, desired=0, running=0, lasting=0), 0, "somebody set its desired count to 0"),
        # Twice its longest gap, where that is more than ten minutes.
        ({"longest_gap": 301.0}, WELL, 601, ""),
        ({"longest_gap": 301.0}, WELL, 602, "no task failed for 10 minutes and all 2 tasks run"),
        # What merely runs may hang: it has to run for as long as a flaky service does, unless none ever started.
        ({}, RUNS, 7199, ""),
        ({}, RUNS, 7200, "no task failed for 120 minutes and all 2 tasks run"),
        ({"longest_lifetime": 0.0}, RUNS, 600, "no task failed for 10 minutes and all 2 tasks run"),
        # Where not every task runs: an hour, or three times its gap and life; and never where nothing does.
        ({}, HALF, 3599, ""),
        ({}, HALF, 3600, "no task failed for 60 minutes and 1 of 2 tasks run"),
        ({"longest_gap": 1000.0, "longest_lifetime": 500.0}, HALF, 4499, ""),
        (
            {"longest_gap": 1000.0, "longest_lifetime": 500.0},
            HALF,
            4500,
            "no task failed for 75 minutes and 1 of 2 tasks run",
        ),
        ({}, replace(HALF, running=0, lasting=0), DAY, ""),
    ],
)
def test_what_ends_a_loop(fields: dict[str, Any], tasks: Tasks, after: float, why: str) -> None:
    """Quiet for long enough, and as much proof as there is."""
    assert ended(loop(**fields), tasks, after) == why


@pytest.mark.parametrize(
    ("fields", "after", "is_over"),
    [
        ({}, 3599, False),
        ({}, 3600, True),
        ({"longest_gap": 2000.0}, 3999, False),
        ({"longest_gap": 2000.0}, 4000, True),
        # Failures that were delivered late: the quiet begins when they were heard of.
        ({"opened_at": T0 + 500}, 4099, False),
        ({"opened_at": T0 + 500}, 4100, True),
        ({"openings": (T0 - DAY + 5000, T0 - 9000, T0 - 60)}, 4999, False),
        ({"openings": (T0 - DAY + 5000, T0 - 9000, T0 - 60)}, 5000, True),
    ],
)
def test_what_ends_a_loop_of_which_ecs_says_nothing(fields: dict[str, Any], after: float, is_over: bool) -> None:
    """An hour of quiet stands for its answer."""
    said = over_unasked(loop(**fields), "throttled", policy=POLICY, now=T0 + after)
    minutes = f"no task failed for {after / 60:.0f} minutes; ECS could not be asked (throttled)"
    assert said == (minutes if is_over else "")


def test_what_was_found_three_times_within_a_day_lasts_until_that_day_is_over() -> None:
    """Whatever runs, and at 0 as well: nobody is told of every swing."""
    often = loop(openings=(T0 - 30_000, T0 - 9000, T0 - 60))
    nothing = Tasks(desired=0, running=0, lasting=0)
    for tasks in (WELL, nothing):
        assert ended(often, tasks, DAY - 30_001) == ""
        assert ended(often, tasks, DAY - 30_000) != ""
    assert quiet_at(often, POLICY) == T0 + DAY - 30_000
    assert quiet_at(replace(often, openings=often.openings[1:]), POLICY) == T0 + 600
    assert quiet_at(loop(longest_gap=400.0), POLICY) == T0 + 800


@pytest.mark.parametrize(
    ("fields", "after", "next_in"),
    [
        # An hour after the last failure, then two; a blind look counts from when it was heard of.
        ({}, 0, 3600),
        ({}, 3599, 1),
        ({}, 3600, 3600),
        ({}, 7200, inf),
        ({"opened_at": T0 + 500}, 3600, 500),
        ({"longest_gap": 1000.0, "longest_lifetime": 500.0}, 3600, 900),
        ({"longest_gap": 1900.0, "longest_lifetime": 10.0}, 3700, 100),
    ],
)
def test_when_time_alone_may_end_it(fields: dict[str, Any], after: float, next_in: float) -> None:
    """A look is due at each of these moments, and at none afterwards."""
    assert next_end(loop(**fields), policy=POLICY, now=T0 + after) == T0 + after + next_in


def said(*ages: float, kind: NoticeKind = NoticeKind.STILL_LOOPING) -> tuple[Told, ...]:
    return tuple(Told(T0 - age, kind, "x") for age in ages)


def test_what_people_were_told_of_a_loop_within_a_day() -> None:
    """That it loops, loops on, or is over: before it was found this time, and since; nothing else counts."""
    messages = (*said(DAY + 1, DAY, DAY - 1), *said(60, kind=NoticeKind.MASS), *said(30, kind=NoticeKind.LOOPING))
    known = loop(told_before=(T0 - DAY, T0 - 9000), messages=(*messages, *said(9, kind=NoticeKind.RECOVERED)))
    assert [T0 - at for at in told_at(known, now=T0)] == [9000, DAY - 1, 30, 9]


@pytest.mark.parametrize(("told", "reminded"), [(0, True), (2, True), (3, False), (4, False)])
def test_a_reminder_leaves_room_for_three_changes(told: int, reminded: bool) -> None:
    """Of the six messages that a day has."""
    assert may_remind(loop(messages=said(*range(told))), now=T0) is reminded


def test_who_was_told_four_times_a_day_is_not_told_of_its_end_until_one_of_them_is_a_day_old() -> None:
    """Then the six of a day are not too few for what may follow."""
    before = (T0 - 40_000, T0 - 30_000, T0 - 20_000, T0 - 10_000)
    for told, quiet in ((before, DAY - 40_000), (before[1:], 600.0), ((T0 - 50_000, *before), DAY - 40_000)):
        assert quiet_at(loop(told_before=told), POLICY) == T0 + quiet


PAST = Past(
    opened_at=T0 - 9000,
    openings=(T0 - 20_000, T0 - 9000),
    times=2,
    last_failure_at=T0 - 5000,
    longest_gap=70.0,
    deployment_id=DEPLOYMENT,
    closed_at=T0 - 4000,
    told_at=(T0 - 8000,),
)


def test_what_is_kept_of_a_loop_that_is_over() -> None:
    """For a day: its name, how often it was found, its pauses, and when people were told."""
    over_now = loop(openings=(T0 - 9000, T0 - 60), times=2, longest_gap=70.0, told_before=(T0 - DAY, T0 - 8000))
    assert closed(over_now, at=T0 + 600) == Past(
        opened_at=T0 - 60,
        openings=(T0 - 9000, T0 - 60),
        times=2,
        last_failure_at=T0,
        longest_gap=70.0,
        deployment_id=DEPLOYMENT,
        closed_at=T0 + 600,
        told_at=(T0 - 8000,),
    )


@pytest.mark.parametrize(
    ("past", "first_failure", "now", "gap", "again"),
    [
        (PAST, -4900, 0, 100.0, True),
        (PAST, -4990, 0, 70.0, True),
        (replace(PAST, longest_gap=9.0), -4990, 0, 30.0, True),
        (PAST, 9000, 9000, 7200.0, True),
        # Something else was deployed meanwhile: the pause was none.
        (replace(PAST, deployment_id=OLDER_DEPLOYMENT), 9000, 9000, 30.0, True),
        (PAST, DAY - 4000, DAY - 4000, 7200.0, True),
        (PAST, DAY - 3999, DAY - 3999, 30.0, False),
    ],
)
def test_a_loop_is_taken_up_again(past: Past, first_failure: float, now: float, gap: float, again: bool) -> None:
    """Within a day of its end, under its old name; the pause was one of its quiet times."""
    found = loop(opened_at=T0 + now, first_failure_at=T0 + first_failure)
    taken = taken_up(past, found, now=T0 + now)
    assert taken.openings == (T0 - 20_000, T0 - 9000, T0 + now)
    assert (taken.told_before, taken.longest_gap) == ((T0 - 8000,), gap)
    assert (taken.opened_at, taken.times) == ((past.opened_at, 3) if again else (T0 + now, 1))


def test_a_first_loop_has_no_past() -> None:
    """It is found once, and bears its own name; of many times the last three are known."""
    first = taken_up(None, loop(), now=T0)
    assert (first.openings, first.told_before, first.times, first.opened_at) == ((T0 - 60,), (), 1, T0 - 60)
    fourth = taken_up(replace(PAST, openings=(1.0, 2.0, 3.0)), loop(), now=T0)
    assert fourth.openings == (2.0, 3.0, T0 - 60)


def test_a_deployment_of_which_nothing_fails_may_be_the_fix() -> None:
    """The first one; not one more where others did not help, nor that which fails."""
    record = looping(depth=3, first_failure_at=T0, deployment_id=DEPLOYMENT)
    assert may_be_the_fix("ecs-svc/9", record)
    assert not may_be_the_fix(DEPLOYMENT, record)
    assert not may_be_the_fix("ecs-svc/9", looping(depth=3, first_failure_at=T0, deployment_id=""))
    twice = observed(crash_loop(3, start=300, deployment_id=OLDER_DEPLOYMENT), record=record)
    assert not may_be_the_fix("ecs-svc/9", twice)
    old = observed([task_failure(-9000, 300, deployment_id=OLDER_DEPLOYMENT)], record=record)
    assert may_be_the_fix("ecs-svc/9", old), "a task that lived for long says nothing of its deployment"
    again = looping(depth=3, first_failure_at=T0, deployment_id=DEPLOYMENT, times=2)
    assert not may_be_the_fix("ecs-svc/9", again)


def test_the_time_for_which_we_held_it_is_no_gap_of_its_loop() -> None:
    """Nothing can fail at 0: a try that fails after two hours, or a loop that goes on when it is back, is as before."""
    loop = looping(last_failure_at=T0 + 70, longest_gap=30.0)
    late = [task_failure(7270, 7290)]
    gaps = {}
    for name, record in (
        ("nobody", loop),
        ("held", replace(loop, trip=trip())),
        ("back", replace(loop, trips=(T0 + 90,))),
        ("held before", replace(loop, trips=(T0 + 60,))),
    ):
        found = observed(late, record=record).incident
        assert found is not None
        gaps[name] = found.longest_gap
    assert gaps == {"nobody": 7220, "held": 30, "back": 30, "held before": 7220}
