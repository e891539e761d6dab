"""The store of a replay: it keeps the contract, and forgets what a long recording does not need."""

import tracemalloc

import pytest

from loopbreaker.judging.detection import Evidence
from loopbreaker.record import Record
from loopbreaker.stories.ports import Table
from loopctl.memory import MemoryStore
from tests.store_contract import OTHERS, WEB, StoreContract, failed, looping
from tests.task_events import CREATED

HOUR = 3600.0


class TestMemoryStore(StoreContract):
    """Memory keeps the contract of a store."""

    @pytest.fixture
    def store(self) -> Table:
        return MemoryStore()


def test_old_failures_still_count() -> None:
    """Two days into a loop, the failures since it began are as many as there were."""
    store = MemoryStore()
    store.keep([failed(number, at=CREATED + number * 60) for number in range(2880)])
    newest = failed(2879, at=CREATED + 2879 * 60)
    assert store.evidence(WEB, since=CREATED) == Evidence(2880, newest)
    assert store.evidence(WEB, since=CREATED + 24 * HOUR) == Evidence(1440, newest)


def test_repeating_old_failures_changes_nothing() -> None:
    """A failure that became a number is not counted again when it is delivered again."""
    store = MemoryStore()
    failures = [failed(number, at=CREATED + number * 60) for number in range(600)]
    store.keep(failures)
    store.keep(failures)
    assert store.evidence(WEB, since=CREATED) == Evidence(600, failures[-1])


def test_a_long_loop_takes_little_memory() -> None:
    """Of the failures of three weeks, all but the last two hours take about eight bytes each."""
    store = MemoryStore()
    store.keep([failed(number, at=CREATED + number * 60) for number in range(300)])
    tracemalloc.start()
    for number in range(300, 30_000):
        store.keep([failed(number, at=CREATED + number * 60)])
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 30_000 * 12


def test_a_record_is_forgotten_when_it_has_nothing_left_to_say() -> None:
    """A quiet service goes with its failures after a day, a looping one stays."""
    store = MemoryStore()
    quiet = OTHERS[0]
    store.keep([failed(service=quiet)])
    store.save(Record(service=quiet, touched_at=CREATED))
    store.save(looping())
    store.forget(now=CREATED + 24 * HOUR)
    assert [record.service for record in store.records()] == [quiet, WEB]
    store.forget(now=CREATED + 24 * HOUR + 1)
    assert [record.service for record in store.records()] == [WEB]
    assert store.load(quiet) == Record(service=quiet)
    assert store.evidence(quiet, since=0) == Evidence()
