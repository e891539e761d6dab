"""What an installation may do, and its thresholds: each with its default, its unit and a sentence, declared once here.

How they are read from outside stands in `thresholds`.
"""

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import total_ordering
from math import floor, log10


@total_ordering
class Mode(Enum):
    """The most that may be done to a service, the least first. Of two that hold the lesser counts: `min`."""

    ALERT = "alert"
    ROLLBACK = "rollback"
    STOP = "stop"

    def __lt__(self, other: "Mode") -> bool:
        order = list(Mode)
        return order.index(self) < order.index(other)

    def __str__(self) -> str:
        return self.value


class Unit(StrEnum):
    """What a threshold is, in the words of the error for what it is not."""

    SECONDS = "seconds, more than 0"
    CHANCE = "a probability, more than 0 and less than 1"
    GENERATIONS = "a whole number, at least 2"
    COUNT = "a whole number, at least 1"


def _is(unit: Unit, meaning: str) -> dict[str, object]:
    return {"unit": unit, "meaning": meaning}


@dataclass(frozen=True, slots=True)
class Profile:
    """When failures make a loop. Each field is a threshold, such as `fast.depth`."""

    depth: int = field(
        metadata=_is(
            Unit.GENERATIONS,
            "failures in a row, each of a replacement of the one before, that make a loop (generations)",
        )
    )
    max_lifetime: float = field(
        metadata=_is(Unit.SECONDS, "a task that ran longer than this before it failed is no part of a loop")
    )
    replacement_gap: float = field(
        metadata=_is(Unit.SECONDS, "a task created within this time of a failure may be its replacement")
    )
    chance: float = field(
        metadata=_is(
            Unit.CHANCE,
            "a chain of failures that a merely flaky service would show with a greater probability is no loop yet",
        )
    )

    def generations(self, desired_count: int | None) -> int:
        """Generations in a row that make a loop of a service of this size.

        Chance alone makes longer chains where more tasks run: one more generation from 10 tasks, two from 100.
        """
        return self.depth + (floor(log10(desired_count)) if desired_count else 0)


@dataclass(frozen=True, slots=True)
class Policy:
    """Every threshold of the detector and the breaker: the two profiles, and each field beside them."""

    fast: Profile = field(default_factory=lambda: Profile(depth=3, max_lifetime=900, replacement_gap=300, chance=5e-4))
    slow: Profile = field(default_factory=lambda: Profile(depth=4, max_lifetime=3600, replacement_gap=600, chance=5e-5))
    flaky_mtbf: float = field(
        default=7200, metadata=_is(Unit.SECONDS, "how often each task of a merely flaky service fails, on average")
    )
    flaky_chance: float = field(
        default=2e-6,
        metadata=_is(
            Unit.CHANCE,
            "asked instead of `fast.chance` and `slow.chance` of a service that is known to be flaky: "
            "a task of it lived long and failed within the last day",
        ),
    )
    outage: float = field(
        default=180,
        metadata=_is(
            Unit.SECONDS,
            "the failures of a service known to be flaky must go on for this long; it may be a short outage",
        ),
    )
    confirm_blind_after: float = field(
        default=120,
        metadata=_is(Unit.SECONDS, "how long ECS may refuse to answer before a loop is declared without it"),
    )
    confirm_after: float = field(
        default=30,
        metadata=_is(Unit.SECONDS, "least time between the two findings that must agree before a service is acted on"),
    )
    survivor_age: float = field(
        default=120,
        metadata=_is(Unit.SECONDS, "a task is no survivor before this age, however short the failed ones lived"),
    )
    quiet_after: float = field(
        default=600, metadata=_is(Unit.SECONDS, "least time without a failure before an incident may end")
    )
    long_quiet_after: float = field(
        default=3600,
        metadata=_is(
            Unit.SECONDS, "least time without a failure after which an incident may end although not every task runs"
        ),
    )
    blind_quiet_after: float = field(
        default=3600,
        metadata=_is(Unit.SECONDS, "least time without a failure that ends an incident where ECS cannot be asked"),
    )
    impaired_window: float = field(
        default=3600,
        metadata=_is(Unit.SECONDS, "two statements of ECS within it that it cannot start tasks are a loop"),
    )
    placement_after: float = field(
        default=900, metadata=_is(Unit.SECONDS, "capacity that is missing for this long is worth a message")
    )
    empty_after: float = field(
        default=1800,
        metadata=_is(
            Unit.SECONDS, "a service that shall run tasks and has run none for this long is told, whatever the reason"
        ),
    )
    serving_after: float = field(
        default=60,
        metadata=_is(
            Unit.SECONDS, "a task of which no health is known is taken for one that serves once it has run this long"
        ),
    )
    stop_after: float = field(
        default=1800,
        metadata=_is(Unit.SECONDS, "nobody must have been served for this long before a service is acted on"),
    )
    abandoned_after: float = field(
        default=129_600,
        metadata=_is(
            Unit.SECONDS,
            "a deployment in progress may be waited for so long, and until then its service is never set to 0: "
            "CloudFormation waits for 36 hours",
        ),
    )
    pipeline_waits: float = field(
        default=21_600,
        metadata=_is(
            Unit.SECONDS,
            "the same where CloudFormation says that no stack of it waits: pipelines wait for 6 hours at most",
        ),
    )
    fresh_after: float = field(
        default=120,
        metadata=_is(
            Unit.SECONDS,
            "nothing is done where the newest failure is older than this, or than twice the usual gap if that is more",
        ),
    )
    cool_down: float = field(
        default=420,
        metadata=_is(Unit.SECONDS, "how long a stopped service is held before it is tried, at least"),
    )
    recovery_share: float = field(
        default=0.5,
        metadata=_is(
            Unit.CHANCE,
            "a held service is tried so often that it is back within this share of the time that its cause lasted",
        ),
    )
    probe_allowance: float = field(
        default=600, metadata=_is(Unit.SECONDS, "what a try and the way back take of that time")
    )
    longest_cool_down: float = field(
        default=86_400, metadata=_is(Unit.SECONDS, "a stopped service is held for this long at most before it is tried")
    )
    probe_age: float = field(
        default=120,
        metadata=_is(
            Unit.SECONDS, "a task of unknown health that is tried must outlive this, and those that failed twice over"
        ),
    )
    retrips: int = field(
        default=3,
        metadata=_is(Unit.COUNT, "how often within a day a service that came back is stopped again"),
    )
    mass_limit: int = field(
        default=5,
        metadata=_is(Unit.COUNT, "more services than this that begin to loop within `mass_window` have a shared cause"),
    )
    mass_window: float = field(default=1800, metadata=_is(Unit.SECONDS, "the time that `mass_limit` speaks of"))
