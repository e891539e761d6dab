"""Thresholds as they come from outside: the deployment, the functions and `loopctl` take them by `override`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from math import inf
from typing import Any

from loopbreaker.policy import Policy, Profile, Unit

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
