"""What the stories need of the world: a table, ECS, a way to tell people. The adapters and the fakes satisfy them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import Scaling

if TYPE_CHECKING:  # only `notify` writes messages, and only `respond` asks ECS; the others load neither
    from loopbreaker.telling.messages import Message
    from loopbreaker.treating.facts import Answer, Facts, Refusal, Unknown

# Of a great many services that began to loop at about one time the newest so many are named.
MOST_BEGINNINGS = 200
# Writers of one record that get in each other's way: the loser loads what the winner wrote and starts again.
ATTEMPTS = 8


class ConflictError(Exception):
    """The record kept changing under us; what led here is delivered again later."""


class UnreadableError(Exception):
    """What is stored of one service cannot be read, by this version at least; the message says of which, and why."""


@dataclass(frozen=True, slots=True)
class Change:
    """A record before and after one fold or look."""

    before: Record
    after: Record


class Records(Protocol):
    """One record per service."""

    def load(self, service: ServiceRef) -> Record:
        """The record as last saved, read consistently; a new one where there is none. Raises UnreadableError."""

    def save(self, record: Record) -> bool:
        """Write the record if nobody saved another since it was loaded; False where somebody did."""


class Calendar(Records, Protocol):
    """The table, as `sweep` sees it."""

    def due(self, *, now: float, limit: int) -> list[ServiceRef]:
        """Services whose records want attention by now, the longest overdue first."""


class Incidents(Records, Protocol):
    """The table, as `respond` sees it."""

    def archive(self, service: ServiceRef, incident: Incident, *, closed_at: float, reason: str) -> None:
        """Keep a closed incident; repeating it changes nothing."""

    def gather(self, service: ServiceRef, *, at: float, window: float) -> tuple[ServiceRef, ...]:
        """Note that a service began to loop; the services that began within `window` seconds of it, itself included.

        Of a great many the newest `MOST_BEGINNINGS`.
        """

    def began(self, *, at: float, window: float) -> tuple[ServiceRef, ...]:
        """The services that began to loop within `window` seconds of a time; of a great many the newest few."""

    def number_began(self, *, at: float, window: float) -> int:
        """How many those are: reads them all, which is no work for every look."""

    def announce(self, service: ServiceRef, number: int, *, at: float, window: float) -> bool:
        """Whether it is for this service's record to tell of so many: no other has told of as many within `window`."""

    def enter_summary(self, service: ServiceRef, *, at: float) -> None:
        """Note that a summary stands for this service's loop; repeating it changes nothing."""

    def leave_summary(self, service: ServiceRef) -> None:
        """The loop is over, or told of by itself; repeating it changes nothing."""

    def in_summary(self, *, most: int) -> tuple[ServiceRef, ...]:
        """Services for whose loops a summary still stands, so many at most."""

    def announce_end(self, service: ServiceRef, *, at: float) -> bool:
        """Whether it is for this service's record to tell that the trouble is over; False where nobody told of it."""


class Ecs(Protocol):
    """ECS and Application Auto Scaling.

    A call that acts answers with what the next step needs, or with a refusal: AWS will not do it, however often asked.
    Whatever may pass by itself, such as throttling, is an exception.
    """

    def read(self, service: ServiceRef) -> "Facts | Unknown":
        """The facts of the service, or why they could not be read."""

    def set_desired_count(self, service: ServiceRef, count: int) -> "Answer | Refusal":
        """Set the count."""

    def set_suspended(self, service: ServiceRef, scaling: Scaling) -> "Answer | Refusal":
        """Give the scaling target the three suspended flags of `scaling`."""

    def tag_held(self, service: ServiceRef, *, count: int, since: float) -> "Answer | Refusal":
        """Put the tag on the service that says that it is held, from when on, and with which count it comes back."""

    def untag_held(self, service: ServiceRef) -> "Answer | Refusal":
        """Take that tag away."""

    def roll_back(self, service_deployment: str) -> "Answer | Refusal":
        """Stop a service deployment and roll it back."""


class Outlet(Protocol):
    """Where messages go."""

    def publish(self, message: "Message") -> None:
        """Send one message in all its forms. Raises where any of them was not taken."""
