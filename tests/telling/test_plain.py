"""Times, spans, counts and money as people read them, at each edge; and what a restart is said to cost."""

import os
import time
from collections.abc import Iterator
from signal import Signals

import pytest

from loopbreaker.model import Category
from loopbreaker.remembering.incident import Signal
from loopbreaker.telling.advice import advice, meaning
from loopbreaker.telling.plain import count, dollars, iso, listed, span, time_of
from loopbreaker.telling.prices import burn
from tests.builders import T0


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A computer whose own time is nine hours ahead of UTC."""
    monkeypatch.setitem(os.environ, "TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
def test_times_are_utc_wherever_they_are_written() -> None:
    """Whatever the computer's own zone is."""
    assert (time_of(T0), iso(T0)) == ("2026-01-01 00:00 UTC", "2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 seconds"),
        (1, "1 second"),
        (89, "89 seconds"),
        (90, "2 minutes"),
        (7169, "119 minutes"),
        (7170, "2 h"),
        (6 * 3600 + 1200, "6 h 20 min"),
        (48 * 3600 - 31, "47 h 59 min"),
        (48 * 3600 - 30, "2 days"),
        (76 * 3600, "3 days 4 h"),
        (2000 * 3600, "83 days 8 h"),
    ],
)
def test_spans(seconds: float, words: str) -> None:
    """Two units at most."""
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0.0, "$0"),
        (0.0451, "$0.045"),
        (0.0999, "$0.1"),
        (0.1, "$0.10"),
        (0.149, "$0.15"),
        (1.2, "$1.20"),
        (9.99, "$9.99"),
        (10, "$10"),
        (10.4, "$10"),
        (1234.5, "$1,234"),
    ],
)
def test_sums(amount: float, words: str) -> None:
    """Two figures that mean something."""
    assert dollars(amount) == words


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), "none"),
        (("a",), "a"),
        (("a", "b"), "a and b"),
        (("a", "b", "c"), "a, b and c"),
        (("a", "b", "c", "d"), "a, b, c and 1 more"),
        (("a", "b", "c", "d", "e"), "a, b, c and 2 more"),
    ],
)
def test_lists(names: tuple[str, ...], words: str) -> None:
    """Of a long one the first, and how many more there are."""
    assert listed(names, most=3) == words


def test_counts() -> None:
    """One of it, or several."""
    assert (count(1, "task"), count(0, "task"), count(1200, "task")) == ("1 task", "0 tasks", "1,200 tasks")


@pytest.mark.parametrize(
    ("restarts", "seconds", "an_hour"), [(3, 600, 12), (2, 600, None), (3, 599, None), (7, 3600, 6), (3, -1, None)]
)
def test_a_rate_is_told_once_it_was_measured_for_ten_minutes(
    restarts: int, seconds: float, an_hour: float | None
) -> None:
    """Over three failures at least: so many restarts between the first and the last."""
    found = burn(restarts=restarts, seconds=seconds, category=Category.APP_CRASH)
    assert found.per_hour == an_hour
    assert (found.per_day is None) is (an_hour is None)
    assert an_hour is None or found.per_day == pytest.approx(an_hour * 24 * 0.057)


@pytest.mark.parametrize(
    ("category", "vcpu", "fargate", "sums"),
    [
        (Category.APP_CRASH, 0.0, False, [0.045, 0.012]),
        (Category.APP_CRASH, 1.0, False, [0.045, 0.012]),
        (Category.APP_CRASH, 0.0, True, [0.045, 0.012]),
        (Category.APP_CRASH, 1.0, True, [0.045, 0.012, 0.000_823]),
        (Category.IMAGE_PULL, 1.0, True, [0.012]),
        (Category.PLACEMENT, 1.0, True, []),
    ],
)
def test_what_a_restart_costs_at_most(category: Category, vcpu: float, fargate: bool, sums: list[float]) -> None:
    """A pull through a NAT gateway, items of AWS Config, a minute of Fargate: each where it may come about."""
    found = burn(restarts=3, seconds=600, category=category, vcpu=vcpu, gib=2.0, fargate=fargate)
    assert [part.per_restart for part in found.parts] == pytest.approx(sums, abs=1e-6)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "without an error"),
        (1, "the application chose"),
        (2, "wrong use of a command"),
        (125, "runtime could not run"),
        (126, "not executable"),
        (127, "not found"),
        (128, "not valid"),
        (129, "ended by signal 1"),
        (128 + Signals.SIGILL, "illegal instruction"),
        (128 + Signals.SIGTRAP, "ended by signal 5"),
        (128 + Signals.SIGABRT, "SIGABRT"),
        (128 + Signals.SIGBUS, "bus error"),
        (128 + Signals.SIGFPE, "arithmetic"),
        (128 + Signals.SIGKILL, "SIGKILL"),
        (128 + Signals.SIGSEGV, "SIGSEGV"),
        (128 + Signals.SIGTERM, "SIGTERM"),
        (159, "ended by signal 31"),
        (255, "lost container"),
    ],
)
def test_what_an_exit_code_means(code: int, words: str) -> None:
    """As shells and runtimes have it: 128 and the number of the signal."""
    assert words in meaning(code)


@pytest.mark.parametrize(
    ("code", "category", "by_ecs"),
    [
        (137, Category.ELB_HEALTH_CHECK, True),
        (143, Category.CONTAINER_HEALTH_CHECK, True),
        (1, Category.ELB_HEALTH_CHECK, False),
        (137, Category.OUT_OF_MEMORY, False),
    ],
)
def test_whom_ecs_stopped_was_not_killed_for_memory(code: int, category: Category, by_ecs: bool) -> None:
    """After a failed health check the code is that of ECS's own signal."""
    assert (meaning(code, category) == "ended by ECS, after its health check") is by_ecs


@pytest.mark.parametrize("code", [3, 124, 160, 254])
def test_about_most_exit_codes_nothing_is_usual(code: int) -> None:
    """Nothing is said of them."""
    assert meaning(code) == ""


def test_advice_goes_by_what_was_read_where_no_task_failed() -> None:
    """Whatever category the record has."""
    restarts = advice(Category.UNKNOWN, Signal.RESTARTS)
    assert "inside their tasks" in restarts.means
    assert restarts != advice(Category.UNKNOWN) != advice(Category.APP_CRASH)
    assert advice(Category.SPOT) == advice(Category.UNKNOWN)
