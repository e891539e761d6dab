"""Chance in a crowd: many tasks start, a few of them fail, and what looks like a chain is none."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopbreaker.judging.crowd import Well, may_be_chance
from loopbreaker.judging.detection import confirm
from loopbreaker.judging.ladder import top
from loopbreaker.model import SignalKind, TaskFailure
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.rung import Ladder, Rung
from tests.builders import OLDER_DEPLOYMENT, POLICY, T0, climbed, crash_loop, depth, observed, signal, task_failure


def well(*created: float, after: float = 40) -> tuple[Well, ...]:
    """Tasks that run since so many seconds after their creation."""
    return tuple(Well(created_at=T0 + at, started_at=T0 + at + after) for at in created)


def told(failures: Sequence[TaskFailure], running: Sequence[Well], *, desired: int = 40) -> int:
    """After how many failures people are told, with ECS asked at each suspicion; 0 where they are not."""
    record = Record(service=failures[0].service)
    for number, failure in enumerate(failures, start=1):
        record = observed([failure], record=record)
        if record.suspicion:
            now = failure.failed_at + 1
            by_now = [task for task in running if task.started_at < now]
            record = confirm(record, desired_count=desired, well=by_now, policy=POLICY, now=now)
        if record.incident:
            return number
    return 0


def roll_out(seed: int, share: float) -> tuple[list[TaskFailure], tuple[Well, ...]]:
    """A task is created every two seconds for ten minutes; some die soon after they started, and their retry works."""
    rng = Random(seed)
    created = range(0, 600, 2)
    failing = [at for at in created if rng.random() < share]
    failures = [task_failure(at, at + 42, lifetime=2) for at in failing]
    again = [at + 42 + rng.uniform(5, 30) for at in failing]
    return failures, well(*(at for at in created if at not in failing), *again)


def test_a_roll_out_of_which_some_starts_fail_once_is_no_loop() -> None:
    """Who asks ECS puts it down to chance; who cannot takes it for a loop."""
    for seed in range(20):
        for share in (0.03, 0.1):
            failures, running = roll_out(seed, share)
            assert told(failures, running, desired=300) == 0
    assert told(roll_out(0, 0.1)[0], (), desired=300) > 0


def test_one_slot_that_loops_beside_healthy_ones_is_told_as_ever() -> None:
    """Tasks that were created before the first failure are no crowd."""
    assert told(crash_loop(12), well(*[0.0] * 39)) == 4


def test_a_slot_that_loops_during_a_roll_out_is_told_with_its_next_failures() -> None:
    """The crowd starts no more tasks once the roll-out is over; the slot does."""
    assert 4 < told(crash_loop(24), well(*range(0, 72, 2))) < 14


def test_where_most_starts_fail_nothing_is_chance() -> None:
    """Half of the slots loop while the others come up."""
    assert told(crash_loop(6, slots=10), well(*range(20, 30)), desired=20) <= 40


def test_what_has_not_outlived_the_failed_ones_does_not_run_well_yet() -> None:
    """Tasks that die after a minute: those that are younger say nothing."""
    loop = crash_loop(6, lifetime=60, restart=20)
    assert told(loop, well(*range(60, 400, 2), after=300)) == 4


@given(st.lists(st.floats(0, 900), max_size=60))
def test_who_runs_well_makes_no_loop(created: list[float]) -> None:
    """Nobody is told sooner for tasks that run."""
    loop = crash_loop(12, restart=60)
    alone, beside = told(loop, ()), told(loop, well(*created))
    assert beside == 0 or beside >= alone


def test_the_first_failure_of_another_deployment_is_none_of_a_chain() -> None:
    """Four deployments in a row whose first start fails are no loop; the second failure of one links the next."""
    ids = [f"ecs-svc/{number}" for number in range(4)]
    once = [task_failure(100.0 * n, 100 * n + 50, lifetime=0, deployment_id=i) for n, i in enumerate(ids)]
    assert depth(observed(once).fast) == 1
    twice = [task_failure(60, 90, lifetime=0, deployment_id=ids[0]), once[0], *once[1:]]
    assert depth(observed(sorted(twice, key=lambda f: f.failed_at)).fast) == 5
    unknown = [task_failure(100.0 * n, 100 * n + 50, lifetime=0, deployment_id="") for n in range(3)]
    assert depth(observed(unknown).fast) == 3
    assert OLDER_DEPLOYMENT not in ids


def test_what_ecs_said_before_a_task_started_is_over() -> None:
    """Two deployments that ECS could not start at first, with tasks of the first that run: two episodes, no loop."""
    record = observed(signals=[signal(0), signal(900)])
    assert record.suspicion is not None
    waiting = confirm(record, desired_count=1, well=well(100), policy=POLICY, now=T0 + 901)
    assert (waiting.incident, waiting.suspicion, waiting.impaired) == (None, None, (T0 + 900,))
    later = observed(signals=[signal(1000, SignalKind.START_IMPAIRED)], record=waiting)
    assert confirm(later, desired_count=1, well=well(100), policy=POLICY, now=T0 + 1001).incident
    assert confirm(record, desired_count=1, well=well(-500), policy=POLICY, now=T0 + 901).incident


def chain_of(generations: int, restart: float) -> tuple[Rung, Ladder]:
    ladder = climbed(crash_loop(generations, restart=restart))
    rung = top(ladder, POLICY.fast)
    assert rung is not None
    return rung, ladder


@pytest.mark.parametrize(
    ("generations", "restart", "failed", "least", "most"),
    [
        # Few failures beside the chain, and tasks that start so rarely that one after the other would hardly fail.
        (6, 70, 6, 7, 163),
        (10, 70, 13, 14, 346),
        (12, 200, 15, 16, 219),
        # Those that replace each other within 75 seconds are a chain for themselves.
        (8, 74, 8, None, None),
        (8, 76, 8, 9, None),
        # As many again that failed elsewhere: any of them may pass for a replacement.
        (8, 74, 20, 21, None),
        (12, 20, 12, None, None),
    ],
)
def test_how_large_a_crowd_hides_a_chain(
    generations: int, restart: float, failed: int, least: int | None, most: int | None
) -> None:
    """More tasks run than failed, and not so many more that so long a chain among them would be a wonder."""
    rung, ladder = chain_of(generations, restart)

    def chance(lived: int) -> bool:
        running = [Well(created_at=T0 + 20, started_at=T0 + 20)] * lived
        return may_be_chance(rung, ladder, POLICY.fast, failed=failed, well=running, now=T0 + 9000)

    assert not chance(failed)
    if least is None:
        assert not any(chance(lived) for lived in range(0, 3000, 50))
        return
    assert (chance(least - 1), chance(least)) == (False, True)
    assert most is None or (chance(most), chance(most + 1)) == (True, False)


def test_who_belongs_to_the_crowd() -> None:
    """Who was created since the chain began, and has outlived the longest life in it."""
    rung, ladder = chain_of(4, 20)
    since, longest, now = T0 + 10, 10, T0 + 500
    assert (rung.since, rung.longest) == (since, longest)
    for created, started, belongs in (
        (since, T0 + 20, True),
        (since - 0.1, T0 + 20, False),
        (since, now - longest - 0.1, True),
        (since, now - longest, False),
    ):
        running = [Well(created_at=created, started_at=started)] * 50
        assert may_be_chance(rung, ladder, POLICY.fast, failed=4, well=running, now=now) is belongs
