"""Tasks that never start, too far apart for a chain."""

import pytest

from loopbreaker.judging.crowd import Well
from loopbreaker.judging.detection import confirm
from loopbreaker.judging.starts import failed_starts
from loopbreaker.model import TaskFailure
from loopbreaker.remembering.incident import Signal
from tests.builders import OLDER_DEPLOYMENT, POLICY, T0, climbed, observed, task_failure

WAIT = 1620.0


def attempts(number: int, *, apart: float = WAIT) -> list[TaskFailure]:
    """ECS tries again after so many seconds, and each time the task does not start."""
    return [task_failure(n * apart, n * apart + 60, lifetime=0) for n in range(number)]


def test_three_starts_that_fail_while_ecs_throttles_are_a_loop() -> None:
    """Also where nobody delivers what ECS says of the service."""
    assert observed(attempts(2)).suspicion is None
    record = observed(attempts(3))
    assert record.suspicion is not None
    told = confirm(record, desired_count=1, policy=POLICY, now=T0 + 2 * WAIT + 61)
    assert told.incident is not None
    assert (told.incident.signal, told.incident.longest_gap) == (Signal.IMPAIRED, WAIT)
    assert (told.incident.first_failure_at, told.incident.failed_tasks) == (T0 + 60, 3)


@pytest.mark.parametrize(("started", "told"), [(-9.0, True), (WAIT, False), (2 * WAIT + 61, False)])
def test_a_task_that_started_meanwhile_and_runs_is_proof_that_they_do_start(started: float, told: bool) -> None:
    """ECS throttles a service as a whole; one that runs since before says nothing."""
    running = (Well(created_at=T0 + started, started_at=T0 + started),)
    after = confirm(observed(attempts(3)), desired_count=2, well=running, policy=POLICY, now=T0 + 2 * WAIT + 62)
    assert (after.incident is not None) == told
    assert after.suspicion is None


def test_where_ecs_cannot_be_asked_nothing_is_concluded() -> None:
    """A recording does not know what started."""
    after = confirm(observed(attempts(3)), desired_count=None, policy=POLICY, now=T0 + 9000)
    assert (after.incident, after.suspicion) == (None, None)


@pytest.mark.parametrize(
    "failures",
    [
        [*attempts(2), task_failure(2 * WAIT, 2 * WAIT + 60, lifetime=5)],
        [*attempts(2), task_failure(2 * WAIT, 2 * WAIT + 60, lifetime=0, deployment_id=OLDER_DEPLOYMENT)],
        attempts(3, apart=2200),
        attempts(3, apart=599),
    ],
    ids=["one started", "another deployment", "too far apart", "at once"],
)
def test_what_is_no_series_of_starts(failures: list[TaskFailure]) -> None:
    """One that started, one of another deployment, a pause longer than ECS makes, a few within minutes."""
    record = observed(failures)
    assert record.suspicion is None or record.suspicion.signal is not Signal.IMPAIRED


@pytest.mark.parametrize(("apart", "told"), [(599.0, False), (600.0, True), (2100.0, True), (2101.0, False)])
def test_how_far_apart_three_starts_may_be(apart: float, told: bool) -> None:
    """Twenty minutes in all at least, and no longer from one to the next than ECS ever waits."""
    ladder = climbed(attempts(3, apart=apart), POLICY.slow)
    assert failed_starts(ladder) == (tuple(T0 + n * apart + 60 for n in range(3)) if told else ())


def test_of_many_starts_those_since_the_last_that_worked_count() -> None:
    """Two after it are too few, however many were before."""
    worked = task_failure(2 * WAIT + 100, 2 * WAIT + 160, lifetime=5)
    for after, told in ((2, 0), (3, 3)):
        later = [task_failure((3 + n) * WAIT, (3 + n) * WAIT + 60, lifetime=0) for n in range(after)]
        assert len(failed_starts(climbed([*attempts(3), worked, *later], POLICY.slow))) == told
    assert failed_starts(()) == ()
