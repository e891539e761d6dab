"""The store of a replay: it keeps the contract, and forgets what a long recording does not need."""

import pytest

from loopbreaker.remembering.record import Record
from loopbreaker.stories.ports import Incidents
from loopctl.memory import MemoryStore
from tests.store_contract import OTHERS, WEB, StoreContract, looping
from tests.task_events import CREATED

HOUR = 3600.0


class TestMemoryStore(StoreContract):
    """Memory keeps the contract of a store."""

    @pytest.fixture
    def store(self) -> Incidents:
        return MemoryStore()


def test_a_record_is_forgotten_when_it_has_nothing_left_to_say() -> None:
    """A quiet service goes after a day, a looping one stays."""
    store = MemoryStore()
    quiet = OTHERS[0]
    store.save(Record(service=quiet, touched_at=CREATED))
    store.save(looping())
    store.forget(now=CREATED + 24 * HOUR)
    assert [record.service for record in store.records()] == [quiet, WEB]
    store.forget(now=CREATED + 24 * HOUR + 1)
    assert [record.service for record in store.records()] == [WEB]
    assert store.load(quiet) == Record(service=quiet)
