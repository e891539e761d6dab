"""The breaker: a machine over one trip. From what ECS says now to the step that fits. Pure.

Right before each call the facts are read and everything is decided again. A step may be found unfinished: the call was
not made, or it was made and its answer lost. `recheck` finds from the facts which, so that no harmful call is repeated
and none is made that no longer fits.
"""

from dataclasses import replace
from typing import assert_never

from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import Step, Trip
from loopbreaker.treating.case import Case
from loopbreaker.treating.holding import recheck_held, recheck_try
from loopbreaker.treating.restoring import recheck_restoring
from loopbreaker.treating.steps import down, soon
from loopbreaker.treating.stopping import recheck_rollback, recheck_stopping

# ECS that does not answer for so long, in seconds, is told where a service is at 0 for it.
_BLIND = 900.0


def recheck(case: Case, trip: Trip) -> Record:
    """Where the treatment stands, by what ECS says now: an unfinished call, a service that we hold, a try."""
    trip = replace(trip, blind_since=0.0)
    case = replace(case, record=replace(case.record, trip=trip))
    match trip.step:
        case Step.TAG | Step.SUSPEND_SCALING | Step.READY | Step.SET_ZERO:
            return recheck_stopping(case, trip)
        case Step.HELD:
            return recheck_held(case, trip)
        case Step.SET_ONE | Step.PROBING | Step.SET_ALL | Step.PROBING_ALL | Step.STOP_AGAIN:
            return recheck_try(case, trip)
        case Step.RESTORE_COUNT | Step.RESTORE_SCALING | Step.UNTAG:
            return recheck_restoring(case, trip)
        case Step.STOP_DEPLOYMENT | Step.ROLLING_BACK:
            return recheck_rollback(case, trip)
    assert_never(trip.step)


def blind(record: Record, trip: Trip, *, why: str, now: float) -> Record:
    """ECS does not answer: nothing is done, and a service that is at 0 for it is told of."""
    since = trip.blind_since or now
    record = soon(replace(record, trip=replace(trip, blind_since=since)), now=now)
    if now < since + _BLIND:
        return record
    return down(record, f"ECS could not be asked for {(now - since) / 60:.0f} minutes: {why}", code="blind", now=now)
