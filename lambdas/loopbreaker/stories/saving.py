"""Load, change, save if nobody saved meanwhile, else again: how a record changes that no call of ECS hangs on."""

from collections.abc import Callable

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.record import Record
from loopbreaker.stories.ports import ATTEMPTS, Change, ConflictError, Records


def saved(service: ServiceRef, change: Callable[[Record], Record], *, store: Records) -> Change | None:
    """The change that was saved; None where `change` gave back the very record that it was given.

    Raises ConflictError where others kept winning the race for the record.
    """
    for _ in range(ATTEMPTS):
        before = store.load(service)
        after = change(before)
        if after is before:
            return None
        if store.save(after):
            return Change(before=before, after=after)
    raise ConflictError(f"{service.key}: lost {ATTEMPTS} races for the record")
