"""The way back: the count first, then the scaling flags, then our tag; and only what is still as we left it. Pure."""

from dataclasses import replace

from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell_once
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import BreakerState, Scaling, Step, Trip
from loopbreaker.treating.case import Case
from loopbreaker.treating.facts import Facts
from loopbreaker.treating.owner import HELD_TAG
from loopbreaker.treating.steps import RECHECK, back, down, to

# A count that is not ours has to be seen for so long, and so long after our own last call, in seconds, before it is
# believed: an answer may be ten minutes old.
_ODD_FOR, _SETTLED = 120.0, 660.0
# A count that cannot be set for so long, in seconds, is told.
_STUCK = 900.0


def give_back(case: Case, trip: Trip, why: str) -> Record:
    """Begin the way back of a service that we hold or try. `why` is what people are told when it is done."""
    tried = trip.state is BreakerState.HALF_OPEN
    trip = replace(trip, step=Step.RESTORE_COUNT, why=why, since=case.now)
    if tried or not case.known.desired_count or lifted(trip, case.known):
        return recheck_restoring(case, trip)
    # Whoever deployed a fix has set the count as well.
    return after_count(case, trip)


def recheck_restoring(case: Case, trip: Trip) -> Record:
    """The step of the way back that fits the facts. What somebody changed meanwhile stands."""
    trip = within_limits(trip, case.known)
    record, now = replace(case.record, trip=trip), case.now
    if trip.step is Step.UNTAG:
        return _untag(replace(case, record=record), trip)
    if trip.step is not Step.RESTORE_COUNT or not _count_is_ours(case, trip):
        return after_count(case, trip)
    record = to(record, Step.RESTORE_COUNT, now=now)
    if now < trip.since + _STUCK:
        return record
    why = f"its count could not be set for {(now - trip.since) / 60:.0f} minutes"
    return down(record, why, code="stuck", now=now)


def after_count(case: Case, trip: Trip) -> Record:
    """The count is as it should be: then the flags, then the tag."""
    record, now = replace(case.record, trip=trip), case.now
    if _flags_are_ours(case, trip):
        if case.known.desired_count or _nothing_to_lift(case.known):
            return to(record, Step.RESTORE_SCALING, now=now)
        return let_go(case, trip, "somebody set its desired count to 0")
    return _untag(replace(case, record=record), trip)


def _untag(case: Case, trip: Trip) -> Record:
    """The tag goes last; an answer without it may be of before it was put on."""
    tagged = HELD_TAG in case.known.tags or _may_be_older(case, trip)
    return to(case.record, Step.UNTAG, now=case.now) if tagged else back(case.record, now=case.now)


def lifted(trip: Trip, facts: Facts) -> bool:
    """Whether a call on the scaling target has lifted the count to its minimum: a scheduled action, or somebody who
    changed its limits or its flags. Whoever sets that count where the target is as it was means the count.
    """
    then, scaling = trip.scaling, facts.scaling
    if then is None or scaling is None or not 0 < facts.desired_count == scaling.minimum:
        return False
    return not scaling.suspended or _limits(scaling) != _limits(then)


def within_limits(trip: Trip, facts: Facts) -> Trip:
    """The trip with the count that comes back as its scaling target would have moved it meanwhile."""
    then, scaling = trip.scaling, facts.scaling
    if then is None or scaling is None or _limits(scaling) == _limits(then) or shut(facts):
        return trip
    return replace(trip, desired_count=min(scaling.maximum, max(scaling.minimum, trip.desired_count)))


def shut(facts: Facts) -> bool:
    """Whether the scaling target allows no task, as a schedule for the night may say."""
    return facts.scaling is not None and facts.scaling.maximum == 0


def raised(case: Case, trip: Trip) -> Record:
    """Somebody else set the count. We do not fight, and give back what we took; a single look may be an old one."""
    if not _agreed(case, trip):
        return _odd(case, trip)
    why = (
        f"its desired count was set to {case.known.desired_count}, not by Loopbreaker: by a person, Terraform, "
        "CloudFormation or a scaling schedule"
    )
    return after_count(case, replace(trip, why=why))


def let_go(case: Case, trip: Trip, why: str) -> Record:
    """Somebody set 0: that stands. Flags stay as they are where giving them back would lift the count."""
    if not _agreed(case, trip):
        return _odd(case, trip)
    now, step = case.now, Step.UNTAG
    if _flags_are_ours(case, trip):
        if _nothing_to_lift(case.known):
            step = Step.RESTORE_SCALING
        else:
            why = f"{why}; its scaling stays suspended, because giving it back would start tasks"
    record = replace(case.record, trip=replace(trip, why=""))
    told = tell_once(record, NoticeKind.NOT_STOPPED, code="zero", at=now, reason=why)
    return to(told, step, now=now)


def _limits(scaling: Scaling) -> tuple[int, int]:
    return scaling.minimum, scaling.maximum


def _nothing_to_lift(facts: Facts) -> bool:
    """Whether a call on the scaling target leaves a count of 0 as it is."""
    return facts.scaling is not None and facts.scaling.minimum == 0


def _count_is_ours(case: Case, trip: Trip) -> bool:
    """Whether the count is still to be set. One that is as it should be may be an old answer, of before our own call:
    to set it once more changes nothing, and not to set it would leave the service at 0.
    """
    count = case.known.desired_count
    if not trip.zeroed or shut(case.known):
        # What was never set to 0 is as it was.
        return False
    if count == trip.desired_count:
        return _may_be_older(case, trip)
    # The one task of a try is ours as well.
    return count in (0, 1) or lifted(trip, case.known)


def _flags_are_ours(case: Case, trip: Trip) -> bool:
    """Whether the flags are still to be given back; where somebody changed them meanwhile, theirs stand."""
    then, scaling = trip.scaling, case.known.scaling
    if then is None or scaling is None or then.suspended:
        return False
    # As they were before us is what an old answer says too, and to give them back once more changes nothing.
    same = scaling == replace(then, minimum=scaling.minimum, maximum=scaling.maximum)
    return scaling.suspended or (same and _may_be_older(case, trip))


def _may_be_older(case: Case, trip: Trip) -> bool:
    """Whether what is read may be of before our own last call. At the first step there was none."""
    return trip.step is not Step.TAG and not _settled(case, trip)


def _agreed(case: Case, trip: Trip) -> bool:
    return bool(trip.odd_at) and case.now >= trip.odd_at + _ODD_FOR and _settled(case, trip)


def _settled(case: Case, trip: Trip) -> bool:
    """Whether our own last call is so long ago that no answer is older."""
    return case.now >= trip.since + _SETTLED


def _odd(case: Case, trip: Trip) -> Record:
    trip = replace(trip, odd_at=trip.odd_at or case.now, lease_until=case.now)
    return replace(case.record, trip=trip, due_at=case.now + RECHECK)
