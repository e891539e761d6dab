"""A process that remembers what it saved: fewer reads, and never a record that somebody else has changed."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopbreaker.model import ServiceRef
from loopbreaker.policy import Policy
from loopbreaker.remembering.record import Record
from loopbreaker.stories.detect import Observation, detect
from loopbreaker.stories.saving import Memory
from tests.builders import SERVICE, T0, crash_loop

FAILURES = crash_loop(12)


@dataclass
class Books:
    """A table: what is stored, and the calls that were made."""

    records: dict[ServiceRef, Record] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    away: bool = False

    def load(self, service: ServiceRef) -> Record:
        self.calls.append("read")
        return self.records.get(service, Record(service=service))

    def save(self, record: Record) -> bool:
        if self.away:
            raise TimeoutError
        stored = self.records.get(record.service)
        taken = record.version == (stored.version if stored else 0)
        self.calls.append("write" if taken else "refused")
        if taken:
            self.records[record.service] = replace(record, version=record.version + 1)
        return taken

    def counted(self) -> int:
        record = self.records[SERVICE]
        return sum((record.incident.history if record.incident else record.history).counts)


def _detect(n: int, books: Books, memory: Memory, *, now: float | None = None) -> None:
    failure = FAILURES[n]
    at = failure.failed_at + 1 if now is None else now
    detect([Observation(SERVICE, failure)], store=books, policy=Policy(), now=at, memory=memory)


def test_who_saves_alone_soon_reads_no_more() -> None:
    """From the sixth failure of a service on a process that nobody comes before makes one call for each."""
    books, memory = Books(), Memory()
    for n in range(8):
        _detect(n, books, memory)
    assert books.calls == ["read", "write"] * 5 + ["write"] * 3
    assert books.counted() == 8


def test_processes_in_turn_read_each_time() -> None:
    """Of two that save in turn none tries what the other has changed: a write that is refused is paid for."""
    books, memories = Books(), (Memory(), Memory())
    for n in range(12):
        _detect(n, books, memories[n % 2])
    assert books.calls == ["read", "write"] * 12
    assert books.counted() == 12


def test_what_another_saved_is_kept() -> None:
    """A process that was alone for long, and then is not, folds into what the other has saved."""
    books, mine, other = Books(), Memory(), Memory()
    for n in range(7):
        _detect(n, books, mine)
    _detect(7, books, other)
    books.calls.clear()
    _detect(8, books, mine)
    assert books.calls == ["refused", "read", "write"]
    assert books.counted() == 9


def test_that_nothing_is_new_is_read_in_the_table() -> None:
    """A failure that comes again is looked up, and changes nothing; its record may have been deleted meanwhile."""
    books, memory = Books(), Memory()
    for n in range(7):
        _detect(n, books, memory)
    books.calls.clear()
    _detect(6, books, memory)
    assert books.calls == ["read"]
    books.records.clear()
    _detect(6, books, memory)
    assert books.counted() == 1


def test_what_is_old_is_read_again() -> None:
    """After a quarter of an hour nothing is remembered: a record that the table forgot and began anew is not."""
    books, memory = Books(), Memory()
    for n in range(7):
        _detect(n, books, memory)
    for n, after, calls in ((7, 900, ["write"]), (8, 1801, ["read", "write"])):
        books.calls.clear()
        _detect(n, books, memory, now=FAILURES[6].failed_at + after)
        assert books.calls == calls


def test_what_was_saved_from_memory_is_told_as_any_change() -> None:
    """Its record before and after."""
    books, memory = Books(), Memory()
    read = detect([Observation(SERVICE, FAILURES[0])], store=books, policy=Policy(), now=T0 + 60, memory=memory)
    assert read is not None
    assert (read.before, replace(read.after, version=1)) == (Record(service=SERVICE), books.records[SERVICE])
    for n in range(1, 6):
        _detect(n, books, memory)
    before = books.records[SERVICE]
    failure = FAILURES[6]
    done = detect(
        [Observation(SERVICE, failure)], store=books, policy=Policy(), now=failure.failed_at + 1, memory=memory
    )
    assert done is not None
    assert (done.before, replace(done.after, version=before.version + 1)) == (before, books.records[SERVICE])


def test_a_save_that_fails_leaves_nothing_to_remember() -> None:
    """Whether it was done is not known, so it is read."""
    books, memory = Books(), Memory()
    for n in range(7):
        _detect(n, books, memory)
    books.away = True
    with pytest.raises(TimeoutError):
        _detect(7, books, memory)
    books.away = False
    books.calls.clear()
    _detect(7, books, memory)
    assert books.calls == ["read", "write"]
    assert books.counted() == 8


def test_no_process_remembers_without_bound() -> None:
    """Of a thousand services the latest five hundred are remembered, each with what it needs and no more."""
    memory = Memory()
    for n in range(1000):
        memory.keep(
            Record(service=ServiceRef("arn:aws:ecs:eu-west-1:123456789012:cluster/c", f"s{n}")), unchanged=9, now=T0
        )
    known = [
        n
        for n in range(1000)
        if memory.take(ServiceRef("arn:aws:ecs:eu-west-1:123456789012:cluster/c", f"s{n}"), now=T0)
    ]
    assert known == [*range(500, 1000)]


@given(
    told=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 2)), min_size=1, max_size=40),
)
def test_however_it_is_told_each_failure_counts_once(told: list[tuple[int, int]]) -> None:
    """Failures in any order, repeated, and through any of three processes: as many are counted as there were."""
    books, memories = Books(), [Memory() for _ in range(3)]
    now = FAILURES[-1].failed_at + 1
    for n, process in told:
        _detect(n, books, memories[process], now=now)
    assert books.counted() == len({n for n, _ in told})
