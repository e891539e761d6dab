"""What to do about a service that loops: facts in, one decision and its reason out. Pure.

The order of the rules is the order of harm: first whom never to touch, last the only case in which to act.
"""

from dataclasses import dataclass
from enum import StrEnum

from loopbreaker.facts import Facts, Unknown, survivors
from loopbreaker.policy import Mode, Policy
from loopbreaker.record import Incident, Signal


class Action(StrEnum):
    """What to do now."""

    STOP = "stop"
    WAIT = "wait"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Decision:
    """An action and why. `code` names the reason for programs and for telling it once.

    asked_for: whether the owner wants action, so that leaving the service alone is worth saying.
    final: whether nothing that may happen in this incident changes it.
    """

    action: Action
    code: str
    reason: str
    asked_for: bool = True
    final: bool = False


def decide(facts: Facts | Unknown, incident: Incident, *, mode: Mode, policy: Policy, now: float) -> Decision:
    """Whether to stop the service. WAIT means that a later look may find otherwise, LEAVE that people are told why."""
    if mode is Mode.ALERT:
        return _quietly("alert-only", "this installation alerts and never acts", final=True)
    if isinstance(facts, Unknown):
        return Decision(Action.LEAVE, "ecs-unknown", f"ECS could not be asked: {facts.why}")
    return (
        _not_asked_for(facts)
        or _never(facts)
        or _not_for_this_cause(incident)
        or _not_while_deploying(facts)
        or _not_while_serving(facts, incident, policy=policy, now=now)
        or _not_yet(facts, incident, policy=policy, now=now)
        or Decision(Action.STOP, "no-survivor", _why_stop(incident, policy))
    )


def _quietly(code: str, reason: str, *, final: bool) -> Decision:
    return Decision(Action.LEAVE, code, reason, asked_for=False, final=final)


def _not_asked_for(facts: Facts) -> Decision | None:
    match facts.action:
        case "stop":
            return None
        case "" | "alert":
            return _quietly("not-opted-in", "its owner has not opted in to being stopped", final=False)
        case "ignore":
            return _quietly("ignored", "its owner asked for it to be ignored", final=False)
        case other:
            return Decision(Action.LEAVE, "bad-tag", f"the tag loopbreaker:action has no meaning here: {other!r}")


def _never(facts: Facts) -> Decision | None:
    """Services that cannot be stopped, or not without harm."""
    if facts.strategy == "DAEMON":
        return Decision(Action.LEAVE, "daemon", "a DAEMON service has no desired count", final=True)
    if facts.controller != "ECS":
        return Decision(
            Action.LEAVE,
            "controller",
            f"its deployments are controlled by {facts.controller}, where 0 would stop every task set",
            final=True,
        )
    if facts.managed_by_ecs:
        return Decision(Action.LEAVE, "express", "it is an Express service, which ECS itself manages", final=True)
    return None


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


def _not_while_deploying(facts: Facts) -> Decision | None:
    """Zeroing a service in the middle of a deployment makes the failing deployment look successful."""
    if facts.in_progress:
        return Decision(Action.LEAVE, "deploying", "a deployment is in progress, and at 0 it would count as successful")
    if any(d.status == "ACTIVE" and d.running for d in facts.deployments):
        return Decision(Action.LEAVE, "older-deployment", "an older deployment still has running tasks")
    return None


def _not_while_serving(facts: Facts, incident: Incident, *, policy: Policy, now: float) -> Decision | None:
    if facts.primary is None or facts.primary.id != incident.deployment_id:
        return Decision(Action.LEAVE, "other-deployment", "the tasks that loop are not of the current deployment")
    alive = survivors(facts, longest_lifetime=incident.longest_lifetime, survivor_age=policy.survivor_age, now=now)
    if alive:
        serving = "1 task still serves" if len(alive) == 1 else f"{len(alive)} tasks still serve"
        return Decision(Action.LEAVE, "survivor", serving)
    return None


def _not_yet(facts: Facts, incident: Incident, *, policy: Policy, now: float) -> Decision | None:
    if incident.depth < policy.fast.generations(facts.desired_count) + 1:
        return Decision(Action.WAIT, "depth", "one more failed replacement is needed")
    finding = incident.finding
    if finding is None or facts.primary is None or finding.deployment_id != facts.primary.id:
        return Decision(Action.WAIT, "first-finding", "found fit to be stopped; a second finding must agree")
    if now < finding.at + policy.confirm_after:
        return Decision(Action.WAIT, "second-finding", "the second finding must come later")
    return None


def _why_stop(incident: Incident, policy: Policy) -> str:
    return (
        f"replacements failed {incident.depth} times in a row, no task serves, no deployment is in progress, "
        f"and two findings at least {policy.confirm_after:.0f} s apart agree"
    )
