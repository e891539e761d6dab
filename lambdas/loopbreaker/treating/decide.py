"""What to do about a service that loops: one look in, one decision and its reason out. Pure.

The rules stand in the order of harm: first whom never to touch, last the only case in which to act. The first rule
that has an answer gives it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import assert_never

from loopbreaker.judging.ladder import highest, of_deployment
from loopbreaker.judging.lived import served_until
from loopbreaker.policy import Mode
from loopbreaker.remembering.incident import Signal
from loopbreaker.treating.case import Case
from loopbreaker.treating.facts import ServiceDeployment, Unknown

# ECS's own circuit breaker has its turn for this long, in seconds, after its count last grew.
_ECS_BREAKER_TURN = 600.0
# A failure that ECS tells even later is too old to act on. A target group drains for 300 s by default.
_LATEST = 600.0
# An older deployment that fails so often in a row while a new one is rolled out fails for the same reason.
_FAILS_TOO = 2


class Action(StrEnum):
    """What to do now."""

    STOP = "stop"
    ROLLBACK = "rollback"
    WAIT = "wait"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Decision:
    """An action and why. `code` names the reason for programs and for telling it once.

    asked_for: whether the owner wants action, so that leaving the service alone is worth saying.
    final: whether no further failure can change it.
    """

    action: Action
    code: str
    reason: str
    asked_for: bool = True
    final: bool = False


def decide(case: Case) -> Decision:
    """What to do about a record with an incident. WAIT means that a later look may find otherwise."""
    for rule in _RULES:
        decision = rule(case)
        if decision:
            return decision
    return _not_yet(case, since=case.condemned_since) or _stop(case)


def allowed(case: Case) -> Mode:
    """The most that may be done: the lesser of what the installation and the owner allow."""
    return min(case.limits.mode, case.wishes.action)


def mass(case: Case) -> str:
    """Why the cause is taken for a shared one; empty where it is not."""
    if case.limits.began <= case.policy.mass_limit:
        return ""
    minutes = max(case.policy.mass_window, case.stop_after) / 60
    return f"{case.limits.began} services began to loop within {minutes:.0f} minutes: the cause is a shared one"


def _unknown(case: Case) -> Decision | None:
    if not isinstance(case.facts, Unknown):
        return None
    asked_for = case.limits.mode is not Mode.ALERT
    return Decision(Action.LEAVE, "ecs-unknown", f"ECS could not be asked: {case.facts.why}", asked_for=asked_for)


def _not_allowed(case: Case) -> Decision | None:
    if case.limits.mode is Mode.ALERT:
        return _unasked("alert-only", "this installation alerts and never acts")
    if case.silent:
        return _unasked("silenced", "its owner asked for it to be left alone")
    if case.wishes.action is Mode.ALERT:
        return _unasked("not-opted-in", "its owner has not opted in to action")
    if not case.limits.in_scope:
        return Decision(Action.LEAVE, "out-of-scope", "this installation may not act on it")
    return None


def _never(case: Case) -> Decision | None:
    """Services that cannot be stopped, or not without harm."""
    facts = case.known
    if facts.strategy == "DAEMON":
        return Decision(Action.LEAVE, "daemon", "a DAEMON service has no desired count", final=True)
    if facts.controller != "ECS":
        why = f"its deployments are controlled by {facts.controller}, where 0 would stop every task set"
        return Decision(Action.LEAVE, "controller", why, final=True)
    if facts.managed_by_ecs:
        return Decision(Action.LEAVE, "express", "it is an Express service, which ECS itself manages", final=True)
    return None


def _shared_cause(case: Case) -> Decision | None:
    why = mass(case)
    return Decision(Action.LEAVE, "mass", why) if why else None


def _not_for_this_cause(case: Case) -> Decision | None:
    signal = case.incident.signal
    match signal:
        case Signal.FAST:
            return None
        case Signal.SLOW:
            return Decision(Action.LEAVE, "slow", "it fails slowly and serves in between")
        case Signal.UNHEALTHY:
            return Decision(Action.LEAVE, "unhealthy", "its health checks take long, and tasks run meanwhile")
        case Signal.IMPAIRED:
            return Decision(Action.LEAVE, "impaired", "ECS already slows its restarts down")
        case Signal.PLACEMENT:
            return Decision(Action.LEAVE, "placement", "missing capacity is not the application's fault")
        case Signal.STORM:
            return Decision(Action.LEAVE, "storm", "its tasks fail often and serve in between")
        case Signal.RESTARTS | Signal.EMPTY:
            return Decision(Action.LEAVE, signal.value, "no task of it failed")
    assert_never(signal)


def _refused(case: Case) -> Decision | None:
    if case.now < case.incident.refused_until:
        # It was told when it happened.
        return _unasked("refused", "AWS refused to let Loopbreaker act on it")
    return None


def _not_looping_now(case: Case) -> Decision | None:
    """An incident outlasts its chain, and what an older deployment did is no reason to act on the present one."""
    if case.known.primary is None:
        return Decision(Action.LEAVE, "no-primary", "ECS names no PRIMARY deployment")
    if case.known.desired_count == 0:
        return Decision(Action.WAIT, "at-zero", "somebody set its desired count to 0 already")
    needed = max(case.policy.fast.generations(case.known.desired_count), case.wishes.depth)
    if case.own_depth < needed:
        return Decision(Action.WAIT, "depth", f"{case.own_depth} of {needed} failures in a row of its newest revision")
    return None


def _while_deploying(case: Case) -> Decision | None:
    """In a deployment, roll back or leave. At 0 a failing deployment would count as successful.

    One that nobody waits for any more, and that cannot be rolled back, is no reason to let a service loop for ever.
    """
    if not case.known.in_progress:
        return None
    rollout = case.known.rollout
    unknown = "a deployment is in progress that cannot be rolled back"
    wrong = _rollback_is_wrong(case, rollout) if rollout else _cannot(case, "deploying", unknown)
    if wrong is None:
        return _not_yet(case, since=case.failing_since) or _roll_back()
    return wrong if case.deploying or wrong.code == "ecs-breaker" else None


def _cannot(case: Case, code: str, why: str) -> Decision:
    """A deployment that is not rolled back, and when its service may be stopped all the same."""
    if not case.deploying or allowed(case) is not Mode.STOP:
        return Decision(Action.LEAVE, code, why)
    later = f"before that deployment is {case.hours_to_wait} hours old somebody may wait for it, and it is not set to 0"
    return Decision(Action.LEAVE, code, f"{why}; {later}")


def _rollback_is_wrong(case: Case, rollout: ServiceDeployment) -> Decision | None:
    primary = case.known.primary
    assert primary is not None
    if rollout.status != "IN_PROGRESS":
        return Decision(Action.LEAVE, "deployment-ending", f"its deployment is {rollout.status} already")
    if not any(rollout.sources):
        why = "a deployment is in progress, and there is no earlier revision that runs to roll back to"
        return _cannot(case, "no-source", why)
    if _has_served(case, primary.id):
        return Decision(Action.LEAVE, "target-serves", "tasks of the revision that is rolled out do serve")
    if len(case.serving) == len(case.serving_of(primary.id)):
        why = "no task of the earlier revision serves either: rolling back would help nobody"
        return Decision(Action.LEAVE, "source-fails", why)
    if _another_fails_too(case, primary.id, since=primary.created_at):
        why = "tasks of the earlier revision fail as well: the cause is not in the deployment"
        return Decision(Action.LEAVE, "source-fails", why)
    if _breaker_at_work(case, rollout):
        why = f"ECS's own deployment circuit breaker counts {rollout.failures} of {rollout.threshold} failures"
        return Decision(Action.LEAVE, "ecs-breaker", why)
    return None


def _has_served(case: Case, deployment_id: str) -> bool:
    """Whether any task of a deployment serves, was seen to serve, or lived long enough to have served."""
    lived = served_until(case.record.lived, serving_after=case.serving_after, deployment_id=deployment_id)
    return bool(case.serving_of(deployment_id) or lived or deployment_id in case.incident.served_by)


def _another_fails_too(case: Case, primary_id: str, *, since: float) -> bool:
    of_late = tuple(rung for rung in case.record.fast if rung.failed_at >= since)
    others = {rung.deployment_id for rung in of_late} - {primary_id}
    chains = [highest(of_deployment(of_late, other, case.policy.fast)) for other in others]
    return any(rung is not None and rung.generation >= _FAILS_TOO for rung in chains)


def _breaker_at_work(case: Case, rollout: ServiceDeployment) -> bool:
    """Whether ECS may yet roll back by itself: its count of failures still grows."""
    if rollout.breaker != "MONITORING" or rollout.failures >= rollout.threshold:
        return False
    return rollout.failures > 0 and case.now < case.incident.ecs_grew_at + _ECS_BREAKER_TURN


def _while_serving(case: Case) -> Decision | None:
    if not case.known.in_progress and any(d.status == "ACTIVE" and d.running for d in case.known.deployments):
        return Decision(Action.LEAVE, "older-deployment", "an older deployment still has running tasks")
    if case.serving:
        alive = "1 task serves" if len(case.serving) == 1 else f"{len(case.serving)} tasks serve"
        return Decision(Action.LEAVE, "serving", alive)
    served = served_until(case.record.lived, serving_after=case.serving_after)
    # What ran well before the loop began is no part of it: then it is only too soon.
    if case.now - case.failing_since >= case.stop_after > case.now - served:
        why = f"its tasks run for longer than {case.serving_after:.0f} s before they fail, so it may serve in between"
        tag = "where they only start for as long, the tag loopbreaker:serving-after says so"
        return Decision(Action.LEAVE, "serves-between", f"{why}; {tag}")
    return None


def _not_enough_trips_left(case: Case) -> Decision | None:
    trips = [at for at in case.record.trips if at > case.now - 86_400]
    if len(trips) <= case.policy.retrips:
        return None
    why = f"it was stopped {len(trips)} times within a day and came back: a person has to decide"
    return Decision(Action.LEAVE, "trips", why)


def _rollback_only(case: Case) -> Decision | None:
    if allowed(case) is Mode.STOP:
        return None
    none = "its deployment cannot be rolled back" if case.known.in_progress else "no deployment is in progress"
    return Decision(Action.LEAVE, "rollback-only", f"{none}, and only a rollback is allowed")


def _not_yet(case: Case, *, since: float) -> Decision | None:
    """What has to be seen before anything is done: it still goes on, is found twice, and has lasted long enough."""
    if case.now - case.newest_own_failure > fresh_for(case) + min(case.record.late, _LATEST):
        return Decision(Action.WAIT, "not-fresh", "no task failed of late")
    finding, primary = case.incident.finding, case.known.primary
    assert primary is not None
    if finding is None or finding.deployment_id != primary.id:
        return Decision(Action.WAIT, "first-finding", "found fit for action; a second finding must agree")
    if case.now < finding.at + case.policy.confirm_after or case.newest_own_failure <= finding.failed_at:
        return Decision(Action.WAIT, "second-finding", "the second finding must rest on a later failure")
    for_now = case.now - since
    if for_now < case.stop_after:
        why = f"nobody was served for {for_now / 60:.0f} of {case.stop_after / 60:.0f} minutes"
        return Decision(Action.WAIT, "too-soon", why)
    return None


def fresh_for(case: Case) -> float:
    """For how long, in seconds, after it is told a failure says that the loop goes on: twice the usual gap, or more."""
    gaps = [later - earlier for earlier, later in pairwise(sorted(rung.failed_at for rung in case.own_chain))]
    return max(case.policy.fresh_after, 2 * median(gaps) if gaps else 0.0)


def _roll_back() -> Decision:
    why = "the tasks that loop are of the deployment in progress, none of them served, and an earlier revision serves"
    return Decision(Action.ROLLBACK, "roll-back", why)


def _stop(case: Case) -> Decision:
    old = f"its deployment has been in progress for {case.hours_to_wait} hours, so that nobody waits for it any more"
    why = (
        f"replacements failed {case.own_depth} times in a row, nobody was served for "
        f"{(case.now - case.condemned_since) / 60:.0f} minutes, and "
        f"{old if case.known.in_progress else 'no deployment is in progress'}"
    )
    return Decision(Action.STOP, "nobody-served", why)


def _unasked(code: str, reason: str) -> Decision:
    return Decision(Action.LEAVE, code, reason, asked_for=False)


_RULES: tuple[Callable[[Case], Decision | None], ...] = (
    _unknown,
    _not_allowed,
    _never,
    _shared_cause,
    _not_for_this_cause,
    _refused,
    _not_looping_now,
    _while_deploying,
    _while_serving,
    _not_enough_trips_left,
    _rollback_only,
)
