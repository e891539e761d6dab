"""What `loopctl ack` does: somebody has taken a loop on, so reminders of it stop. Changes of state are still told."""

from dataclasses import replace

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.record import Record
from loopbreaker.stories.ports import Records
from loopbreaker.stories.saving import saved


def acknowledge(service: ServiceRef, *, store: Records) -> Record | None:
    """The record with the word in it; None where the service is in no loop.

    Raises ConflictError where the record kept changing.
    """
    change = saved(service, _taken_on, store=store)
    record = change.after if change else store.load(service)
    return record if record.incident else None


def _taken_on(record: Record) -> Record:
    if record.incident is None or record.incident.acknowledged:
        return record
    return replace(record, incident=replace(record.incident, acknowledged=True))
