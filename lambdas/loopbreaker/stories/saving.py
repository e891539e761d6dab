"""Load, change, save if nobody saved meanwhile, else again: how a record changes that no call of ECS hangs on."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.record import Record
from loopbreaker.stories.ports import ATTEMPTS, Change, ConflictError, Records

# A record is deleted a day after it last changed; none that is so young can have been, and begun anew.
_YOUNG = 900.0
# To try a record that somebody else has changed costs a write, five times what it costs to read it: who was the last
# to save it four times in a row is likely to be so again, and of several processes in turn none is.
_LIKELY = 4
_MOST = 500


@dataclass(frozen=True, slots=True)
class _Saved:
    """A record as it was saved, when, and how often in a row it had not changed by the time that it was next read."""

    record: Record
    at: float
    unchanged: int


class Memory:
    """The records that this process was the last to save, as far as it knows: tried before they are read again.

    The table has the last word: what is tried is saved only where it has not changed.
    """

    def __init__(self) -> None:
        self._saved: dict[ServiceRef, _Saved] = {}

    def take(self, service: ServiceRef, *, now: float) -> _Saved | None:
        """What is known of a service, and is known no more: whatever interrupts a save, nothing stale is left."""
        known = self._saved.pop(service, None)
        return known if known and now - known.at < _YOUNG else None

    def keep(self, saved: Record, *, unchanged: int, now: float) -> None:
        self._saved[saved.service] = _Saved(replace(saved, version=saved.version + 1), now, unchanged)
        if len(self._saved) > _MOST:
            del self._saved[next(iter(self._saved))]


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


def saved_again(
    service: ServiceRef, change: Callable[[Record], Record], *, store: Records, memory: Memory, now: float
) -> Change | None:
    """The same, by who is likely to have saved the record last: without reading it, where that is remembered.

    That nothing is new is believed of the record as it is read alone.
    """
    known = memory.take(service, now=now)
    if known and known.unchanged >= _LIKELY:
        after = change(known.record)
        if after is not known.record and store.save(after):
            memory.keep(after, unchanged=known.unchanged, now=now)
            return Change(before=known.record, after=after)
    done = saved(service, change, store=store)
    if done:
        unchanged = known.unchanged + 1 if known and known.record.version == done.before.version else 0
        memory.keep(done.after, unchanged=unchanged, now=now)
    return done
