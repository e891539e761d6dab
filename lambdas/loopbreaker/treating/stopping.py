"""How a service is stopped, and how a deployment is rolled back, up to the call that does it. Pure."""

from dataclasses import replace

from loopbreaker.judging.ladder import highest
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell_once
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import Step, Trip
from loopbreaker.treating.case import Case
from loopbreaker.treating.decide import Action, decide
from loopbreaker.treating.facts import Facts
from loopbreaker.treating.owner import HELD_TAG
from loopbreaker.treating.restoring import after_count, let_go
from loopbreaker.treating.steps import CHANGED, LEASE, RECHECK, afresh, back, held, rolling_back, soon, to

_ROLLING_BACK = ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")


def begin_stop(case: Case) -> Record:
    """Begin to stop the service. What it was is saved first."""
    begun, rung = _trip(case, Step.TAG), highest(case.own_chain)
    assert rung is not None
    trip = replace(_of(begun), scaling=case.known.scaling, looping_since=case.condemned_since)
    died = replace(trip, cause=rung.category.value, shortest=rung.shortest, longest=rung.longest)
    return replace(begun, trip=died)


def begin_rollback(case: Case) -> Record:
    """Begin to roll the deployment in progress back."""
    assert case.known.rollout is not None
    begun = _trip(case, Step.STOP_DEPLOYMENT)
    return replace(begun, trip=replace(_of(begun), service_deployment=case.known.rollout.arn))


def recheck_stopping(case: Case, trip: Trip) -> Record:
    """The next step towards 0, if on the facts of this moment the service is still to be stopped."""
    facts, record, now = case.known, case.record, case.now
    same = facts.primary is not None and facts.primary.id == trip.deployment_id and not case.deploying
    if facts.desired_count == 0:
        if trip.step is not Step.SET_ZERO:
            return let_go(case, trip, "somebody set its desired count to 0")
        return held(record, now=now) if same else to(record, Step.RESTORE_COUNT, now=now, why=CHANGED, undo=True)
    if not same or facts.desired_count != trip.desired_count:
        return _give_up(case, trip, CHANGED)
    decision = decide(case)
    if decision.action is Action.STOP:
        return to(record, _next_step(trip, facts), now=now)
    if decision.action is Action.LEAVE and decision.asked_for:
        told = tell_once(record, NoticeKind.NOT_STOPPED, code=decision.code, at=now, reason=decision.reason)
        case = replace(case, record=told)
    return _give_up(case, trip, "")


def recheck_rollback(case: Case, trip: Trip) -> Record:
    """Whether the rollback is still to be begun, goes on, or has ended."""
    facts, record, now = case.known, case.record, case.now
    rollout, waiting = facts.rollout, trip.step is Step.ROLLING_BACK
    if rollout and rollout.arn == trip.service_deployment:
        if rollout.status in _ROLLING_BACK:
            return _still_rolling_back(case, trip) if waiting else rolling_back(record, now=now)
        if not waiting:
            go = decide(case).action is Action.ROLLBACK
            return to(record, Step.STOP_DEPLOYMENT, now=now) if go else soon(replace(record, trip=None), now=now)
    # It has ended. Where the deployment is no longer the primary one, the call was made, whether answered or not.
    replaced = facts.primary is not None and facts.primary.id != trip.deployment_id
    told = record if waiting or not replaced else rolling_back(record, now=now)
    return replace(afresh(told, now=now), trip=None, due_at=now + RECHECK)


def _trip(case: Case, step: Step) -> Record:
    facts, now = case.known, case.now
    assert facts.primary is not None
    assert case.record.trip is None, "what a trip holds is never overwritten"
    trip = Trip(
        step=step,
        since=now,
        lease_until=now + LEASE,
        desired_count=facts.desired_count,
        deployment_id=facts.primary.id,
        task_definition=facts.primary.task_definition,
        scaling=None,
    )
    return replace(case.record, trip=trip, due_at=now + LEASE)


def _of(record: Record) -> Trip:
    assert record.trip is not None
    return record.trip


def _next_step(trip: Trip, facts: Facts) -> Step:
    if trip.step is Step.TAG and HELD_TAG not in facts.tags:
        return Step.TAG
    if trip.step is Step.READY:
        # The answer to our call is newer than what is read so soon after it.
        return Step.SET_ZERO
    return Step.SUSPEND_SCALING if facts.scaling and not facts.scaling.suspended else Step.SET_ZERO


def _give_up(case: Case, trip: Trip, why: str) -> Record:
    """Undo a stop that has not come about; the count is untouched. `why` is empty where it was said, or passes."""
    undone = replace(trip, why=why, undo=True, zeroed=False)
    if trip.step is Step.TAG and HELD_TAG not in case.known.tags:
        return back(replace(case.record, trip=undone), now=case.now)
    return after_count(case, undone)


def _still_rolling_back(case: Case, trip: Trip) -> Record:
    record, now = soon(case.record, now=case.now), case.now
    failed = [rung for rung in record.fast if rung.created_at >= trip.since]
    if max((rung.generation for rung in failed), default=0) < case.policy.fast.depth:
        return record
    why = "tasks of the revision that it goes back to fail again and again as well"
    return tell_once(record, NoticeKind.ROLLBACK_FAILED, code="rolled-back", at=now, reason=why)
