"""What an installation may do, and its thresholds, each with its default and its unit."""

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from math import floor, log10
from typing import Any


class Mode(StrEnum):
    """What this installation may do at most."""

    ALERT = "alert"
    ROLLBACK = "rollback"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Profile:
    """When failures make a loop. Durations in seconds.

    depth: generations in a row that make a loop.
    max_lifetime: a task that ran longer than this before it failed is no part of a loop.
    replacement_gap: a task created within this time of a failure may be its replacement.
    chance: a chain of failures that a merely flaky service would show with a probability above it is no loop yet;
        of a service that is known to be flaky `Policy.flaky_chance` is asked instead.
    """

    depth: int
    max_lifetime: float
    replacement_gap: float
    chance: float

    def generations(self, desired_count: int | None) -> int:
        """Generations in a row that make a loop of a service of this size.

        Chance alone makes longer chains where more tasks run: one more generation from 10 tasks, two from 100.
        """
        return self.depth + (floor(log10(desired_count)) if desired_count else 0)


@dataclass(frozen=True, slots=True)
class Policy:
    """Every threshold of the detector and the breaker. Durations in seconds.

    flaky_mtbf: how often each task of a merely flaky service fails, on average.
    flaky_chance: the probability at which a chain stops being put down to chance, for a service that is known to be
        flaky: a task of it lived long and failed within the last day.
    outage: the failures of such a service must go on for this long; it may be a short outage of what it depends on.
    confirm_blind_after: how long ECS may refuse to answer before a loop is declared without it.
    confirm_after: least time between the two findings that must agree before a service is stopped.
    survivor_age: a task is no survivor before this age, however short the failed ones lived.
    quiet_after: least time without a failure before an incident may end.
    blind_quiet_after: time without a failure that ends an incident where ECS cannot be asked.
    impaired_window: two statements of ECS within it that it cannot start tasks are a loop.
    placement_after: capacity that is missing for this long is worth a message.
    cool_down, longest_cool_down: how long a stopped service is held before one task is let try, where its owner chose
        that; doubles with each try that fails, up to the longest.
    probe_age: least age of the one task that is let try before it counts as a success.
    retrips: how often within a day a service that was started again is stopped again.
    mass_limit, mass_window: more than `mass_limit` services that begin to loop within the window have a shared cause.
    """

    fast: Profile = field(default_factory=lambda: Profile(depth=3, max_lifetime=900, replacement_gap=300, chance=5e-4))
    slow: Profile = field(default_factory=lambda: Profile(depth=4, max_lifetime=3600, replacement_gap=600, chance=5e-5))
    flaky_mtbf: float = 7200
    flaky_chance: float = 2e-6
    outage: float = 180
    confirm_blind_after: float = 120
    confirm_after: float = 30
    survivor_age: float = 120
    quiet_after: float = 600
    blind_quiet_after: float = 3600
    impaired_window: float = 3600
    placement_after: float = 900
    cool_down: float = 900
    longest_cool_down: float = 86_400
    probe_age: float = 300
    retrips: int = 3
    mass_limit: int = 5
    mass_window: float = 600


class PolicyError(ValueError):
    """A threshold that does not exist or cannot have that value; the message names every one."""


def override(policy: Policy, changes: dict[str, object]) -> Policy:
    """The policy with some thresholds replaced, e.g. `{"fast.depth": 4, "confirm_after": 10}`.

    Raises PolicyError naming every key that is unknown and every value that is not a number above zero.
    """
    problems: list[str] = []
    number: Any
    for key, value in changes.items():
        owner, _, name = key.rpartition(".")
        target: Profile | Policy | None = policy if not owner else {"fast": policy.fast, "slow": policy.slow}.get(owner)
        kind = _kinds(target).get(name)
        if kind is None:
            problems.append(f"{key}: no such threshold; there are {', '.join(sorted(thresholds()))}")
            continue
        number = _number(value, kind)
        if number is None:
            problems.append(f"{key}: not {_ASKED[kind]}: {value!r}")
        elif owner == "fast":
            policy = replace(policy, fast=replace(policy.fast, **{name: number}))
        elif owner == "slow":
            policy = replace(policy, slow=replace(policy.slow, **{name: number}))
        else:
            policy = replace(policy, **{name: number})
    if problems:
        raise PolicyError("; ".join(problems))
    return policy


def thresholds() -> dict[str, float]:
    """Every threshold's key and default, in the form that `override` takes."""
    policy = Policy()
    found: dict[str, float] = {}
    for name in _kinds(policy):
        found[name] = getattr(policy, name)
    for owner in ("fast", "slow"):
        profile: Profile = getattr(policy, owner)
        for name in _kinds(profile):
            found[f"{owner}.{name}"] = getattr(profile, name)
    return found


_ASKED = {"int": "a whole number above zero", "float": "a number above zero"}


def _kinds(target: Profile | Policy | None) -> dict[str, str]:
    if target is None:
        return {}
    kinds = {item.name: getattr(item.type, "__name__", str(item.type)) for item in fields(target)}
    return {name: kind for name, kind in kinds.items() if kind in _ASKED}


def _number(value: object, kind: str) -> float | int | None:
    if isinstance(value, bool):
        return None
    try:
        number = int(str(value)) if kind == "int" else float(str(value))
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None
