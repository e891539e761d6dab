"""What is asked of a service that is known to be flaky, and what words and numbers make a loop. Times after `T0`."""

from dataclasses import replace
from typing import Any

import pytest

from loopbreaker.judging.crowd import Well
from loopbreaker.judging.detection import confirm
from loopbreaker.judging.suspicion import assess
from loopbreaker.judging.unwell import Checked, Unwell, unwell
from loopbreaker.model import Category, TaskFailure
from loopbreaker.remembering.incident import Signal, Suspicion
from loopbreaker.remembering.record import Record, Storm
from tests.builders import DEPLOYMENT, OLDER_DEPLOYMENT, POLICY, SERVICE, T0, crash_loop, observed, task_failure


def deaths(*lifetimes: float, restart: float, **fields: Any) -> list[TaskFailure]:
    found, at = [], 0.0
    for lifetime in lifetimes:
        found.append(task_failure(at, at + lifetime, **fields))
        at += lifetime + restart
    return found


def suspected_after(failures: list[TaskFailure], *, before: float | None = None) -> int:
    """How many of the failures it takes, where a task that had lived for a day failed at `before`; 0 where none do."""
    record = Record(service=SERVICE)
    if before is not None:
        record = observed([task_failure(before - 86_400, before)])
    for number, failure in enumerate(failures, start=1):
        record = observed([failure], record=record)
        if record.suspicion:
            return number
    return 0


@pytest.mark.parametrize(("restart", "number"), [(85.0, 3), (84.9, 4), (55.0, 4), (54.9, 5), (25.0, 7)])
def test_a_flaky_service_may_have_an_outage_of_three_minutes(restart: float, number: int) -> None:
    """Tasks that live for five seconds are a loop at the third failure, but for what is known of the service."""
    failures = deaths(*[5.0] * 9, restart=restart)
    assert suspected_after(failures, before=-100) == number
    assert suspected_after(failures) == 3


@pytest.mark.parametrize(
    ("restart", "before", "number"),
    [
        (100.0, -100, 3),
        # Shorter than two outages, so that it may be one.
        (99.9, -100, 4),
        # Within a life and a gap before the first failure an old task may have died of its cause; not sooner.
        (100.0, -1105, 3),
        (100.0, -1106, 4),
    ],
)
def test_more_is_asked_of_a_service_whose_tasks_failed_before(restart: float, before: float, number: int) -> None:
    """Tasks that die after one to two minutes."""
    assert suspected_after(deaths(95.0, 60.0, 100.0, 80.0, 90.0, restart=restart), before=before) == number


def test_one_that_died_with_the_first_is_no_excuse_for_one_that_failed_long_before() -> None:
    """Any that did is enough to know that the service is flaky."""
    failures = deaths(95.0, 60.0, 100.0, 80.0, 90.0, restart=100.0)
    both = [task_failure(-90_000, -5000), task_failure(-90_001, -100)]
    record = observed(both)
    assert [observed(failures[:n], record=record).suspicion is not None for n in (3, 4)] == [False, True]


def test_slow_deaths_of_several_causes_are_judged_by_the_last_few() -> None:
    """An early one that was unlike them does not spoil the chain; four of 45 minutes are one."""
    causes = (Category.APP_CRASH, Category.KILLED)
    odd = task_failure(0, 200)
    slow = [task_failure(220 + 2730 * n, 2920 + 2730 * n, category=causes[n % 2]) for n in range(6)]
    assert suspected_after([odd, *slow]) == 5


SPANS = Storm(first=int(T0 // 300), failing=(1 << 40) - 1, tasks=1)


@pytest.mark.parametrize(
    ("fields", "signal", "since"),
    [
        ({"impaired": (T0, T0 + 60)}, Signal.IMPAIRED, 0),
        # Of tasks that find no place ECS says that it cannot start them, too.
        ({"impaired": (T0, T0 + 60), "unplaced": (T0,)}, None, 0),
        ({"unplaced": (T0, T0 + 450, T0 + 900)}, Signal.PLACEMENT, 0),
        ({"unplaced": (T0, T0 + 450, T0 + 899)}, None, 0),
        ({"unplaced": (T0, T0 + 900)}, None, 0),
        ({"storm": SPANS}, Signal.STORM, 0),
        ({"storm": replace(SPANS, tasks=20)}, None, 0),
        ({"storm": Storm(times=tuple(T0 + 600.0 * n + 7 for n in range(24)))}, Signal.STORM, 7),
    ],
)
def test_what_else_looks_like_a_loop(fields: dict[str, Any], signal: Signal | None, since: float) -> None:
    """What ECS says, and how often or how evenly something failed; since its beginning, without any generation."""
    expected = Suspicion(signal=signal, at=0.0, depth=0, since=T0 + since) if signal else None
    assert assess(Record(service=SERVICE, **fields), POLICY) == expected


# -- held against what ECS says -----------------------------------------------------------------------------


def suspected(signal: Signal, **fields: Any) -> Record:
    """A suspicion of `T0`, at which somebody is to look again."""
    said = Suspicion(signal=signal, at=T0, depth=3, since=T0)
    return replace(Record(service=SERVICE, suspicion=said, due_at=T0 + 5), **fields)


def confirmed(record: Record, desired: int | None, *started: float, after: float = 200.0) -> Record:
    running = [Well(created_at=T0 + at, started_at=T0 + at) for at in started]
    return confirm(record, desired_count=desired, policy=POLICY, now=T0 + after, well=running)


def test_where_ecs_does_not_answer_two_minutes_are_waited() -> None:
    """Then what was heard stands; but what only ECS can say is dropped, and looked at no more."""
    loop = observed(crash_loop(3, start=-70))
    assert loop.suspicion is not None
    loop = replace(loop, suspicion=replace(loop.suspicion, at=T0), due_at=T0 + 5)
    waiting = confirmed(loop, None, after=119)
    assert (waiting.due_at, waiting.incident) == (T0 + 120, None)
    assert confirmed(loop, None, after=120).incident is not None
    for record in (suspected(Signal.UNHEALTHY), suspected(Signal.IMPAIRED)):
        dropped = confirmed(record, None)
        assert (dropped.suspicion, dropped.due_at, dropped.incident) == (None, None, None)
    assert confirmed(suspected(Signal.IMPAIRED, impaired=(T0 - 60, T0)), None).incident is not None


def test_a_storm_is_held_against_the_number_of_tasks() -> None:
    """Forty spans in a row are one of a single task, and none of twenty: then that number is known from now on."""
    assert confirmed(suspected(Signal.STORM, storm=SPANS), 1).incident is not None
    for desired, known in ((20, 20), (None, 1_000_000)):
        many = confirmed(suspected(Signal.STORM, storm=SPANS), desired)
        assert (many.incident, many.suspicion, many.due_at, many.storm.tasks) == (None, None, None, known)
    even = Storm(times=tuple(T0 + 600.0 * n for n in range(24)))
    assert confirmed(suspected(Signal.STORM, storm=even), 20).incident is not None


@pytest.mark.parametrize(("started", "found"), [(-61, True), (-60, False), (-30, False), (0, False), (1, True)])
def test_a_task_that_started_between_two_words_of_ecs_ends_the_first(started: float, found: bool) -> None:
    """It sets the throttle back, where it runs; of what was said the newest stays."""
    after = confirmed(suspected(Signal.IMPAIRED, impaired=(T0 - 60, T0)), 1, started)
    assert (after.incident is not None) is found
    assert after.impaired == ((T0 - 60, T0) if found else (T0,))


@pytest.mark.parametrize(("started", "found"), [(59, True), (60, False), (3999, False), (4000, False), (4001, True)])
def test_a_task_that_started_while_others_did_not_ends_the_suspicion(started: float, found: bool) -> None:
    """Where ECS said nothing: since the first of them."""
    record = observed([task_failure(1620.0 * n, 1620.0 * n + 60, lifetime=0) for n in range(3)])
    assert (confirmed(record, 1, started, after=4000).incident is not None) is found


# -- health checks ------------------------------------------------------------------------------------------

SICK: dict[str, Any] = {"category": Category.ELB_HEALTH_CHECK}
RECORD = observed([task_failure(0, 1320, **SICK), task_failure(660, 1980, **SICK)])
NOW = T0 + 2000


def checked(created: float = 1320.0, **fields: Any) -> Checked:
    known = Checked(
        created_at=T0 + created, started_at=T0 + created, deployment_id=DEPLOYMENT, healthy=False, judged_at=T0 + 1980
    )
    return replace(known, **fields)


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ((), Unwell(2)),
        ((checked(),), Unwell(3)),
        ((checked(), checked(1330)), Unwell(3)),
        # The clocks of ECS and ours differ by ten seconds at most.
        ((checked(judged_at=NOW + 10),), Unwell(3)),
        ((checked(judged_at=NOW + 10.5),), Unwell(2, NOW + 10.5)),
        ((checked(judged_at=NOW + 90), checked(judged_at=NOW + 60)), Unwell(2, NOW + 60)),
        ((checked(judged_at=NOW + 60), checked()), Unwell(3, NOW + 60)),
        ((checked(healthy=True),), Unwell.WELL),
        ((checked(), checked(healthy=True)), Unwell.WELL),
        ((checked(healthy=True, deployment_id=OLDER_DEPLOYMENT), checked()), Unwell(3)),
        # Nothing is known of its health: it is well once it has outlived the longest of those that failed.
        ((checked(healthy=None, started_at=NOW - 1320),), Unwell(2)),
        ((checked(healthy=None, started_at=NOW - 1320.5),), Unwell.WELL),
        # Its replacement may have been started when a third of the life of the failed one was over.
        ((checked(1100.0),), Unwell(3)),
        ((checked(1099.0),), Unwell(2)),
    ],
)
def test_what_those_that_run_say(tasks: tuple[Checked, ...], expected: Unwell) -> None:
    """How many generations in a row are ill, and when the next is judged."""
    assert unwell(RECORD, tasks, policy=POLICY, now=NOW) == expected


def test_who_has_no_failed_health_check_is_not_asked_about() -> None:
    """Whatever runs."""
    assert unwell(Record(service=SERVICE), (checked(),), policy=POLICY, now=NOW) == Unwell.WELL
    assert Unwell(0) == Unwell.WELL
