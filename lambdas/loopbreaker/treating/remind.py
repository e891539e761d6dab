"""Reminders of a loop that goes on: after one hour, four, a day, and then once a day. Pure."""

from dataclasses import replace

from loopbreaker.judging.ration import may_remind, say_that_it_loops
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import BreakerState

_HOUR, _DAY = 3600.0, 86_400.0
_QUIET = 1800.0
_FIRST = (_HOUR, 4 * _HOUR)
# In `told`: one summary stands for this incident and many others.
IN_SUMMARY = "in-summary"


def in_summary(incident: Incident | None) -> bool:
    """Whether nobody was told of this loop by itself."""
    return incident is not None and IN_SUMMARY in incident.told


def out_of_summary(record: Record, *, now: float) -> Record:
    """A loop that goes on where few others still do: told of by itself from now on."""
    assert record.incident is not None
    told = tuple(code for code in record.incident.told if code != IN_SUMMARY)
    alone = replace(record, incident=replace(record.incident, told=told))
    why = _why(now - record.incident.found_at)
    return say_that_it_loops(alone, at=now, reason=why, kind=NoticeKind.STILL_LOOPING)


def remind(record: Record, *, now: float) -> Record:
    """The record with a reminder owed, where one is due; of several that are overdue one is told.

    Nobody is reminded of what was told often within the last day, of what somebody has acknowledged or asked to be
    silent about, of one loop of a great many, or of a service that cannot be brought back: that has a daily message of
    its own. Of a service whose count somebody else seems to have set nothing is said until that is sure.
    """
    incident = record.incident
    if incident is None:
        return record
    due = _due(now - incident.found_at)
    odd = record.trip is not None and record.trip.odd_at > 0
    if due <= incident.reminded or odd or _quiet(record, incident, now):
        return record
    marked = replace(record, incident=replace(incident, reminded=due))
    down = record.trip is not None and record.trip.down
    if incident.acknowledged or down or not may_remind(incident, now=now) or IN_SUMMARY in incident.told:
        return marked
    return tell(marked, NoticeKind.STILL_LOOPING, at=now, reason=_why(now - incident.found_at))


def _quiet(record: Record, incident: Incident, now: float) -> bool:
    """Whether nothing has failed for a while, of a service that may: it is perhaps over, and not said to loop on."""
    quiet = now - incident.last_failure_at
    return record.breaker is BreakerState.CLOSED and quiet > max(_QUIET, 2 * incident.longest_gap)


def _due(age: float) -> int:
    """How many reminders belong to a loop of that age."""
    return sum(age >= at for at in _FIRST) + int(age // _DAY)


def _why(age: float) -> str:
    return f"it was found {ago(age)} and is not over"


def ago(age: float) -> str:
    """How long ago a loop was found: hours at first, days later."""
    hours = int(age // _HOUR)
    if hours < 48:
        return f"{hours} {'hour' if hours == 1 else 'hours'} ago"
    return f"{int(age // _DAY)} days ago"
