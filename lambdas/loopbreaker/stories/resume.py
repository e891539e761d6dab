"""What `loopctl resume` does: ask for a service that Loopbreaker holds to be brought back."""

from dataclasses import replace

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import BreakerState
from loopbreaker.stories.ports import Records
from loopbreaker.stories.saving import saved


def resume(service: ServiceRef, *, store: Records, now: float) -> Record | None:
    """The record with the wish in it, which `respond` fulfils; None where Loopbreaker does not hold the service.

    Raises ConflictError where the record kept changing.
    """

    def asked(record: Record) -> Record:
        if record.breaker is BreakerState.CLOSED:
            return record
        return replace(record, resume_asked=True, asked_at=now, due_at=now)

    change = saved(service, asked, store=store)
    return change.after if change else None
