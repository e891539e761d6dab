"""What an installation may do, and its thresholds: each with its default, its unit and a sentence, declared once here.

Everybody who takes thresholds from outside (the deployment, the functions, `loopctl`) takes them by `override`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum, StrEnum
from functools import cache, total_ordering
from math import floor, inf, log10
from typing import Any


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


_PROFILES = ("fast", "slow")
_NEVER_MORE = (
    ("fast.depth", "slow.depth", "the slow profile would tell before the fast one"),
    ("fast.max_lifetime", "slow.max_lifetime", "the slow profile would see less than the fast one"),
    ("flaky_chance", "fast.chance", "less would be asked of a service that is known to be flaky than of another"),
    ("confirm_after", "quiet_after", "an incident would be over before it is confirmed"),
    ("quiet_after", "long_quiet_after", "an incident would end sooner where a task is missing"),
    ("quiet_after", "blind_quiet_after", "an incident would end sooner where ECS cannot be asked"),
    ("cool_down", "longest_cool_down", "a service would be held for longer than it may be"),
    ("serving_after", "stop_after", "what never served could not be told from what did"),
)
"""Thresholds of which the first may not be more than the second, and why."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number of the policy as people read it: `fast.depth`, `quiet_after`."""

    key: str
    default: float
    unit: Unit
    meaning: str

    def read(self, value: object) -> float | None:
        """The value as a number of this unit; None where it is none. Text is read, as it comes from outside."""
        if isinstance(value, bool):
            return None
        try:
            number = float(str(value))
        except ValueError:
            return None
        match self.unit:
            case Unit.SECONDS:
                return number if 0 < number < inf else None
            case Unit.CHANCE:
                return number if 0 < number < 1 else None
            case Unit.GENERATIONS | Unit.COUNT:
                least = 2 if self.unit is Unit.GENERATIONS else 1
                return int(number) if least <= number < inf and number.is_integer() else None


class PolicyError(ValueError):
    """Thresholds that do not exist, cannot have their value, or contradict each other: `problems` has every one."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@cache
def thresholds() -> Mapping[str, Threshold]:
    """Every threshold, by its key."""
    keys = [f"{profile}.{item.name}" for profile in _PROFILES for item in fields(Profile)]
    keys += [item.name for item in fields(Policy) if item.metadata]
    meant = {item.name: item.metadata for item in (*fields(Profile), *fields(Policy)) if item.metadata}
    default = Policy()
    return {key: Threshold(key, _value(default, key), **meant[key.rpartition(".")[2]]) for key in keys}


def parse(text: str) -> dict[str, str]:
    """`fast.depth=4, quiet_after=900` as changes for `override`. Raises PolicyError for a key that is there twice."""
    found, twice = dict[str, str](), set[str]()
    for part in filter(str.strip, text.split(",")):
        key, _, value = (side.strip() for side in part.partition("="))
        if key in found:
            twice.add(key)
        found[key] = value
    if twice:
        raise PolicyError(*(f"{key} is there twice" for key in sorted(twice)))
    return found


def override(policy: Policy, changes: Mapping[str, object]) -> Policy:
    """The policy with some thresholds replaced: `{"fast.depth": 4, "slow": {"depth": 5}, "quiet_after": "900"}`.

    Raises PolicyError naming every key that is unknown, every value that cannot be, and every contradiction among all
    thresholds, those that are left as they were too.
    """
    known, problems = thresholds(), list[str]()
    for key, value in _flat(changes):
        threshold = known.get(key)
        number = threshold.read(value) if threshold else None
        if threshold is None:
            problems.append(f"unknown threshold '{key}'{_nearest(key)}")
        elif number is None:
            problems.append(f"{key} must be {threshold.unit}, not '{value}'")
        else:
            policy = _replaced(policy, key, number)
    if not problems:
        problems = _contradictions(policy)
    if problems:
        raise PolicyError(*problems)
    return policy


def changes(policy: Policy) -> dict[str, float]:
    """What of a policy is not as by default, in the form that `override` takes."""
    return {
        key: value for key, threshold in thresholds().items() if (value := _value(policy, key)) != threshold.default
    }


def _value(policy: Policy, key: str) -> float:
    profile, _, name = key.rpartition(".")
    found: float = getattr(getattr(policy, profile) if profile else policy, name)
    return found


def _replaced(policy: Policy, key: str, number: float) -> Policy:
    profile, _, name = key.rpartition(".")
    change: dict[str, Any] = {name: number}
    if profile:
        change = {profile: replace(getattr(policy, profile), **change)}
    return replace(policy, **change)


def _flat(nested: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in nested.items():
        if key in _PROFILES and isinstance(value, Mapping):
            yield from ((f"{key}.{name}", number) for name, number in value.items())
        else:
            yield key, value


def _contradictions(policy: Policy) -> list[str]:
    found = []
    for low, high, why in _NEVER_MORE:
        less, more = _value(policy, low), _value(policy, high)
        if less > more:
            found.append(f"{_said(low, less)} is more than {_said(high, more)}: {why}")
    return found


def _said(key: str, value: float) -> str:
    default = ", the default" if value == thresholds()[key].default else ""
    return f"{key}={value:g}{default}"


def _nearest(key: str) -> str:
    # Only for an error: what ships does not wait for it.
    from difflib import get_close_matches  # noqa: PLC0415

    near = get_close_matches(key, thresholds(), n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; there are: {', '.join(thresholds())}"
