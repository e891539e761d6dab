"""A record owes its messages: they are added here, and `notify` reads from a saved change which are new."""

from dataclasses import replace

from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.notice import OF_THE_LOOP, Notice, NoticeKind, Told
from loopbreaker.remembering.record import Record

# A notice is read by the one stream record that brings it; a few more help the person who looks at the table.
_KEPT_NOTICES = 4
# Messages of an incident that are kept at either end, and characters of each one's reason.
_KEPT_MESSAGES, _KEPT_REASON = 6, 120


def tell(record: Record, kind: NoticeKind, *, at: float, reason: str, services: int = 0) -> Record:
    """The record with one more message owed, unless the owner of the service asked for silence."""
    if record.incident and record.incident.silent:
        return record
    number = record.notices[-1].number + 1 if record.notices else 1
    version = record.version + 1
    notice = Notice(number=number, kind=kind, at=at, reason=reason, version=version, services=services)
    notices = (*record.notices, notice)
    told = replace(record, notices=notices[-_KEPT_NOTICES:])
    return replace(told, incident=_remember(record.incident, Told(at, kind, reason))) if record.incident else told


def untell(record: Record, notices: tuple[Notice, ...]) -> Record:
    """The record without messages that were not sent yet: others stand for them."""
    left = replace(record, notices=tuple(notice for notice in record.notices if notice not in notices))
    if record.incident is None:
        return left
    gone = {(notice.at, notice.kind) for notice in notices}
    messages = tuple(message for message in record.incident.messages if (message.at, message.kind) not in gone)
    return replace(left, incident=replace(record.incident, messages=messages))


def _remember(incident: Incident, message: Told) -> Incident:
    short = replace(message, reason=message.reason[:_KEPT_REASON])
    messages = (*incident.messages, short)
    first, last = messages[:_KEPT_MESSAGES], messages[_KEPT_MESSAGES:][-_KEPT_MESSAGES:]
    gone = messages[len(first) : len(messages) - len(last)]
    before = (*incident.told_before, *(one.at for one in gone if one.kind in OF_THE_LOOP))
    return replace(incident, messages=first + last, told_before=before[-_KEPT_MESSAGES:])


def tell_once(record: Record, kind: NoticeKind, *, code: str, at: float, reason: str) -> Record:
    """The same, once in an incident for each code."""
    incident = record.incident
    if incident is None or incident.silent or code in incident.told:
        return record
    return tell(replace(record, incident=replace(incident, told=(*incident.told, code))), kind, at=at, reason=reason)


def owed(before: Record | None, after: Record) -> tuple[Notice, ...]:
    """The messages that the step from one version of the record to the next owes."""
    told = before.notices[-1].number if before and before.notices else 0
    return tuple(notice for notice in after.notices if notice.number > told)
