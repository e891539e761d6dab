"""How often people are told of one service: at most six times within a day that it loops, loops on, or recovered. Pure.

What we do to a service is told besides, each time, and counted nowhere here.
"""

from dataclasses import replace

from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.notice import OF_THE_LOOP, NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record

DAY = 86_400.0
_MOST = 6
# So many messages of a day leave room for that it is over, that it loops again, and that it has become worse.
_LEAVE_ROOM = 3
# In `told`: that it loops is told as soon as there is room for it.
_KEPT_BACK = "kept-back"


def told_at(incident: Incident, *, now: float) -> tuple[float, ...]:
    """When people were told within the last day that the service loops, loops on, or does not any more."""
    of_it = (message.at for message in incident.messages if message.kind in OF_THE_LOOP)
    return tuple(at for at in (*incident.told_before, *of_it) if at > now - DAY)


def may_remind(incident: Incident, *, now: float) -> bool:
    """Whether people were told so little within the last day that a reminder is not too much."""
    return len(told_at(incident, now=now)) < _LEAVE_ROOM


def room_for_more_at(incident: Incident) -> float:
    """From when on that it is over leaves room for more; 0 where it does now."""
    told = told_at(incident, now=incident.found_at)
    return told[-_LEAVE_ROOM - 1] + DAY if len(told) > _LEAVE_ROOM else 0.0


def say_that_it_loops(record: Record, *, at: float, reason: str, kind: NoticeKind = NoticeKind.LOOPING) -> Record:
    """The record with the message owed; where people were told too often, it waits until there is room."""
    incident = record.incident
    assert incident is not None
    told = tuple(code for code in incident.told if code != _KEPT_BACK)
    if incident.silent or len(told_at(incident, now=at)) < _MOST:
        record = replace(record, incident=replace(incident, told=told))
        return tell(record, kind, at=at, reason=reason)
    return replace(record, incident=replace(incident, told=(*told, _KEPT_BACK)))


def is_kept_back(incident: Incident) -> bool:
    """Whether people are still to be told that it loops."""
    return _KEPT_BACK in incident.told


def say_that_it_is_over(record: Record, *, at: float, reason: str) -> Record:
    """The record with the message owed, unless nobody was told that it loops, or all too often what it does."""
    incident = record.incident
    assert incident is not None
    if is_kept_back(incident) or len(told_at(incident, now=at)) >= _MOST:
        return record
    return tell(record, NoticeKind.RECOVERED, at=at, reason=reason)
