"""What `detect` does with what a batch says of one service: fold it into the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from loopbreaker.judging.detection import observe
from loopbreaker.model import (
    Category,
    Event,
    Ignored,
    ServiceRef,
    ServiceSignal,
    TaskFailure,
    TaskState,
)
from loopbreaker.policy import Policy
from loopbreaker.remembering.record import Record
from loopbreaker.seeing.reasons import classify, failure
from loopbreaker.stories.ports import Change, Records
from loopbreaker.stories.saving import Memory, saved_again


@dataclass(frozen=True, slots=True)
class Observation:
    """What one event says of a service: a failure, a task that found no capacity, or a statement of ECS.

    restarted_at, empty_at: what no event tells of, and was read.
    final: False where the task has failed and is still on its way to STOPPED: another event will tell of the failure.
    """

    service: ServiceRef
    failure: TaskFailure | None = None
    final: bool = True
    signal: ServiceSignal | None = None
    unplaced_at: float | None = None
    restarted_at: tuple[float, ...] = ()
    empty_at: tuple[float, ...] = ()


def observation(event: Event) -> Observation | None:
    """What an event says of a service, or None where it says nothing of a loop."""
    match event:
        case TaskState():
            return _of_task(event)
        case ServiceSignal():
            return Observation(service=event.service, signal=event)
        case Ignored():
            return None
    assert_never(event)


def detect(
    observations: Sequence[Observation], *, store: Records, policy: Policy, now: float, memory: Memory | None = None
) -> Change | None:
    """Fold observations of one service into its record; None where they said nothing new.

    memory: what this process saved before, where it lives on.

    Raises ConflictError where others kept winning the race for the record.
    """
    failures = [o.failure for o in observations if o.failure]
    signals = [o.signal for o in observations if o.signal]
    unplaced_at = [o.unplaced_at for o in observations if o.unplaced_at is not None]

    def folded(record: Record) -> Record:
        return observe(
            record,
            failures=failures,
            signals=signals,
            unplaced_at=unplaced_at,
            restarted_at=[at for o in observations for at in o.restarted_at],
            empty_at=[at for o in observations for at in o.empty_at],
            policy=policy,
            now=now,
        )

    return saved_again(observations[0].service, folded, store=store, memory=memory or Memory(), now=now)


def _of_task(task: TaskState) -> Observation | None:
    if task.service is None:
        return None
    verdict = classify(task)
    failed = failure(task, verdict)
    if failed is not None:
        return Observation(service=task.service, failure=failed, final=verdict.counts)
    if verdict.category is Category.PLACEMENT:
        return Observation(service=task.service, unplaced_at=task.stopped_at or task.sent_at)
    return None
