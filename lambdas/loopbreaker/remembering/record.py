"""What is remembered of one service: one folded record, changed only by pure functions.

Verdict is about the service (does it loop?), breaker about us (did we stop it?).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.history import NO_FAILURES, History
from loopbreaker.remembering.incident import Incident, Past, Suspicion
from loopbreaker.remembering.notice import Notice
from loopbreaker.remembering.rung import Ladder
from loopbreaker.remembering.trip import BreakerState, Trip


class Verdict(StrEnum):
    """Whether the service is in a restart loop."""

    HEALTHY = "healthy"
    LOOPING = "looping"


@dataclass(frozen=True, slots=True)
class Lived:
    """A task that failed after `lifetime` seconds, and not by its health checks: it may have served until then."""

    COMPACT: ClassVar[bool] = True

    failed_at: float
    lifetime: float
    deployment_id: str


@dataclass(frozen=True, slots=True)
class Storm:
    """In which spans of five minutes of the last day tasks failed: one bit each, the lowest is the span `first`.

    minutes, minute: the same of the minutes of the last half day; as above.
    tasks: the desired count when ECS was last asked whether it is a storm.
    times: the last two dozen failures of long-lived tasks, within a day.
    """

    first: int = 0
    failing: int = 0
    tasks: int = 1
    times: tuple[float, ...] = ()
    minute: int = 0
    minutes: int = 0


NO_STORM = Storm()


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is remembered of one service.

    version: 0 while it was never saved; the store counts it up.
    impaired, unplaced: times at which ECS said that it cannot start, or cannot place, tasks.
    extra_generations: how many more generations a service of this size needs, once ECS was asked.
    asked_at: set while `respond` is to look at the service; due_at: when the sweep is to ask it.
    past: the last incident, for as long as a loop counts as that one come again.
    storm: how often tasks failed within the last day, chain or no chain.
    history_until: what failed before is history: an incident ended, or the service came back.
    trips: when the service was set to 0 within the last day.
    resume_asked: somebody asked for the service to be brought back.
    history: the failures of the chain that may become an incident, which then has them.
    lived: of the tasks that failed within a day, those that no later one outlived.
    mistakes: what is wrong with its tags, as people were told.
    late: for how long ECS said nothing of its newest failure, where that was more than a minute.
    restarted: when containers were restarted inside their tasks, in the last six hours.
    digested_at: when a digest last told of it.
    empty: when the service was first and last seen to run nothing, since it last ran something.
    """

    service: ServiceRef
    version: int = 0
    fast: Ladder = ()
    slow: Ladder = ()
    impaired: tuple[float, ...] = ()
    unplaced: tuple[float, ...] = ()
    verdict: Verdict = Verdict.HEALTHY
    suspicion: Suspicion | None = None
    extra_generations: int = 0
    incident: Incident | None = None
    past: Past | None = None
    storm: Storm = NO_STORM
    trip: Trip | None = None
    notices: tuple[Notice, ...] = ()
    asked_at: float | None = None
    due_at: float | None = None
    history_until: float = 0.0
    trips: tuple[float, ...] = ()
    resume_asked: bool = False
    touched_at: float = 0.0
    history: History = NO_FAILURES
    lived: tuple[Lived, ...] = ()
    mistakes: tuple[str, ...] = ()
    late: float = 0.0
    restarted: tuple[float, ...] = ()
    empty: tuple[float, ...] = ()
    digested_at: float = 0.0

    @property
    def breaker(self) -> BreakerState:
        """What we do to the service; CLOSED while it runs as its owner set it."""
        return self.trip.state if self.trip else BreakerState.CLOSED


def keep_until(record: Record) -> float:
    """When the record has nothing left to say: a day after it last changed; not soon while a loop lasts, or while it
    is known that people were told of a tag."""
    lasting = record.verdict is not Verdict.HEALTHY or record.mistakes
    return record.touched_at + (400 * 86_400 if lasting else 86_400)
