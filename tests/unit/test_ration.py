"""How often people are told of one service within a day: six times, and what waits for room is not lost."""

from dataclasses import replace

import pytest

from loopbreaker.judging.ration import is_kept_back, say_that_it_is_over, say_that_it_loops, told_at
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record
from tests.builders import T0, looping

DAY = 86_400.0
SIX = tuple(T0 - age for age in (86_399.0, 50_000.0, 40_000.0, 30_000.0, 20_000.0, 10_000.0))


def told(record: Record) -> list[tuple[str, float, str]]:
    return [(notice.kind.value, notice.at, notice.reason) for notice in record.notices]


def incident_of(record: Record) -> Incident:
    assert record.incident is not None
    return record.incident


def loops(record: Record, *, at: float = T0) -> Record:
    return say_that_it_loops(record, at=at, reason="it fails")


def is_over(record: Record) -> Record:
    return say_that_it_is_over(record, at=T0, reason="all 2 tasks run")


@pytest.mark.parametrize(
    ("before", "is_told"), [((), True), (SIX[1:], True), (SIX, False), ((T0 - DAY, *SIX[1:]), True)]
)
def test_nobody_is_told_a_seventh_time_within_a_day(before: tuple[float, ...], is_told: bool) -> None:
    """That it loops waits, that it is over is left out; what is a day old counts no more."""
    record = looping(told_before=before)
    assert told(loops(record)) == ([("looping", T0, "it fails")] if is_told else [])
    assert told(is_over(record)) == ([("recovered", T0, "all 2 tasks run")] if is_told else [])
    assert is_kept_back(incident_of(loops(record))) is not is_told
    assert is_kept_back(incident_of(is_over(record))) is False


def test_what_waits_is_told_once_when_there_is_room() -> None:
    """However often it would have been told meanwhile; what else was told of the incident is remembered."""
    kept = loops(loops(looping(told_before=SIX, told=("deploying",)), at=T0 - 1))
    assert incident_of(kept).told == ("deploying", "kept-back")
    later = loops(kept, at=T0 + 1)
    assert told(later) == [("looping", T0 + 1, "it fails")]
    assert incident_of(later).told == ("deploying",)
    reminder = say_that_it_loops(looping(), at=T0, reason="it fails", kind=NoticeKind.STILL_LOOPING)
    assert told(reminder) == [("still-looping", T0, "it fails")]


def test_who_was_not_told_that_it_loops_is_not_told_that_it_is_over() -> None:
    """Though there is room again by then."""
    kept = loops(looping(told_before=SIX))
    free = replace(kept, incident=replace(incident_of(kept), told_before=()))
    assert told(is_over(free)) == []


def test_for_an_owner_who_asked_for_silence_nothing_waits() -> None:
    """Neither is anything told; when the silence ends they are told how it is then."""
    silent = loops(looping(silent=True, told_before=SIX))
    assert (told(silent), is_kept_back(incident_of(silent))) == ([], False)


def test_of_messages_that_are_forgotten_it_is_known_when_they_were_told() -> None:
    """Six at either end of an incident are kept; of those between, when people heard of the loop, each once."""
    record = looping()
    kinds = (NoticeKind.STILL_LOOPING, NoticeKind.STOPPED)
    for n in range(20):
        record = tell(record, kinds[n % 2], at=T0 + n, reason="it was so")
    incident = incident_of(record)
    assert [message.at - T0 for message in incident.messages] == [*range(6), *range(14, 20)]
    assert incident.told_before == tuple(T0 + n for n in (6, 8, 10, 12))
    assert [at - T0 for at in sorted(told_at(incident, now=T0 + 30))] == [*range(0, 20, 2)]
