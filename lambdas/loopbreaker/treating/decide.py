"""What to do about a service that loops: facts in, one decision and its reason out. Pure.

The order of the rules is the order of harm: first whom never to touch, last the only case in which to act.
"""

from dataclasses import dataclass
from enum import StrEnum

from loopbreaker.judging.detection import fast_depth
from loopbreaker.policy import Mode, Policy
from loopbreaker.record import Incident, Record, Signal
from loopbreaker.treating.facts import Facts, ServiceDeployment, Unknown, survivors
from loopbreaker.treating.owner import wishes


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


@dataclass(frozen=True, slots=True)
class Limits:
    """What this installation allows. `began` counts the services that began to loop about when this one did."""

    mode: Mode
    in_scope: bool = True
    began: int = 1


def decide(facts: Facts | Unknown, record: Record, *, limits: Limits, policy: Policy, now: float) -> Decision:
    """What to do about a record with an incident. WAIT means that a later look may find otherwise."""
    incident = record.incident
    assert incident is not None
    if isinstance(facts, Unknown):
        asked_for = limits.mode is not Mode.ALERT
        return Decision(Action.LEAVE, "ecs-unknown", f"ECS could not be asked: {facts.why}", asked_for=asked_for)
    return (
        _not_allowed(facts, incident, limits, now)
        or _never(facts)
        or _shared_cause(limits, policy)
        or _not_for_this_cause(incident)
        or _not_looping_now(facts, record, policy)
        or _not_enough_trips_left(record, policy, now)
        or _while_deploying(facts, record, policy=policy, now=now)
        or _while_serving(facts, record, policy=policy, now=now)
        or _stop(facts, record, limits, policy=policy, now=now)
    )


def _not_allowed(facts: Facts, incident: Incident, limits: Limits, now: float) -> Decision | None:
    """Rule 1, first half: nobody asked for action, or it is not allowed here."""
    wanted = wishes(facts.tags)
    if limits.mode is Mode.ALERT:
        return _unasked("alert-only", "this installation alerts and never acts")
    if wanted.silent(now, incident.history.shown):
        return _unasked("silenced", "its owner asked for it to be left alone")
    if wanted.action is Mode.ALERT:
        return _unasked("not-opted-in", "its owner has not opted in to action")
    if not limits.in_scope:
        return Decision(Action.LEAVE, "out-of-scope", "this installation may not act on it")
    return None


def _never(facts: Facts) -> Decision | None:
    """Rule 1, second half: services that cannot be stopped, or not without harm."""
    if facts.strategy == "DAEMON":
        return Decision(Action.LEAVE, "daemon", "a DAEMON service has no desired count", final=True)
    if facts.controller != "ECS":
        why = f"its deployments are controlled by {facts.controller}, where 0 would stop every task set"
        return Decision(Action.LEAVE, "controller", why, final=True)
    if facts.managed_by_ecs:
        return Decision(Action.LEAVE, "express", "it is an Express service, which ECS itself manages", final=True)
    return None


def _shared_cause(limits: Limits, policy: Policy) -> Decision | None:
    """Rule 2: many services that begin to loop at once have one cause, and it is not in them."""
    if limits.began <= policy.mass_limit:
        return None
    why = (
        f"{limits.began} services began to loop within {policy.mass_window / 60:.0f} minutes: the cause is a shared one"
    )
    return Decision(Action.LEAVE, "mass", why)


def _not_for_this_cause(incident: Incident) -> Decision | None:
    match incident.signal:
        case Signal.FAST:
            return None
        case Signal.SLOW:
            return Decision(Action.LEAVE, "slow", "it fails slowly and serves in between")
        case Signal.IMPAIRED:
            return Decision(Action.LEAVE, "impaired", "ECS already slows its restarts down")
        case Signal.PLACEMENT:
            return Decision(Action.LEAVE, "placement", "missing capacity is not the application's fault")


def _not_looping_now(facts: Facts, record: Record, policy: Policy) -> Decision | None:
    """An incident outlasts its chain: after a stop, a rollback or a pause a new one has to grow."""
    if fast_depth(record, policy) < policy.fast.generations(facts.desired_count):
        return Decision(Action.WAIT, "depth", "nothing loops at the moment")
    return None


def _not_enough_trips_left(record: Record, policy: Policy, now: float) -> Decision | None:
    if len([at for at in record.trips if at > now - 86_400]) <= policy.retrips:
        return None
    why = f"it was stopped {len(record.trips)} times within a day and started again: a person has to decide"
    return Decision(Action.LEAVE, "trips", why)


def _while_deploying(facts: Facts, record: Record, *, policy: Policy, now: float) -> Decision | None:
    """Rule 3: in a deployment, roll back or leave. At 0 a failing deployment would count as successful."""
    if not facts.in_progress:
        return None
    incident, rollout = record.incident, facts.rollout
    if rollout is None or facts.primary is None or incident is None or facts.primary.id != incident.deployment_id:
        return Decision(
            Action.LEAVE, "deploying", "a deployment is in progress, and the tasks that loop are not of its target"
        )
    if not any(rollout.sources):
        why = "a deployment is in progress, and there is no earlier revision that runs to roll back to"
        return Decision(Action.LEAVE, "no-source", why)
    if _breaker_at_work(rollout):
        why = f"ECS's own deployment circuit breaker counts {rollout.failures} of {rollout.threshold} failures"
        return Decision(Action.LEAVE, "ecs-breaker", why)
    if rollout.status != "IN_PROGRESS":
        return Decision(Action.LEAVE, "deployment-ending", f"its deployment is {rollout.status} already")
    return _not_yet(
        facts, record, depth=policy.fast.generations(facts.desired_count), policy=policy, now=now
    ) or Decision(
        Action.ROLLBACK,
        "roll-back",
        "the tasks that loop are of the deployment in progress, and an earlier revision runs",
    )


def _breaker_at_work(rollout: ServiceDeployment) -> bool:
    return rollout.breaker == "MONITORING" and rollout.failures < rollout.threshold


def _while_serving(facts: Facts, record: Record, *, policy: Policy, now: float) -> Decision | None:
    """Rule 4, the conditions that protect what serves."""
    incident = record.incident
    assert incident is not None
    if any(d.status == "ACTIVE" and d.running for d in facts.deployments):
        return Decision(Action.LEAVE, "older-deployment", "an older deployment still has running tasks")
    if facts.primary is None or facts.primary.id != incident.deployment_id:
        return Decision(Action.LEAVE, "other-deployment", "the tasks that loop are not of the current deployment")
    alive = survivors(facts, longest_lifetime=incident.longest_lifetime, survivor_age=policy.survivor_age, now=now)
    if alive:
        serving = "1 task still serves" if len(alive) == 1 else f"{len(alive)} tasks still serve"
        return Decision(Action.LEAVE, "survivor", serving)
    return None


def _stop(facts: Facts, record: Record, limits: Limits, *, policy: Policy, now: float) -> Decision:
    """Rule 4: stop. Of what the installation allows and the owner asks for the lesser counts."""
    if min(limits.mode, wishes(facts.tags).action) is not Mode.STOP:
        return Decision(Action.LEAVE, "rollback-only", "no deployment is in progress, and only a rollback is allowed")
    depth = policy.fast.generations(facts.desired_count) + 1
    not_yet = _not_yet(facts, record, depth=depth, policy=policy, now=now)
    if not_yet:
        return not_yet
    why = (
        f"replacements failed {fast_depth(record, policy)} times in a row, no task serves, "
        f"no deployment is in progress, and two findings at least {policy.confirm_after:.0f} s apart agree"
    )
    return Decision(Action.STOP, "no-survivor", why)


def _not_yet(facts: Facts, record: Record, *, depth: int, policy: Policy, now: float) -> Decision | None:
    """What else has to be seen before anything is done: a generation more, or the same finding again."""
    incident, primary = record.incident, facts.primary
    assert incident is not None
    assert primary is not None
    if fast_depth(record, policy) < max(depth, wishes(facts.tags).depth):
        return Decision(Action.WAIT, "depth", "one more failed replacement is needed")
    finding = incident.finding
    if finding is None or finding.deployment_id != primary.id:
        return Decision(Action.WAIT, "first-finding", "found fit for action; a second finding must agree")
    if now < finding.at + policy.confirm_after:
        return Decision(Action.WAIT, "second-finding", "the second finding must come later")
    return None


def _unasked(code: str, reason: str) -> Decision:
    return Decision(Action.LEAVE, code, reason, asked_for=False)
