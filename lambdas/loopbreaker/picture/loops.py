"""One restart loop as operators look at it, open or over: what `status`, `history`, `show` and the others tell of."""

from dataclasses import dataclass
from typing import Any, assert_never

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.history import Failed
from loopbreaker.remembering.incident import Incident, Signal
from loopbreaker.remembering.notice import Receipt
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import BreakerState, Step
from loopbreaker.telling.costs import burned
from loopbreaker.telling.diagnosis import NOTHING, Diagnosis
from loopbreaker.telling.plain import iso
from loopbreaker.telling.prices import Burn


@dataclass(frozen=True, slots=True)
class Loop:
    """An incident of a service. `record` is None where it is over; then `closed_at` and `closed_because` are known.

    diagnosis: what was found out about it when it was found, where that was asked for.
    earlier: the same loop as it was before it came again, the oldest first. receipts: who took which message.
    """

    service: ServiceRef
    incident: Incident
    record: Record | None = None
    closed_at: float | None = None
    closed_because: str = ""
    diagnosis: Diagnosis | None = None
    earlier: tuple[Incident, ...] = ()
    receipts: tuple[Receipt, ...] = ()

    @property
    def spells(self) -> tuple[Incident, ...]:
        """Each time that it looped, the oldest first."""
        return (*self.earlier, self.incident)

    @property
    def failed_tasks(self) -> int:
        return sum(spell.failed_tasks for spell in self.spells)

    @property
    def first_failure_at(self) -> float:
        return min(spell.first_failure_at for spell in self.spells)

    @property
    def messages(self) -> tuple[Receipt, ...]:
        """All that people were told of it, in order, and who took it; nobody, where that was not noted."""
        known = {
            (round(told.at, 3), told.kind): Receipt(told.at, told.kind, told.reason, ())
            for spell in self.spells
            for told in spell.messages
        }
        known |= {(round(one.at, 3), one.kind): one for one in self.receipts}
        return tuple(sorted(known.values(), key=lambda one: one.at))

    @property
    def name(self) -> str:
        return f"{self.service.cluster}/{self.service.name}"

    @property
    def id(self) -> str:
        """How this one is asked for: `loopctl show prod/web@1790000000`."""
        return f"{self.name}@{self.incident.id}"

    @property
    def burn(self) -> Burn:
        """What its restarts cost at most, of what is known."""
        return burned(self.spells, self.diagnosis or NOTHING)

    @property
    def state(self) -> str:
        """What becomes of the service, in a few words."""
        return state(self.record) if self.record else "over"


def state(record: Record) -> str:
    """How a service stands, in a few words that need no explanation."""
    trip = record.trip
    match record.breaker:
        case BreakerState.OPEN:
            return "held at 0"
        case BreakerState.HALF_OPEN:
            return "being tried"
        case BreakerState.CLOSED:
            pass
        case other:
            assert_never(other)
    if record.incident is None:
        return "suspected"
    if trip and trip.step in (Step.STOP_DEPLOYMENT, Step.ROLLING_BACK):
        return "being rolled back"
    return _loops(record.incident.signal)


def _loops(signal: Signal) -> str:
    match signal:
        case Signal.PLACEMENT:
            return "no capacity"
        case Signal.IMPAIRED:
            return "cannot start"
        case Signal.UNHEALTHY:
            return "unhealthy"
        case Signal.SLOW:
            return "loops slowly"
        case Signal.STORM:
            return "fails often"
        case Signal.RESTARTS:
            return "restarts inside"
        case Signal.EMPTY:
            return "runs nothing"
        case Signal.FAST:
            return "loops"


def to_json(loop: Loop) -> dict[str, Any]:
    """As `docs/schemas/loop.schema.json` has it."""
    incident, trip, burn = loop.incident, loop.record.trip if loop.record else None, loop.burn
    histories = [spell.history for spell in loop.spells]
    return {
        "id": loop.id,
        "cluster": loop.service.cluster,
        "service": loop.service.name,
        "cluster_arn": loop.service.cluster_arn,
        "region": loop.service.region,
        "account": loop.service.account,
        "state": loop.state,
        "opened_at": iso(incident.opened_at),
        "times": incident.times,
        "first_failure_at": iso(loop.first_failure_at),
        "last_failure_at": iso(incident.last_failure_at),
        "closed_at": iso(loop.closed_at) if loop.closed_at is not None else None,
        "closed_because": loop.closed_because or None,
        "profile": incident.signal.value,
        "category": incident.category.value,
        "container": incident.container or None,
        "exit_code": incident.exit_code,
        "evidence": incident.evidence or None,
        "depth": incident.depth,
        "failed_tasks": loop.failed_tasks,
        "restarts_per_hour": round(burn.per_hour, 1) if burn.per_hour is not None else None,
        "dollars": round(burn.total, 2),
        "desired_count": incident.desired_count,
        "task_definition": incident.task_definition or None,
        "acknowledged": incident.acknowledged,
        "step": trip.step.value if trip else None,
        "saved_desired_count": trip.desired_count if trip else None,
        "messages": [
            {"at": iso(told.at), "transition": told.kind.value, "reason": told.reason, "to": list(told.to)}
            for told in loop.messages
        ],
        "failures": [_failure(failed) for history in histories for failed in history.shown],
        "counts": [
            {"since": iso(history.since + n * history.width), "seconds": history.width, "failed": count}
            for history in histories
            for n, count in enumerate(history.counts)
        ],
        "diagnosis": _diagnosis(loop.diagnosis) if loop.diagnosis else None,
    }


def _diagnosis(found: Diagnosis) -> dict[str, Any]:
    return {
        "deployed_at": iso(found.deployed_at) if found.deployed_at else None,
        "deployed_by": found.deployed_by or None,
        "compared_with": found.compared_with or None,
        "changes": [{"what": one.what, "before": one.before, "after": one.after} for one in found.changes],
        "sums": list(found.sums),
        "log_group": found.log_group or None,
        "log_stream": found.log_stream or None,
        "log_lines": list(found.lines),
        "left_out": list(found.left_out),
    }


def _failure(failed: Failed) -> dict[str, Any]:
    return {
        "at": iso(failed.at),
        "lifetime": round(failed.lifetime, 3),
        "category": failed.category.value,
        "container": failed.container or None,
        "exit_code": failed.exit_code,
        "evidence": failed.evidence or None,
        "task_definition": failed.task_definition or None,
    }
