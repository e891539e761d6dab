"""What one event is to the detector, and why. Pure."""

from dataclasses import dataclass

from loopbreaker.model import Category, Ignored, Label, ServiceRef, ServiceSignal, SignalKind, TaskState
from loopbreaker.seeing.events import MalformedEventError, parse
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
    """The label of one event. `counts`: whether it is a failure that counts towards a restart loop."""

    task: str | None
    service: ServiceRef | None
    label: Label
    category: Category | None
    counts: bool
    why: str


def explain(envelope: object) -> Explanation:
    """What the event is. Never fails: what cannot be read is labelled invalid, with every reason for it."""
    try:
        event = parse(envelope)
    except MalformedEventError as error:
        return _no_stop(Label.INVALID, None, str(error))
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
            )
        case ServiceSignal():
            why = f"{event.kind.value} says something of the service, not of a task: {_SIGNALS[event.kind]}."
            return _no_stop(Label.NOT_A_STOP, event.service, why)
        case Ignored():
            return _no_stop(Label.NOT_A_STOP, None, f"Not used: {event.why}.")


def _no_stop(label: Label, service: ServiceRef | None, why: str) -> Explanation:
    return Explanation(task=None, service=service, label=label, category=None, counts=False, why=why)
