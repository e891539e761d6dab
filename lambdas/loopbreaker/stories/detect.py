"""What `detect` does with what a batch says of one service: keep the evidence, fold it into the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from loopbreaker.judging.detection import Evidence, observe
from loopbreaker.model import Category, Classification, ServiceRef, ServiceSignal, TaskFailure, TaskState
from loopbreaker.policy import Policy
from loopbreaker.record import Record

# Writers of one record that get in each other's way: the loser loads what the winner wrote and folds again.
ATTEMPTS = 8


class ConflictError(Exception):
    """The record kept changing under us; the batch is delivered again later."""


class Store(Protocol):
    """The table, as this story sees it."""

    def load(self, service: ServiceRef) -> Record:
        """The record as last saved, read consistently; a new one where there is none."""

    def save(self, record: Record) -> bool:
        """Write the record if nobody saved another since it was loaded; False where somebody did."""

    def keep(self, failures: Sequence[TaskFailure]) -> None:
        """Keep each failure as evidence; repeating it changes nothing."""

    def evidence(self, service: ServiceRef, *, since: float) -> Evidence:
        """What the kept failures from `since` on add up to."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one event says of a service: a failure, a task that found no capacity, or a statement of ECS.

    final: False where the task has failed and is still on its way to STOPPED: another event will tell of the failure.
    """

    service: ServiceRef
    failure: TaskFailure | None = None
    final: bool = True
    signal: ServiceSignal | None = None
    unplaced_at: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A record before and after one fold."""

    before: Record
    after: Record


def observed(task: TaskState, verdict: Classification, failure: TaskFailure | None) -> Observation | None:
    """The observation in the state of a task, or None where it says nothing of a loop."""
    if task.service is None:
        return None
    if failure is not None:
        return Observation(service=task.service, failure=failure, final=verdict.counts)
    if verdict.category is Category.PLACEMENT:
        return Observation(service=task.service, unplaced_at=task.stopped_at or task.sent_at)
    return None


def ingest(observations: Sequence[Observation], *, store: Store, policy: Policy, now: float) -> Change | None:
    """Fold observations of one service into its record; None where they said nothing new.

    The evidence is kept first, so that whoever reads the record finds what it rests on.
    Raises ConflictError where others kept winning the race for the record.
    """
    failures = [o.failure for o in observations if o.failure]
    if failures:
        store.keep(failures)
    for _ in range(ATTEMPTS):
        before = store.load(observations[0].service)
        after = observe(
            before,
            failures=failures,
            signals=[o.signal for o in observations if o.signal],
            unplaced_at=[o.unplaced_at for o in observations if o.unplaced_at is not None],
            policy=policy,
            now=now,
        )
        if after is before:
            return None
        if store.save(after):
            return Change(before=before, after=after)
    raise ConflictError(f"{observations[0].service.key}: lost {ATTEMPTS} races for the record")
