"""What one event is to the detector, and why. Pure."""

from dataclasses import dataclass
from datetime import datetime

from loopbreaker.model import Category, Event, Ignored, Label, ServiceRef, ServiceSignal, SignalKind, TaskState
from loopbreaker.seeing.events import parse
from loopbreaker.seeing.fields import MalformedEventError
from loopbreaker.seeing.reasons import classify

_SIGNALS = {
    SignalKind.START_IMPAIRED: "a sign of a loop of its own: twice, or once with failures in a row",
    SignalKind.CONFIGURATION_FAILURE: "a sign of a loop of its own: twice, or once with failures in a row",
    SignalKind.PLACEMENT_FAILURE: "a sign of missing capacity, where it goes on",
    SignalKind.DEPLOYMENT_IN_PROGRESS: "not used",
    SignalKind.DEPLOYMENT_COMPLETED: "not used",
    SignalKind.DEPLOYMENT_FAILED: "not used",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """The label of one event. `at`: when it was sent, in seconds since the epoch; None where it does not say.

    counts: whether it is a failure that counts towards a restart loop.
    """

    task: str | None
    service: ServiceRef | None
    label: Label
    category: Category | None
    counts: bool
    why: str
    at: float | None


def explain(envelope: object) -> Explanation:
    """What the event is. Never fails: what cannot be read is labelled invalid, with every reason for it."""
    try:
        event = parse(envelope)
    except MalformedEventError as error:
        return _no_stop(Label.INVALID, None, str(error), at=None)
    match event:
        case TaskState():
            verdict = classify(event)
            return Explanation(
                task=event.task_id,
                service=event.service,
                label=verdict.label,
                category=verdict.category,
                counts=verdict.counts,
                why=verdict.why,
                at=event.sent_at,
            )
        case ServiceSignal():
            why = f"{event.kind.value} says something of the service, not of a task: {_SIGNALS[event.kind]}."
            return _no_stop(Label.NOT_A_STOP, event.service, why, at=event.at)
        case Ignored():
            return _no_stop(Label.NOT_A_STOP, None, f"Not used: {event.why}.", at=sent_at(envelope, event))


def _no_stop(label: Label, service: ServiceRef | None, why: str, *, at: float | None) -> Explanation:
    return Explanation(task=None, service=service, label=label, category=None, counts=False, why=why, at=at)


def sent_at(envelope: object, event: Event) -> float | None:
    """The envelope's `time`, else the time of which the event speaks; None where it has neither."""
    if isinstance(event, TaskState):
        return event.sent_at
    told = envelope.get("time") if isinstance(envelope, dict) else None
    try:
        moment = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        moment = None
    if moment is not None and moment.tzinfo is not None:
        return moment.timestamp()
    return event.at if isinstance(event, ServiceSignal) else None
