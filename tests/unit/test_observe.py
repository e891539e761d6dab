"""What a fold keeps of what it is told, and what a suspicion is held against: case by case, times after `T0`."""

from collections.abc import Sequence

import pytest

from loopbreaker.judging.crowd import Well
from loopbreaker.judging.detection import confirm, observe
from loopbreaker.judging.unwell import Checked
from loopbreaker.model import SignalKind, TaskFailure
from loopbreaker.remembering.history import History
from loopbreaker.remembering.incident import Signal, Suspicion
from loopbreaker.remembering.record import Record
from tests.builders import POLICY, SERVICE, T0, crash_loop, observed, signal, task_failure
from tests.unit.test_detection import opened

HOUR = 3600.0


def history_of(record: Record) -> History:
    return record.incident.history if record.incident else record.history


# -- what is history, and what is not -------------------------------------------------------------------------


@pytest.mark.parametrize(("at", "is_new"), [(-1.0, False), (0.0, False), (0.5, True)])
def test_what_was_read_of_before_the_last_incident_ended_is_history(at: float, is_new: bool) -> None:
    """As with everything that is told of before."""
    record = Record(service=SERVICE, history_until=T0)
    restarted = observe(record, restarted_at=[T0 + at], policy=POLICY, now=T0 + 9)
    empty = observe(record, empty_at=[T0 + at], policy=POLICY, now=T0 + 9)
    assert (restarted.restarted, empty.empty) == (((T0 + at,), (T0 + at,)) if is_new else ((), ()))
    assert (restarted is record, empty is record) == (not is_new, not is_new)


def test_a_service_that_runs_again_has_to_run_nothing_for_long_anew() -> None:
    """What was seen of it before it ran counts no more, once somebody looked."""
    record = Record(service=SERVICE)
    for at in (0.0, 900.0, 1800.0):
        record = observe(record, empty_at=[T0 + at], policy=POLICY, now=T0 + at)
    assert record.suspicion is not None
    well = [Checked(created_at=T0, started_at=T0, deployment_id="", healthy=None, judged_at=T0)]
    ran = confirm(record, desired_count=1, checked=well, policy=POLICY, now=T0 + 1801)
    assert (ran.suspicion, ran.empty) == (None, ())
    assert observe(ran, empty_at=[T0 + 2700], policy=POLICY, now=T0 + 2700).suspicion is None


def test_of_what_ecs_says_often_the_oldest_and_the_newest_are_kept() -> None:
    """Eight statements within the hour: for how long it has been so, and how it is now."""
    record = observed(signals=[signal(60.0 * n, SignalKind.PLACEMENT_FAILURE) for n in range(30)])
    assert [at - T0 for at in record.unplaced] == [0, *(60 * n for n in range(23, 30))]


def test_a_loop_keeps_its_failures_through_a_long_pause() -> None:
    """A chain that begins anew hours later is of the same loop, and its number of failed tasks only grows."""
    first = crash_loop(10)
    record = opened(first)
    again = observed(crash_loop(3, start=3 * HOUR), record=record)
    assert again.incident is not None
    assert again.incident.failed_tasks == 13
    assert again.incident.history.failed_since(T0) == 13


def test_without_a_chain_an_hour_is_kept() -> None:
    """Of tasks that lived long and fail now and then, what failed in the hour before the newest."""
    old = [task_failure(at - 9000, at) for at in (0.0, 2 * HOUR, 4 * HOUR - 3599, 4 * HOUR)]
    assert history_of(observed(old)).failed_since(0) == 2


def test_the_longer_of_two_chains_says_what_is_kept() -> None:
    """Slow generations before fast ones are part of what may become a loop."""
    slow = crash_loop(3, lifetime=2000, restart=30)
    fast = crash_loop(3, start=6100)
    assert history_of(observed([*slow, *fast])).failed_since(0) == 6


def test_of_a_loop_fewer_tasks_are_known_again() -> None:
    """Of 200 that failed within a minute every one, while nobody knows yet what it is; then the newest 48."""
    burst = [task_failure(200 + n / 100, 210 + n / 100) for n in range(200)]
    seen = observe(Record(service=SERVICE), failures=burst, policy=POLICY, now=T0 + 300)
    assert len(seen.history.marks) == 200
    known = observe(opened(crash_loop(3)), failures=burst, policy=POLICY, now=T0 + 300)
    assert len(history_of(known).marks) == 48


def test_a_failure_from_between_two_that_are_known_says_nothing_of_lateness() -> None:
    """The newest alone does, as it was first told."""
    record = observed([task_failure(0, 10), task_failure(40, 50, late=120.0)])
    assert record.late == 120
    assert observed([task_failure(20, 30, late=4000.0)], record=record).late == 120


# -- in a crowd -----------------------------------------------------------------------------------------------


def running(number: int, *, since: float = 20) -> list[Well]:
    return [Well(created_at=T0 + since, started_at=T0 + since)] * number


def asked(failures: Sequence[TaskFailure], *, well: Sequence[Well], desired: int, now: float) -> Record:
    record = observed(failures)
    assert record.suspicion is not None
    return confirm(record, desired_count=desired, well=well, policy=POLICY, now=T0 + now)


def test_in_a_crowd_each_further_generation_is_asked_about() -> None:
    """Three that failed in a row among a hundred that run may be chance; so the fourth is looked at, not the fifth."""
    waiting = asked(crash_loop(3, restart=100), well=running(100), desired=3, now=2000)
    assert (waiting.incident, waiting.suspicion, waiting.extra_generations) == (None, None, 1)
    assert asked(crash_loop(3, restart=100), well=(), desired=3, now=2000).incident


def test_a_crowd_asks_of_a_large_service_no_less_than_its_size() -> None:
    """Whose size asks for more generations than the crowd would."""
    needed = POLICY.fast.generations(5000)
    assert needed > 4
    waiting = asked(crash_loop(3, restart=100), well=running(100), desired=5000, now=2000)
    assert waiting.extra_generations == needed - POLICY.fast.depth


def test_each_chain_is_held_against_its_own_crowd() -> None:
    """A fast one may be chance though it follows slow failures, and a slow one though nothing failed fast."""
    slow = crash_loop(6, lifetime=1000, restart=30)
    fast = crash_loop(3, start=6180, restart=100)
    record = observed([*slow, *fast])
    assert record.suspicion is not None
    assert record.suspicion.signal is Signal.FAST
    crowd = [Well(created_at=T0 + 6200, started_at=T0 + 6200)] * 100
    assert confirm(record, desired_count=3, well=crowd, policy=POLICY, now=T0 + 6600).incident is None
    alone = observed(crash_loop(4, lifetime=1800, restart=500))
    assert alone.suspicion is not None
    assert alone.suspicion.signal is Signal.SLOW
    crowd = [Well(created_at=T0 + 1900, started_at=T0 + 1900)] * 60
    assert confirm(alone, desired_count=3, well=crowd, policy=POLICY, now=T0 + 30_000).incident is None
    assert confirm(alone, desired_count=3, well=(), policy=POLICY, now=T0 + 30_000).incident


def test_where_ecs_has_nothing_against_a_service_any_more_nothing_is_found() -> None:
    """A suspicion that it cannot start tasks, of which neither a statement nor a failed start is left."""
    suspicion = Suspicion(signal=Signal.IMPAIRED, at=T0, depth=0, since=T0)
    record = Record(service=SERVICE, suspicion=suspicion, due_at=T0)
    after = confirm(record, desired_count=2, policy=POLICY, now=T0 + 60)
    assert (after.incident, after.suspicion, after.due_at) == (None, None, None)


def test_what_ecs_said_more_than_an_hour_ago_is_forgotten() -> None:
    """However often it said so then."""
    record = observed(signals=[signal(at) for at in (0.0, 60.0, 3630.0, 3700.0)])
    assert [at - T0 for at in record.impaired] == [3630, 3700]
    assert observed(signals=[signal(0.0), signal(3600.0)]).impaired == (T0, T0 + 3600)


def test_one_statement_that_is_delivered_twice_is_one() -> None:
    """A second apart, whatever was said before; six seconds later it is another."""
    record = observed(signals=[signal(at) for at in (0.0, 900.0, 901.0, 905.0, 906.0)])
    assert [at - T0 for at in record.impaired] == [0, 900, 906]
