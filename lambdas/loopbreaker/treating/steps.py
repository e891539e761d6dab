"""The steps of a trip: which call each names, what follows an answer, what a refusal means. Pure.

A step that names a call is saved before the call is made, so whoever finds it later knows what was begun.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto

from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell, tell_once
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import BreakerState, Scaling, Step, Trip

# How soon a service that we treat is looked at again, in seconds: less than a minute, so that each sweep looks.
RECHECK = 20.0
# Longer than a function may run, in seconds: who finds an older step unfinished may finish it.
LEASE = 150.0
# A way back that is refused is tried again so soon, in seconds.
_TRY_AGAIN = 300.0
# A stop that AWS refused is not tried again for so long; a service that is down is told of again so often.
_DAY = 86_400.0
# In `told`: that the service is tried.
TRIED = "tried"
CHANGED = "the service changed while it was being stopped, and everything was put back"


class Call(Enum):
    """A call that changes something at AWS."""

    TAG = auto()
    UNTAG = auto()
    SUSPEND = auto()
    RESUME_SCALING = auto()
    SET_COUNT = auto()
    ROLL_BACK = auto()


@dataclass(frozen=True, slots=True)
class Order:
    """The call that a step names, with what it needs: a count, scaling flags, or the ARN of a service deployment."""

    call: Call
    count: int = 0
    scaling: Scaling | None = None
    arn: str = ""


def _flags(trip: Trip) -> Scaling:
    assert trip.scaling is not None
    return trip.scaling


CALLS: dict[Step, Callable[[Trip], Order]] = {
    Step.TAG: lambda trip: Order(Call.TAG, count=trip.desired_count),
    # Only before zeroing: any RegisterScalableTarget on a target whose count is below its minimum lifts the count
    # back up (Application Auto Scaling API reference, RegisterScalableTarget).
    Step.SUSPEND_SCALING: lambda trip: Order(Call.SUSPEND, scaling=suspended(_flags(trip))),
    Step.SET_ZERO: lambda _: Order(Call.SET_COUNT, count=0),
    Step.SET_ONE: lambda _: Order(Call.SET_COUNT, count=1),
    Step.SET_ALL: lambda trip: Order(Call.SET_COUNT, count=trip.desired_count),
    Step.STOP_AGAIN: lambda _: Order(Call.SET_COUNT, count=0),
    Step.RESTORE_COUNT: lambda trip: Order(Call.SET_COUNT, count=trip.desired_count),
    Step.RESTORE_SCALING: lambda trip: Order(Call.RESUME_SCALING, scaling=_flags(trip)),
    Step.UNTAG: lambda _: Order(Call.UNTAG),
    Step.STOP_DEPLOYMENT: lambda trip: Order(Call.ROLL_BACK, arn=trip.service_deployment),
}
"""The steps that make a call. At READY all is prepared, and on fresh facts the next call is SET_ZERO's; in the others
(HELD, PROBING, PROBING_ALL, ROLLING_BACK) we wait."""
UNDER_WAY = frozenset({*CALLS, Step.READY})
"""The steps at which somebody is at work."""


def order_of(trip: Trip) -> Order | None:
    """The call that is to be made, or None while we wait."""
    make = CALLS.get(trip.step)
    return make(trip) if make else None


def suspended(scaling: Scaling) -> Scaling:
    """The target with scaling by load suspended.

    Its schedule goes on: a scheduled action that fell into the hold would be lost (Application Auto Scaling user guide,
    "Suspend and resume scaling"), and the count that comes back would be none that anybody wants by then.
    """
    return replace(scaling, dynamic_in_suspended=True, dynamic_out_suspended=True)


def after_call(record: Record, trip: Trip, *, deployment_id: str, now: float) -> Record:
    """The next step once a call was answered. `deployment_id` is the PRIMARY one in the answer of UpdateService.

    Where what follows rests on facts, it is the step that fits most services: the facts are read before its call.
    """
    if trip.step is Step.SET_ZERO and deployment_id != trip.deployment_id:
        # UpdateService has no compare-and-set: somebody may have deployed between our look and our call.
        return to(record, Step.RESTORE_COUNT, now=now, why=CHANGED, undo=True)
    if trip.step in (Step.SET_ZERO, Step.STOP_AGAIN):
        return held(record, now=now)
    if trip.step in (Step.SET_ONE, Step.SET_ALL):
        return probing(record, now=now)
    if trip.step is Step.UNTAG:
        return back(record, now=now)
    if trip.step is Step.STOP_DEPLOYMENT:
        return rolling_back(record, now=now)
    following = {
        Step.TAG: Step.SUSPEND_SCALING if trip.scaling else Step.READY,
        Step.SUSPEND_SCALING: Step.READY,
        Step.RESTORE_COUNT: Step.RESTORE_SCALING if trip.scaling else Step.UNTAG,
        Step.RESTORE_SCALING: Step.UNTAG,
    }
    return to(record, following[trip.step], now=now)


def after_refusal(record: Record, trip: Trip, *, why: str, now: float) -> Record:
    """What to do where AWS refuses a call: say so as what it is, and give back what was taken before."""
    reason = f"AWS refused it ({why})"
    if trip.step in (Step.STOP_DEPLOYMENT, Step.TAG):
        # Nothing was done yet.
        return not_stopped(_refused(replace(record, trip=None, due_at=now + RECHECK), now), reason, now=now)
    if trip.step in (Step.SUSPEND_SCALING, Step.SET_ZERO):
        step = Step.RESTORE_SCALING if trip.scaling else Step.UNTAG
        return _refused(to(record, step, now=now, why=reason, undo=True, zeroed=False), now)
    if trip.step is Step.STOP_AGAIN:
        # We may not stop it: then it is not ours to hold either.
        return _refused(to(record, Step.RESTORE_COUNT, now=now, why=reason, undo=True), now)
    if trip.step in (Step.SET_ONE, Step.SET_ALL):
        return down(to(record, Step.HELD, now=now), f"it could not be tried: {reason}", code=why, now=now)
    if trip.step is Step.RESTORE_COUNT:
        return down(_waiting(record, trip, now=now), f"its count could not be set: {reason}", code=why, now=now)
    if trip.step is Step.RESTORE_SCALING:
        left = f"its scaling is still suspended, because it could not be given back: {reason}"
        return tell_once(_waiting(record, trip, now=now), NoticeKind.BACK, code=f"left {why}", at=now, reason=left)
    # A tag that stays allows nothing but the way back.
    return back(record, now=now)


# -- moving on ----------------------------------------------------------------------------------------------


def to(
    record: Record,
    step: Step,
    *,
    now: float,
    why: str = "",
    undo: bool = False,
    zeroed: bool | None = None,
) -> Record:
    """The record with its trip at another step, or at the same one once more."""
    trip = record.trip
    assert trip is not None
    busy = step in UNDER_WAY
    moved = replace(
        trip,
        step=step,
        since=trip.since if step is trip.step else now,
        lease_until=now + LEASE if busy else now,
        why=why or trip.why,
        undo=undo or trip.undo,
        zeroed=step is Step.SET_ZERO or trip.zeroed if zeroed is None else zeroed,
        odd_at=0.0,
    )
    return replace(record, trip=moved, due_at=now + (LEASE if busy else RECHECK), touched_at=now)


def held(record: Record, *, now: float) -> Record:
    """The count is 0: for the first time, or because what was tried failed."""
    trip = record.trip
    assert trip is not None
    again = trip.state is BreakerState.HALF_OPEN
    # All follow the one that failed, as a part of the same try.
    tries = trip.tries + (not trip.whole) if again else 0
    moved = to(record, Step.HELD, now=now, zeroed=True)
    assert moved.trip is not None
    moved = replace(moved, trip=replace(moved.trip, since=now, tries=tries))
    if trip.whole:
        return moved
    if not again:
        tasks = "1 task" if trip.desired_count == 1 else f"{trip.desired_count} tasks"
        moved = replace(moved, trips=(*(at for at in record.trips if at > now - _DAY), now))
        return tell(moved, NoticeKind.STOPPED, at=now, reason=f"nobody was served; desired count set from {tasks} to 0")
    return try_failed(moved, now=now)


def try_failed(record: Record, *, now: float) -> Record:
    """Say that the service is at 0 again, once it was said that it is tried. Each further try says nothing new."""
    if record.incident is None or TRIED not in record.incident.told:
        return record
    why = "what was tried failed as well; it is tried again, more and more rarely"
    return tell_once(record, NoticeKind.STOPPED, code="tried in vain", at=now, reason=why)


def probing(record: Record, *, now: float) -> Record:
    """What was started is watched from when we began to start it."""
    trip = record.trip
    assert trip is not None
    one = trip.step is Step.SET_ONE
    moved = to(record, Step.PROBING if one else Step.PROBING_ALL, now=now)
    assert moved.trip is not None
    moved = replace(moved, trip=replace(moved.trip, since=trip.since))
    number = 1 if one else trip.desired_count
    tasks = "1 task was started" if number == 1 else f"{number} tasks were started"
    why = f"{tasks}, to see whether the loop is over"
    return tell_once(moved, NoticeKind.PROBING, code=TRIED, at=now, reason=why)


def rolling_back(record: Record, *, now: float) -> Record:
    """The deployment in progress was stopped."""
    rolled = to(record, Step.ROLLING_BACK, now=now)
    if rolled.incident:
        rolled = replace(rolled, incident=replace(rolled.incident, rolled_back_at=now))
    why = "its new tasks fail again and again: the deployment was stopped and is rolled back"
    return tell(rolled, NoticeKind.ROLLED_BACK, at=now, reason=why)


def back(record: Record, *, now: float) -> Record:
    """The service is as it was, and the trip is over."""
    trip = record.trip
    assert trip is not None
    done = replace(record, trip=None, resume_asked=False, due_at=now + RECHECK)
    if trip.zeroed:
        done = afresh(done, now=now)
    elif done.incident:
        done = replace(done, incident=replace(done.incident, finding=None))
    if not trip.why:
        return done
    if trip.undo:
        return not_stopped(done, trip.why, now=now)
    return tell(done, NoticeKind.BACK, at=now, reason=trip.why)


def afresh(record: Record, *, now: float) -> Record:
    """The record after the service has changed: what failed before is history, and no finding of it stands."""
    incident = record.incident
    if incident:
        incident = replace(incident, finding=None, watched_since=now, unserved_since=now, looked_at=now)
    return replace(
        record, incident=incident, history_until=now, fast=(), slow=(), impaired=(), lived=(), touched_at=now
    )


def down(record: Record, reason: str, *, code: str, now: float) -> Record:
    """Say that the service is at 0 and cannot be brought back: at once, and again each day, for each cause."""
    trip = record.trip
    assert trip is not None
    if not trip.zeroed or (trip.down == code and now < trip.down_at + _DAY):
        return record
    record = replace(record, trip=replace(trip, down=code, down_at=now))
    return tell(record, NoticeKind.DOWN, at=now, reason=reason)


def not_stopped(record: Record, reason: str, *, now: float) -> Record:
    """Say why a service was left alone, once in an incident."""
    return tell_once(record, NoticeKind.NOT_STOPPED, code=reason, at=now, reason=reason)


def soon(record: Record, *, now: float) -> Record:
    """Nothing to do at this look."""
    return replace(record, due_at=now + RECHECK)


def _refused(record: Record, now: float) -> Record:
    incident = replace(record.incident, refused_until=now + _DAY) if record.incident else None
    return replace(record, incident=incident)


def _waiting(record: Record, trip: Trip, *, now: float) -> Record:
    return replace(record, trip=replace(trip, lease_until=now), due_at=now + _TRY_AGAIN)
