"""Looks at a service that is dead, as values: the base from which the tests of `treating` differ in one thing."""

from dataclasses import replace
from typing import Any

from loopbreaker.policy import Mode
from loopbreaker.remembering.incident import Finding, Incident, Signal
from loopbreaker.remembering.record import Record
from loopbreaker.treating.case import Case, Limits
from loopbreaker.treating.facts import Facts, Unknown
from tests.builders import DEPLOYMENT, POLICY, SERVICE, T0, climbed, crash_loop, deployment, facts, incident, rollout

PERIOD = 60.0
GENERATIONS = 36
LAST = T0 + (GENERATIONS - 1) * PERIOD + 5
"""The newest failure of the dead loop."""
NOW = LAST + 10


def dead(**fields: Any) -> Record:
    """Both tasks' slots have crashed five seconds after each start for 35 minutes; watched all the time."""
    loop = incident(
        opened_at=T0 + 130,
        first_failure_at=T0 + 5,
        last_failure_at=LAST,
        depth=GENERATIONS,
        looked_at=NOW - 30,
        watched_since=T0 + 5,
        unserved_since=T0 + 5,
        finding=Finding(at=NOW - 60, deployment_id=DEPLOYMENT, failed_at=LAST - PERIOD),
        longest_lifetime=5.0,
    )
    of_incident = {name: value for name, value in fields.items() if name in Incident.__slots__ and name != "history"}
    of_record = {name: value for name, value in fields.items() if name not in of_incident}
    known = Record(
        service=SERVICE,
        version=3,
        incident=replace(loop, **of_incident),
        fast=climbed(crash_loop(GENERATIONS, lifetime=5, restart=PERIOD - 5)),
    )
    return replace(known, **of_record)


def case(
    record: Record | None = None,
    seen: Facts | Unknown | None = None,
    *,
    mode: Mode = Mode.STOP,
    now: float = NOW,
    policy: Any = POLICY,
    **limits: Any,
) -> Case:
    """A look at it, in an installation that may stop services."""
    return Case(
        record=record or dead(),
        facts=seen or facts(),
        limits=Limits(mode=mode, **limits),
        policy=policy,
        now=now,
    )


def deploying(**fields: Any) -> Facts:
    """The dead revision is being rolled out, while a task of the earlier one serves."""
    from tests.builders import OLDER_DEPLOYMENT, running_task

    known: dict[str, Any] = {
        "deployments": (
            deployment(rollout="IN_PROGRESS"),
            deployment(id=OLDER_DEPLOYMENT, status="ACTIVE", running=1),
        ),
        "rollout": rollout(),
        "tasks": (running_task(-9000, deployment_id=OLDER_DEPLOYMENT),),
    }
    return facts(**(known | fields))


SLOW = {"signal": Signal.SLOW}
