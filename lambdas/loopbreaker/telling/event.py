"""The message as an event for programs; docs/event.schema.json describes it. Pure."""

from typing import Any

from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.trip import BreakerState
from loopbreaker.telling.contents import Background
from loopbreaker.telling.costs import burned
from loopbreaker.telling.letter import Letter, clean
from loopbreaker.telling.plain import iso
from loopbreaker.telling.words import Telling, state

VERSION = 2
_MOST = 10


def detail(told: Telling, known: Background, letter: Letter) -> dict[str, Any]:
    """The detail of the event. Log lines are for people only, and not in it."""
    after, notice = told.after, told.notice
    service = after.service
    found: dict[str, Any] = {
        "version": VERSION,
        "id": f"{service.key}#{notice.number}#{notice.at:.3f}",
        "transition": notice.kind.value,
        "severity": letter.severity.value,
        "headline": letter.headline,
        "state": state(told),
        "at": iso(notice.at),
        "reason": clean(notice.reason, most=1000),
        "clusterArn": service.cluster_arn,
        "serviceName": service.name,
        "verdict": after.verdict.value,
        "breaker": after.breaker.value,
    }
    if told.incident:
        found |= _incident(told.incident, known)
    if after.breaker is not BreakerState.CLOSED and after.trip:
        found["savedDesiredCount"] = after.trip.desired_count
    if known.others:
        names = sorted(f"{other.service.cluster}/{other.service.name}" for other in known.others)
        found |= {"services": names[:_MOST], "serviceCount": max(notice.services, len(names))}
    return found


def _incident(incident: Incident, known: Background) -> dict[str, Any]:
    diagnosis, cost = known.diagnosis, burned((incident,), known.diagnosis)
    found: dict[str, Any] = {
        "incident": incident.id,
        "profile": incident.signal.value,
        "category": incident.category.value,
        "depth": incident.depth,
        "failedTasks": incident.failed_tasks,
        "firstFailureAt": iso(incident.first_failure_at),
        "lastFailureAt": iso(incident.last_failure_at),
        "taskDefinitionArn": incident.task_definition,
        "container": clean(incident.container),
        "evidence": clean(incident.evidence),
    }
    if incident.exit_code is not None:
        found["exitCode"] = incident.exit_code
    if cost.per_hour is not None and cost.per_day is not None:
        found |= {"restartsPerHour": round(cost.per_hour, 1), "estimatedDollarsPerDay": round(cost.per_day, 2)}
    if diagnosis.task_id:
        found["lastTaskId"] = diagnosis.task_id
    if diagnosis.changes:
        found["changes"] = [
            {
                "what": clean(change.what, most=80),
                "before": clean(change.before, most=120),
                "after": clean(change.after, most=120),
            }
            for change in diagnosis.changes[:_MOST]
        ]
    return found
