"""What is done with the tags of a service that need not loop: who set one that is not understood is told by day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.record import Record
from loopbreaker.stories.ports import Change, ConflictError, Records, UnreadableError
from loopbreaker.stories.saving import saved
from loopbreaker.treating.mistakes import mistaken
from loopbreaker.treating.owner import wishes


def read_tags(service: ServiceRef, tags: Mapping[str, str], *, store: Records, now: float) -> Change | None:
    """Tell of what is newly wrong with the tags; None where nothing is new. Raises ConflictError."""
    asked = wishes(tags)
    return saved(
        service,
        lambda record: mistaken(record, asked, silent=_silent(record, asked.silent(now)), now=now),
        store=store,
    )


def _silent(record: Record, asked: bool) -> bool:
    return asked or (record.incident is not None and record.incident.silent)


@dataclass(frozen=True, slots=True)
class Read:
    """One look at the tags of all services: how many were looked at, how many have something new wrong with them."""

    services: int = 0
    told: int = 0
    unreadable: tuple[str, ...] = ()


def read_all(services: Iterable[tuple[ServiceRef, Mapping[str, str]]], *, store: Records, now: float) -> Read:
    """The same for every service whose tags are wrong; who has none that are wrong costs no look into the table."""
    seen, told, unreadable = 0, 0, []
    for service, tags in services:
        seen += 1
        if not wishes(tags).problems:
            continue
        try:
            told += read_tags(service, tags, store=store, now=now) is not None
        except (UnreadableError, ConflictError) as error:
            # The next day's look does the same.
            unreadable.append(str(error))
    return Read(seen, told, tuple(unreadable))
