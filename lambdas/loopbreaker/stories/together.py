"""Many loops at once: one summary of their beginning, which grows rarely, and one of their end; nothing of each.
Few loops at once: when one of them is over, the others are tried."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from zlib import crc32

from loopbreaker.model import ServiceRef
from loopbreaker.policy import Policy
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import Step
from loopbreaker.stories.ports import MOST_BEGINNINGS, ConflictError, Incidents, UnreadableError
from loopbreaker.stories.saving import saved
from loopbreaker.treating.look import milestone, share
from loopbreaker.treating.remind import ago, in_summary, out_of_summary

DIAGNOSED = 40
"""Of so many services that begin to loop at once each is diagnosed."""
# Beyond about those that are named, some of which noted their beginning twice, one look of so many counts all.
_COUNTED_FROM, _COUNTED_BY = MOST_BEGINNINGS // 2, 16
# A trouble that has lasted for so long, in seconds, may leave a few services behind that loop by themselves.
_LEFT_BEHIND = 3600.0
# A held service waits for about half of the time that its loop has lasted: a quarter of that wait is this share of it.
_SOME = 8
# A summary that has grown since people last read it is told once more when nothing began for so long, in seconds.
_SETTLED = 600.0
# How many still loop is asked once in so many seconds, however often each is looked at.
_COUNTED_EVERY = 600.0


def begin_together(record: Record, *, store: Incidents, policy: Policy, now: float) -> tuple[Record, int]:
    """A loop that has just begun, among all that began about now; and how many those are."""
    assert record.incident is not None
    service, window, at = record.service, policy.mass_window, record.incident.found_at
    began = store.gather(service, at=at, window=window)
    number = len(began)
    if number >= _COUNTED_FROM and crc32(service.key.encode()) % _COUNTED_BY == 0:
        number = max(number, store.number_began(at=at, window=window))
    due = milestone(number, policy)
    first = due > 0 and store.announce(service, due, at=now, window=window)
    shared = share(record, began, number, first=first, policy=policy, now=now)
    if in_summary(shared.incident):
        store.enter_summary(service, at=now)
    return shared, number


def go_on_together(before: Record, record: Record, *, store: Incidents, policy: Policy, now: float) -> Record:
    """A loop of a summary that lasts: where few are left after an hour, the trouble is over, and each is told of.

    While there are many, one of them speaks for all when a reminder is due.
    """
    assert record.incident is not None
    lasts = now - record.incident.found_at
    if lasts < _LEFT_BEHIND:
        fresh = before.incident is not None and before.incident.looked_at < record.incident.found_at + _SETTLED
        return _tell_of_all(record, store=store, policy=policy, now=now) if fresh and lasts >= _SETTLED else record
    if not _is_counted(before, record.incident, now):
        return record
    left = store.in_summary(most=policy.mass_limit + 1)
    if len(left) > policy.mass_limit:
        return _remind_together(before, record, speaks=left[0] == record.service, store=store, now=now)
    if store.announce_end(record.service, at=now):
        names = ", ".join(f"{service.cluster}/{service.name}" for service in sorted({*left, record.service}))
        why = f"of the services that began to loop together few still do, and each is told of by itself: {names}"
        record = tell(record, NoticeKind.MASS_OVER, at=now, reason=why)
    store.leave_summary(record.service)
    return out_of_summary(record, now=now)


def _tell_of_all(record: Record, *, store: Incidents, policy: Policy, now: float) -> Record:
    """The record of the last one that began, with a summary of them all, where people were told of fewer."""
    assert record.incident is not None
    at, window = record.incident.found_at, policy.mass_window
    began = store.began(at=at, window=window)
    number = len(began) if len(began) < _COUNTED_FROM else store.number_began(at=at, window=window)
    if began[:1] != (record.service,) or number == milestone(number, policy):
        return record
    if not store.announce(record.service, number, at=now, window=window):
        return record
    why = f"{number} services began to loop within {window / 60:.0f} minutes, so none is acted on; no more began since"
    return tell(record, NoticeKind.MASS, at=now, reason=why, services=number)


def _is_counted(before: Record, incident: Incident, now: float) -> bool:
    """Whether this is the first look of its span at which ECS answered, or a reminder is due."""
    was = before.incident
    if was is None or incident.reminded > was.reminded:
        return True
    return was.looked_at // _COUNTED_EVERY != now // _COUNTED_EVERY


def _remind_together(before: Record, record: Record, *, speaks: bool, store: Incidents, now: float) -> Record:
    """The record with a reminder of them all, where its own would be due and it is the one that speaks."""
    was, incident = before.incident, record.incident
    assert incident is not None
    due = was is not None and incident.reminded > was.reminded
    if not (due and speaks) or incident.acknowledged:
        return record
    number = len(store.in_summary(most=MOST_BEGINNINGS))
    some = f"{number} or more" if number == MOST_BEGINNINGS else f"{number}"
    found = ago(now - incident.found_at)
    why = f"{some} of the services that began to loop together still do; this one was found {found}"
    return tell(record, NoticeKind.STILL_LOOPING, at=now, reason=why, services=number)


def try_together(
    incident: Incident, service: ServiceRef, *, store: Incidents, policy: Policy, sure: bool, now: float
) -> None:
    """Have the services tried at once that are held and began to loop about when this one did, which is well again:
    what it lacked may be what they lack, or it may itself be that.

    sure: whether it is; else it serves, perhaps not for long, and they are tried where some of their wait is over.
    Where one of them is not reached it is tried when its own time has come.
    """
    began = store.began(at=incident.found_at, window=policy.mass_window)
    if len(began) > policy.mass_limit:
        # A shared cause: what was held comes back anyway.
        return
    for other in began:
        if other != service:
            with suppress(ConflictError, UnreadableError):
                saved(other, partial(_tried_with_another, policy=policy, sure=sure, now=now), store=store)


def _tried_with_another(record: Record, *, policy: Policy, sure: bool, now: float) -> Record:
    trip = record.trip
    if trip is None or trip.step is not Step.HELD:
        return record
    if not sure and now < trip.since + max(policy.cool_down, (trip.since - trip.looping_since) / _SOME):
        return record
    return replace(record, trip=replace(trip, another_back_at=now), asked_at=now, due_at=now)


def end_together(record: Record, *, store: Incidents, now: float) -> Record:
    """The record of a loop of a summary that is over: of them all the last one tells."""
    store.leave_summary(record.service)
    if store.in_summary(most=1) or not store.announce_end(record.service, at=now):
        return record
    why = "none of the services that began to loop together does so any more"
    return tell(record, NoticeKind.MASS_OVER, at=now, reason=why)
