"""What is remembered of how long failed tasks lived: nobody who may have served is forgotten within a day."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopbreaker.judging.lived import LEAST, remember, served_until
from loopbreaker.model import Category, TaskFailure
from loopbreaker.remembering.record import Lived
from tests.builders import DEPLOYMENT, OLDER_DEPLOYMENT, T0, task_failure

lives = st.lists(st.tuples(st.integers(0, 86_000), st.floats(0, 5000)), max_size=60)


def failed(at: float, lifetime: float, **fields: object) -> TaskFailure:
    return task_failure(at - lifetime, at, lifetime=lifetime, **fields)


@given(lives, st.floats(LEAST, 4000), st.integers(1, 7))
def test_who_may_have_served_is_remembered(tasks: list[tuple[int, float]], bound: float, size: int) -> None:
    """Whatever comes in whatever parts, the newest task that lived longer than a bound is never forgotten."""
    known: tuple[Lived, ...] = ()
    for start in range(0, len(tasks), size):
        known = remember(known, [failed(at, lifetime) for at, lifetime in tasks[start : start + size]])
    truth = max((T0 + at for at, lifetime in tasks if lifetime > max(bound, LEAST)), default=0.0)
    assert served_until(known, serving_after=bound) >= truth
    assert len(known) <= 12


@given(lives)
def test_nobody_is_made_up(tasks: list[tuple[int, float]]) -> None:
    """Where every task lived for less than the bound and its step, nobody served."""
    short = [(at, min(lifetime, 60.0)) for at, lifetime in tasks]
    assert served_until(remember((), [failed(at, life) for at, life in short]), serving_after=60) == 0.0


@given(st.lists(st.floats(40, 60), min_size=30, max_size=200))
def test_an_old_long_life_does_not_grow_younger(lifetimes: list[float]) -> None:
    """The tasks that ran well before the loop are no sign that it serves in between, however long it goes on."""
    known = remember((), [failed(0, 7200.0)])
    for n, lifetime in enumerate(lifetimes):
        known = remember(known, [failed(60 * (n + 1), lifetime)])
    assert served_until(known, serving_after=60) == T0


def test_repetition_changes_nothing() -> None:
    """A failure that is delivered again is the same one, and leaves the very same memory."""
    failures = [failed(at, life) for at, life in ((0, 300.0), (60, 20.0), (120, 90.0))]
    known = remember((), failures)
    assert remember(known, failures) is known
    assert remember(remember((), failures[::-1]), failures[:1]) == known


def test_who_never_served() -> None:
    """A task that ECS stopped for its health, or that lived for a moment, did not serve."""
    sick = failed(0, 900.0, category=Category.ELB_HEALTH_CHECK)
    assert remember((), [sick, failed(1, LEAST)]) == ()


def test_who_did_its_work() -> None:
    """A task that ended with exit code 0 after a few seconds of work is taken for one that served, by any bound."""
    done = remember((), [failed(0, LEAST + 1, category=Category.CLEAN_EXIT)])
    assert served_until(done, serving_after=3600) == T0
    assert remember((), [failed(0, LEAST, category=Category.CLEAN_EXIT)]) == ()


def test_by_deployment() -> None:
    """For a rollback only the deployment in progress is asked for."""
    known = remember((), [failed(0, 900.0, deployment_id=OLDER_DEPLOYMENT), failed(60, 20.0)])
    assert served_until(known, serving_after=60) == T0
    assert served_until(known, serving_after=60, deployment_id=DEPLOYMENT) == 0.0
    assert served_until(known, serving_after=60, deployment_id=OLDER_DEPLOYMENT) == T0


def test_a_day_is_remembered() -> None:
    """What failed more than a day before the newest one is forgotten."""
    assert served_until(remember((), [failed(0, 900.0), failed(86_401, 20.0)]), serving_after=60) == 0.0
    assert served_until(remember((), [failed(1, 900.0), failed(86_401, 20.0)]), serving_after=60) == T0 + 1


@pytest.mark.parametrize(
    ("lifetime", "told"),
    [
        (10.0, None),
        (10.1, 12.58),
        (48.0, 48.0),
        (48.1, 60.0),
        (60.0, 60.0),
        (60.1, 75.0),
        (75.0, 75.0),
        (3600.0, 4163.34),
    ],
)
def test_lives_are_told_in_steps(lifetime: float, told: float | None) -> None:
    """A minute, and a quarter more or less for each: never less than it was, and a step itself as it is."""
    known = remember((), [failed(0, lifetime)])
    assert [one.lifetime for one in known] == ([] if told is None else [pytest.approx(told, abs=0.01)])
    for bound in (lifetime, lifetime - 0.01):
        assert (served_until(known, serving_after=bound) == T0) is (told is not None and told > bound)


def test_who_ended_without_an_error_served_for_an_hour() -> None:
    """As far as anybody can tell; and for longer where it ran for longer."""
    for lifetime, bound, served in ((11.0, 3600.0, True), (11.0, 4337.0, False), (9000.0, 8999.0, True)):
        done = remember((), [failed(0, lifetime, category=Category.CLEAN_EXIT)])
        assert (served_until(done, serving_after=bound) == T0) is served


def test_who_outlived_all_later_ones_is_kept() -> None:
    """The others are forgotten, those of another deployment apart; the newest first."""
    lives = ((0, 900.0), (60, 300.0), (120, 500.0), (180, 500.0), (240, 100.0))
    known = remember((), [failed(at, life) for at, life in lives])
    assert [one.failed_at - T0 for one in known] == [240, 180, 0]
    both = remember(known, [failed(90, 50.0, deployment_id=OLDER_DEPLOYMENT)])
    assert [one.failed_at - T0 for one in both] == [240, 180, 90, 0]


def test_at_most_twelve_are_kept() -> None:
    """Of more the two oldest are told as one: as late as the later, and as long as the longer."""
    lives = [failed(100.0 * n, 60 * 1.25 ** (20 - n)) for n in range(13)]
    twelve, thirteen = remember((), lives[:12]), remember((), lives)
    assert [one.failed_at - T0 for one in twelve] == [100.0 * n for n in range(11, -1, -1)]
    assert [one.failed_at - T0 for one in thirteen] == [100.0 * n for n in range(12, 0, -1)]
    assert thirteen[-1].lifetime == twelve[-1].lifetime
    assert served_until(thirteen, serving_after=5000) == T0 + 100, "in doubt somebody was served, and later"
