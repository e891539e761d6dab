"""What `loopctl resume` does: ask for a service that Loopbreaker holds to be brought back."""

from dataclasses import replace

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import BreakerState
from loopbreaker.stories.ports import ATTEMPTS, ConflictError, Records


def resume(service: ServiceRef, *, store: Records, now: float) -> Record | None:
    """The record with the wish in it, which `respond` fulfils; None where Loopbreaker does not hold the service.

    Raises ConflictError where the record kept changing.
    """
    for _ in range(ATTEMPTS):
        record = store.load(service)
        if record.breaker is BreakerState.CLOSED:
            return None
        asked = replace(record, resume_asked=True, asked_at=now, due_at=now)
        if store.save(asked):
            return asked
    raise ConflictError(f"{service.key}: lost {ATTEMPTS} races for the record")
