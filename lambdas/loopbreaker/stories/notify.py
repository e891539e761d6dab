"""What `notify` does with one change of a record: publish the messages that it owes, with all that is known."""

from dataclasses import dataclass
from typing import Protocol

from loopbreaker import STACK
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.notice import Notice, NoticeKind
from loopbreaker.remembering.owed import owed
from loopbreaker.remembering.record import Record
from loopbreaker.stories.ports import Outlet
from loopbreaker.telling.contents import Background
from loopbreaker.telling.diagnosis import NOTHING, Diagnosis
from loopbreaker.telling.mass import Other
from loopbreaker.telling.messages import compose

# Of a great many services that loop at once so many are looked at for what they share.
_MOST_OTHERS = 40


class Shelf(Protocol):
    """What was found out before. Nothing here fails: what cannot be read is left out."""

    def find(self, service: ServiceRef, incident: Incident) -> Diagnosis:
        """What was found out about an incident."""

    def earlier(self, service: ServiceRef, incident: Incident) -> tuple[Incident, ...]:
        """The same incident as it was before it came again, the oldest first."""

    def at_once(self, *, at: float, window: float, most: int) -> list[Record]:
        """The records of services that began to loop within `window` seconds of a time, of the newest so many."""


@dataclass(frozen=True, slots=True)
class Library:
    """Where a message takes from what the record does not say.

    runbook: an address. stack: the name of this installation. window: of services that loop at once, in seconds.
    """

    shelf: Shelf | None = None
    runbook: str = ""
    stack: str = STACK
    window: float = 0.0


def notify(
    before: Record | None, after: Record, *, outlet: Outlet, library: Library | None = None
) -> tuple[Notice, ...]:
    """Publish what the step from one version of a record to the next owes, in order; what was published."""
    notices = owed(before, after)
    for notice in notices:
        known = _background(before, after, notice, library or Library())
        outlet.publish(compose(before, after, notice, known))
    return notices


def _background(before: Record | None, after: Record, notice: Notice, library: Library) -> Background:
    incident = after.incident or (before.incident if before else None)
    shelf = library.shelf
    if shelf is None or incident is None:
        return Background(runbook=library.runbook, stack=library.stack)
    if notice.kind is not NoticeKind.MASS:
        return Background(
            diagnosis=shelf.find(after.service, incident),
            earlier=shelf.earlier(after.service, incident) if incident.times > 1 else (),
            runbook=library.runbook,
            stack=library.stack,
        )
    records = shelf.at_once(at=incident.found_at, window=library.window, most=_MOST_OTHERS)
    others = tuple(
        Other(one.service, one.incident, shelf.find(one.service, one.incident) if one.incident else NOTHING)
        for one in records
    )
    return Background(others=others, runbook=library.runbook, stack=library.stack)
