"""What `loopctl ack` does: somebody has taken a loop on, so reminders of it stop. Changes of state are still told."""

from dataclasses import replace

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.record import Record
from loopbreaker.stories.ports import ATTEMPTS, ConflictError, Records


def acknowledge(service: ServiceRef, *, store: Records) -> Record | None:
    """The record with the word in it; None where the service is in no loop.

    Raises ConflictError where the record kept changing.
    """
    for _ in range(ATTEMPTS):
        record = store.load(service)
        if record.incident is None:
            return None
        taken = replace(record, incident=replace(record.incident, acknowledged=True))
        if record.incident.acknowledged or store.save(taken):
            return taken
    raise ConflictError(f"{service.key}: lost {ATTEMPTS} races for the record")
