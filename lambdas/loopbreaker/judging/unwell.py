"""Loops of health checks, for those who can ask ECS: tasks failed, and what runs in their place fails too. Pure.

A failed health check is known as a failure when ECS stops the task, which may be a second grace period after it was
found unhealthy: the replacement is started, and judged, first. Who asks ECS sees that verdict at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from typing import ClassVar

from loopbreaker.judging.ladder import bystanders, chain, surprise, top
from loopbreaker.model import FAILED_HEALTH_CHECKS
from loopbreaker.policy import Policy
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.rung import Ladder, Rung


@dataclass(frozen=True, slots=True)
class Checked:
    """A task that is RUNNING, as its health checks find it.

    healthy: None where no check has said anything yet. judged_at: when its grace period ends; what is said before is
    not counted by ECS.
    """

    created_at: float
    started_at: float
    deployment_id: str
    healthy: bool | None
    judged_at: float


@dataclass(frozen=True, slots=True)
class Unwell:
    """What the tasks that run say: generations in a row that failed, or 0 where somebody is well.

    ask_again: when the next of them is judged; None where there is nothing to wait for.
    """

    WELL: ClassVar["Unwell"]

    depth: int
    ask_again: float | None = None


Unwell.WELL = Unwell(0)
# ECS judges on the second; so much sooner, in seconds, its verdict is believed.
_CLOCKS = 10.0
# Rounds of grace and checks that a task lives at most which was never well; and how long, in seconds, a load
# balancer usually takes until it finds a target unhealthy.
_ROUNDS, _UNHEALTHY_AFTER = 3, 120.0


def may_be_unwell(ladder: Ladder, policy: Policy) -> Rung | None:
    """The last of two failed health checks in a row or more, of which ECS may know more by now."""
    rung = top(ladder, policy.slow)
    return rung if rung and rung.generation >= 2 and rung.category in FAILED_HEALTH_CHECKS else None


def unwell(record: Record, checked: Sequence[Checked], *, policy: Policy, now: float) -> Unwell:
    """How many generations in a row failed, with those that run and whom ECS has found unhealthy.

    Only where none of their deployment is well, so that no crowd can show it by chance.
    """
    rung = may_be_unwell(record.slow, policy)
    if rung is None:
        return Unwell.WELL
    own = [task for task in checked if not rung.deployment_id or task.deployment_id == rung.deployment_id]
    if any(_is_well(task, rung, now) for task in own):
        return Unwell.WELL
    ill = [task for task in own if task.healthy is False and task.judged_at - _CLOCKS <= now]
    replaced = [one.generation for task in ill for one in chain(record.slow, policy.slow) if _in_place_of(one, task)]
    depth = max([rung.generation, *(generation + 1 for generation in replaced)])
    grace = max((task.judged_at - task.started_at for task in own), default=0.0)
    # Who fails its checks from the start is stopped in the third round at the latest.
    while rung.longest > _ROUNDS * (grace + _UNHEALTHY_AFTER) and depth >= policy.fast.depth:
        if _is_surprising(replace(rung, generation=depth), record, policy):
            break
        depth -= 1
    # What ran well may be out for a moment.
    outage = policy.outage * (2 if bystanders(record.slow) else 1)
    later = [task.judged_at for task in own if task.judged_at - _CLOCKS > now]
    if now < rung.since + outage:
        later.append(rung.since + outage)
        depth = min(depth, policy.fast.depth - 1)
    return Unwell(depth, min(later, default=None))


def _is_surprising(rung: Rung, record: Record, policy: Policy) -> bool:
    """Whether tasks of a merely flaky service would hardly fail so soon, or at ages so alike, so often in a row.

    Asked of those that may have been well for long before.
    """
    found = surprise(rung, record.slow, policy.slow, flaky_mtbf=policy.flaky_mtbf)
    return found >= -log(policy.fast.chance)


def _is_well(task: Checked, rung: Rung, now: float) -> bool:
    if task.healthy is None:
        return now - task.started_at > rung.longest
    return task.healthy


def _in_place_of(rung: Rung, task: Checked) -> bool:
    """Whether the task may have been started in place of the one that failed."""
    return rung.freed_at <= task.created_at
