"""Looks at a service that is dead, as values: the base from which the tests differ in one thing."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from loopbreaker.judging.detection import confirm
from loopbreaker.model import TaskFailure
from loopbreaker.policy import Mode
from loopbreaker.remembering.incident import Finding, Incident, Signal
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import Scaling, Step, Trip
from loopbreaker.treating.case import Case, Limits
from loopbreaker.treating.facts import Facts, Unknown
from tests import builders
from tests.builders import (
    DEPLOYMENT,
    OLDER_DEPLOYMENT,
    POLICY,
    SERVICE,
    T0,
    climbed,
    crash_loop,
    deployment,
    facts,
    incident,
    observed,
    rollout,
    running_task,
)

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
    known: dict[str, Any] = {
        "deployments": (
            deployment(rollout="IN_PROGRESS"),
            deployment(id=OLDER_DEPLOYMENT, status="ACTIVE", running=1),
        ),
        "rollout": rollout(),
        "tasks": (running_task(-9000, deployment_id=OLDER_DEPLOYMENT),),
    }
    return facts(**(known | fields))


FREE = Scaling(minimum=1, dynamic_in_suspended=False, dynamic_out_suspended=False, scheduled_suspended=False)
SUSPENDED = replace(FREE, dynamic_in_suspended=True, dynamic_out_suspended=True)
HELD_TAG = {"loopbreaker:held": "count=4 since=2026-01-05T00:00Z"}


def trip(step: Step, **fields: Any) -> Trip:
    """A treatment of the dead service, which had four tasks and a scaling target, for a minute at this step."""
    known = {"desired_count": 4, "scaling": FREE, "since": NOW - 60, "looping_since": T0, "zeroed": True}
    return builders.trip(step=step, **(known | fields))


def seen(count: int = 0, *, scaling: Scaling | None = SUSPENDED, held: bool = True, **fields: Any) -> Facts:
    """The service while we are at it: tagged, its scaling suspended."""
    tags = {"loopbreaker:action": "stop", **(HELD_TAG if held else {}), **fields.pop("tags", {})}
    return facts(desired_count=count, scaling=scaling, tags=tags, **fields)


def storm_told_after(failures: Iterable[TaskFailure], *, desired: int | None) -> float:
    """Hours until a storm is told of a service of so many tasks; 0 where none is."""
    record = Record(service=SERVICE)
    for failure in failures:
        record = observed([failure], record=record)
        if record.suspicion and record.suspicion.signal is Signal.STORM:
            record = confirm(record, desired_count=desired, policy=POLICY, now=failure.failed_at + 200)
            if record.incident:
                assert record.incident.signal is Signal.STORM
                return (failure.failed_at - T0) / 3600
    return 0.0


SLOW = {"signal": Signal.SLOW}
