"""What failed is counted once each and shown from both ends, in bounded room, in whatever order it is told."""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopbreaker.model import Category, TaskFailure
from loopbreaker.remembering.history import (
    INTERVALS,
    LEAST_MARKS,
    LOOP_MARKS,
    MOST_MARKS,
    NO_FAILURES,
    SHOWN,
    Failed,
    History,
    add,
)
from tests.builders import DEPLOYMENT, T0, TASK_DEFINITION, crash_loop, looping, observed, task_failure


def at(seconds: float, **fields: Any) -> TaskFailure:
    return task_failure(seconds - 10, seconds, **fields)


def added(failures: Sequence[TaskFailure], *, size: int = 1, since: float = 0.0) -> History:
    """The history after these arrived in batches of this size."""
    history = NO_FAILURES
    for start in range(0, len(failures), size):
        history = add(history, failures[start : start + size], since=since)
    return history


@given(st.lists(st.integers(0, 40_000_000), min_size=1, max_size=30, unique=True), st.randoms(), st.integers(1, 10))
def test_any_order_and_any_batches_tell_the_same(seconds: list[int], random: Random, size: int) -> None:
    """The counts, their intervals and the failures that are shown do not depend on how they came."""
    failures = [at(second) for second in sorted(seconds)]
    told = added(failures)
    random.shuffle(failures)
    shuffled = added(failures, size=size)
    assert (shuffled.since, shuffled.width, shuffled.counts) == (told.since, told.width, told.counts)
    assert (shuffled.first, shuffled.failed_since(0)) == (told.first, len(seconds))
    assert [failed.at for failed in told.first] == [T0 + second for second in sorted(seconds)[:SHOWN]]
    assert [failed.at for failed in told.last] == [T0 + second for second in sorted(seconds)[SHOWN:][-SHOWN:]]


def test_each_failure_is_in_its_interval() -> None:
    """An interval is a minute long, and begins with the minute."""
    history = added([at(0), at(59), at(61), at(250)])
    assert (history.since, history.width, history.counts) == (T0, 60, (2, 1, 0, 0, 1))


@pytest.mark.parametrize(("failures", "width", "intervals"), [(48, 60, 48), (49, 120, 25), (97, 240, 25)])
def test_there_are_48_intervals_at_most(failures: int, width: float, intervals: int) -> None:
    """One more, and each is twice as long."""
    history = added([at(60 * n) for n in range(failures)])
    assert (history.width, len(history.counts), sum(history.counts)) == (width, intervals, failures)


def test_three_are_shown_from_either_end() -> None:
    """None twice, the newest last; and everything that is known of each."""
    history = added([at(60 * n, deployment_id=f"d{n}") for n in range(8)])
    assert [failed.deployment_id for failed in history.shown] == ["d0", "d1", "d2", "d5", "d6", "d7"]
    assert history.newest == history.last[-1]
    assert [failed.deployment_id for failed in added([at(60 * n, deployment_id="d") for n in range(2)]).shown] == [
        "d"
    ] * 2
    assert NO_FAILURES.newest is None
    only = added([at(0), at(60)])
    assert (only.newest, only.last) == (only.first[-1], ())
    (one,) = added([task_failure(5, 47, lifetime=40)]).shown
    assert one == Failed(
        at=T0 + 47,
        lifetime=40.0,
        category=Category.APP_CRASH,
        container="web",
        exit_code=1,
        evidence="exit code 1",
        task_definition=TASK_DEFINITION,
        deployment_id=DEPLOYMENT,
        created_at=T0 + 5,
    )


@pytest.mark.parametrize(("since", "failed"), [(0, 3), (59, 3), (60, 2), (119, 2), (120, 1), (179, 1), (180, 0)])
def test_how_many_failed_since(since: float, failed: int) -> None:
    """Those of the minute of that time, and of every later one."""
    assert added([at(0), at(60), at(120)]).failed_since(T0 + since) == failed


@pytest.mark.parametrize(("per_minute", "least"), [(1, 16), (2, 20), (10, 100), (60, 256)])
def test_the_tasks_of_ten_minutes_are_known_again(per_minute: int, least: int) -> None:
    """Sixteen at least, or 256 where there are more; never more than twice as many are remembered, and never 512."""
    failures = [at(60 * minute + n / per_minute) for minute in range(40) for n in range(per_minute)]
    history = NO_FAILURES
    for number in range(0, len(failures), per_minute):
        history = add(history, failures[number : number + per_minute], since=0)
        assert min(number + per_minute, least) <= len(history.marks) <= min(2 * least + per_minute, MOST_MARKS)


def test_a_batch_is_known_again_as_a_whole() -> None:
    """However rare failures were before it."""
    batch = [at(10_000 + n) for n in range(30)]
    history = add(added([at(0)]), batch, since=0)
    assert add(history, batch, since=0) is history


def test_a_loop_of_a_year_takes_no_more_room_than_one_of_an_hour() -> None:
    """Intervals double; nothing is lost from their sum."""
    history = added([at(6000 * n) for n in range(5256)], size=50)
    assert history.failed_since(0) == 5256
    assert INTERVALS / 2 <= len(history.counts) <= INTERVALS
    assert len(history.first) == len(history.last) == SHOWN
    assert len(history.marks) <= LEAST_MARKS + 50


@pytest.mark.parametrize("per_minute", [1, 30, 200])
def test_a_repetition_within_ten_minutes_is_not_counted(per_minute: int) -> None:
    """A message that failed is delivered again after six minutes: at up to 50 failures a minute it is known again."""
    history = NO_FAILURES
    for minute in range(30):
        history = add(history, [at(60 * minute + n / 10) for n in range(per_minute)], since=0)
    failed = at(1800)
    history = add(history, [failed], since=0)
    later = [at(1800 + 60 * n / per_minute) for n in range(1, min(10 * per_minute, MOST_MARKS // 2))]
    history = add(history, later, since=0)
    assert add(history, [failed, *later], since=0) is history
    assert len(history.marks) <= MOST_MARKS


def test_a_loop_that_is_known_remembers_fewer_tasks() -> None:
    """A record of a loop stays small however many tasks fail: a repetition among the next 24 is known again."""
    failures = crash_loop(30, slots=20)
    failures.sort(key=lambda failure: failure.failed_at)
    known = observed(failures, record=looping(failed_tasks=0))
    assert known.incident
    assert known.incident.failed_tasks == 600
    assert LOOP_MARKS / 2 <= len(known.incident.history.marks) <= LOOP_MARKS == 48
    again = observed(failures[-LOOP_MARKS // 2 :], record=known)
    assert again.incident
    assert again.incident.failed_tasks == 600


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[list[TaskFailure]], float]:
    """Batches of a day as they come, and the longest that one came late for the first time: some come again, whenever.

    Of one to 40 tasks that fail up to once in ten seconds each, with pauses.
    """
    random = Random(draw(st.integers(0, 10_000)))
    number, pause = draw(st.integers(2, 70)), draw(st.sampled_from([10.0, 30.0, 60.0, 280.0]))
    late = draw(st.sampled_from([0.0, 5.0, 120.0, 600.0, 3600.0]))
    together = draw(st.sampled_from([1, 1, 3, 20]))
    coming: list[tuple[float, TaskFailure]] = []
    moment = 0.0
    for n in range(number):
        moment += random.expovariate(1 / pause) * (n % together == 0)
        failed = at(moment, task_id=f"task-{n}")
        first = moment + random.uniform(0, late) * (random.random() < 0.2)
        again = [first + random.choice([1, 60, 590, 660, 3600, 7200, 80_000]) for _ in range(random.randrange(3))]
        coming += [(when, failed) for when in (first, *again)]
    in_order = [failed for _, failed in sorted(coming, key=lambda one: one[0])]
    batches, size = [], draw(st.integers(1, 30))
    while in_order:
        batches.append(in_order[:size])
        in_order = in_order[size:]
    return batches, late


def rarely(batches: Sequence[Sequence[TaskFailure]], within: float, most: int) -> bool:
    """Whether never more than so many tasks fail within such a time."""
    times = sorted({failed.task_id: failed.failed_at for batch in batches for failed in batch}.values())
    return all(later - times[n] > within for n, later in enumerate(times[most:]))


@settings(max_examples=60)
@given(deliveries(), st.sampled_from([LOOP_MARKS, MOST_MARKS]))
def test_what_comes_again_within_a_day_is_counted_once(day: tuple[list[list[TaskFailure]], float], most: int) -> None:
    """Never more than failed where no more fail in ten minutes than are known again; exactly so many where none came
    more than ten minutes late for the first time. Above that rate what comes again after ten minutes adds nothing."""
    batches, late = day
    history, seen = NO_FAILURES, set[str]()
    slow = rarely(batches, 1300, most // 2)
    for batch in batches:
        before = history.failed_since(0)
        fresh = {failed.task_id for failed in batch} - seen
        newest = max((failed.failed_at for failed in batch if failed.task_id in fresh), default=0.0)
        seen |= fresh
        history = add(history, batch, since=0, most=most)
        if slow:
            assert history.failed_since(0) <= len(seen)
            assert history.failed_since(0) == len(seen) or late > 600
        assert newest or history.failed_since(0) - before <= len({failed.task_id for failed in batch})


def test_hours_later_nothing_counts_again() -> None:
    """A day of a fast loop is delivered once more, in order and in batches: what is ten minutes old is not counted."""
    failures = crash_loop(1440, slots=3)
    failures.sort(key=lambda failure: failure.failed_at)
    for most in (LOOP_MARKS, MOST_MARKS):
        history = NO_FAILURES
        for first in range(0, len(failures), 10):
            history = add(history, failures[first : first + 10], since=0, most=most)
        assert history.failed_since(0) == len(failures)
        old = [failure for failure in failures if failure.failed_at < failures[-1].failed_at - 600]
        for first in range(0, len(old), 10):
            assert add(history, old[first : first + 10], since=0, most=most) is history


def test_after_the_end_nothing_counts_again() -> None:
    """A loop of 60 failures in its last ten minutes is delivered once more when nothing fails any more."""
    failures = [at(10 * n) for n in range(60)]
    history = NO_FAILURES
    for failure in failures:
        history = add(history, [failure], since=0, most=LOOP_MARKS, now=failure.failed_at)
    assert history.failed_since(0) == 60
    for failure in failures:
        assert add(history, [failure], since=0, most=LOOP_MARKS, now=T0 + 1210) is history
    # ECS itself said it late: where tasks drain for minutes it is no repetition.
    drained = at(95, late=900.0)
    assert add(history, [drained], since=0, most=LOOP_MARKS, now=T0 + 1000).failed_since(0) == 61


def test_one_task_that_failed_at_two_times_is_one_task() -> None:
    """Two events of a task may disagree about its times, in one batch and in two."""
    first, again = at(10, task_id="a"), at(20, task_id="a")
    assert added([first, again]).failed_since(0) == added([first, again], size=2).failed_since(0) == 1
    assert added([first, again], size=2).newest == added([again]).newest


def test_what_is_over_is_forgotten() -> None:
    """What failed before the chain began is no part of it, whether it was known before or comes late."""
    failures = [at(0), at(30), at(700), at(760)]
    known = add(added(failures), [], since=T0 + 700)
    for size in (1, 2, 4):
        late = added(failures, since=T0 + 700, size=size)
        assert known.failed_since(0) == late.failed_since(0) == 2
        assert known.counts == late.counts
    assert add(known, [at(31)], since=T0 + 700) is known
    assert [failed.at - T0 for failed in add(added([at(0), at(55), at(61)]), [], since=T0 + 60).shown] == [61]
    assert [failed.at - T0 for failed in add(added([at(0), at(60), at(61)]), [], since=T0 + 60).shown] == [60, 61]
    assert [failed.at - T0 for failed in (*known.first, *known.last)] == [700, 760]
    assert add(known, [failures[0]], since=T0 + 700) is known
    many = added([at(second) for second in (0, 1, 2, 70, 75, 80)])
    left = add(many, [], since=T0 + 75)
    assert (left.first, [failed.at - T0 for failed in left.last]) == ((), [75, 80])


def test_a_history_that_is_over_begins_anew() -> None:
    """Long intervals of a chain that ended do not blur the next."""
    long = added([at(600 * n) for n in range(2000)])
    anew = add(long, [at(2_000_000)], since=T0 + 1_999_000)
    assert (long.width > 60, anew.width, anew.counts) == (True, 60, (1,))
    failures = [at(0), at(60)]
    over = add(added(failures), [], since=T0 + 9000)
    assert (over.counts, add(over, failures, since=0)) == ((), over), "what is told again is known all the same"


def test_long_words_are_cut() -> None:
    """A reason of ECS may be long; the record is not."""
    (failed,) = added([at(0, evidence="x" * 1000)]).first
    assert failed.evidence == "x" * 160
