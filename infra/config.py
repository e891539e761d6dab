"""What can be chosen at deploy time: `cdk deploy -c mail=ops@example.com -c action=stop`.

The context is read once, into a `StackConfig`; everything wrong with it is told in one `ConfigError`.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Self, TypeVar

T = TypeVar("T")
Number = int | float

ECS_SOURCE = "aws.ecs"
RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827)
"""AWS docs: PutRetentionPolicy; without the values beyond five years."""
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
CDK_PREFIXES = ("aws:", "@aws-cdk/", "aws-cdk:", "cdk-")
SECONDS, CHANCE = "seconds, more than 0", "a probability, more than 0 and less than 1"
DEPTH, COUNT = "a whole number, at least 2", "a whole number, at least 1"
POLICY_KEYS = {
    "fast.depth": DEPTH,
    "fast.max_lifetime": SECONDS,
    "fast.replacement_gap": SECONDS,
    "fast.chance": CHANCE,
    "slow.depth": DEPTH,
    "slow.max_lifetime": SECONDS,
    "slow.replacement_gap": SECONDS,
    "slow.chance": CHANCE,
    "flaky_mtbf": SECONDS,
    "flaky_chance": CHANCE,
    "outage": SECONDS,
    "confirm_after": SECONDS,
    "confirm_blind_after": SECONDS,
    "quiet_after": SECONDS,
    "blind_quiet_after": SECONDS,
    "survivor_age": SECONDS,
    "impaired_window": SECONDS,
    "placement_after": SECONDS,
    "cool_down": SECONDS,
    "longest_cool_down": SECONDS,
    "probe_age": SECONDS,
    "retrips": COUNT,
    "mass_limit": COUNT,
    "mass_window": SECONDS,
}
"""Every number that decides what a loop is, and what it must be; the defaults are the functions' own."""


class Action(StrEnum):
    """What the stack may do about a loop. In ALERT it has no permission to change anything."""

    ALERT = "alert"
    ROLLBACK = "rollback"
    STOP = "stop"


class ConfigError(ValueError):
    """Everything that is wrong with the context, one problem a line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["the configuration is wrong:", *(f"  - {line}" for line in problems)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class StackConfig:
    """The stack's configuration. Each field is a context key; lists are comma separated there.

    `mail` and `https` are subscribed to the topic. `act_on` and `never_act_on` are patterns of `cluster/service` that
    limit where the stack may act; it watches every service all the same. `event_source` is where events come from:
    anything but `aws.ecs` is for tests, since nobody but AWS can send as `aws.`. `policy` holds the keys of
    `POLICY_KEYS` that were given.
    """

    mail: tuple[str, ...] = ()
    https: tuple[str, ...] = ()
    action: Action = Action.ALERT
    act_on: tuple[str, ...] = ()
    never_act_on: tuple[str, ...] = ()
    event_source: tuple[str, ...] = (ECS_SOURCE,)
    stack_name: str = "Loopbreaker"
    log_retention_days: int = 30
    log_level: str = "INFO"
    policy: Mapping[str, Number]
    keep_data: bool = True

    @classmethod
    def from_context(cls, context: Mapping[str, object]) -> Self:
        """Reads the CDK context, whose values are text from the command line and JSON from cdk.json.

        Raises ConfigError naming every unknown key, wrong value and impossible combination.
        """
        read = _Reader(context)
        config = cls(
            mail=read("mail", _list_of(_mail), ()),
            https=read("https", _list_of(_https), ()),
            action=read("action", _action, Action.ALERT),
            act_on=read("act_on", _list_of(_pattern), ()),
            never_act_on=read("never_act_on", _list_of(_pattern), ()),
            event_source=read("event_source", _list_of(_source), (ECS_SOURCE,)) or (ECS_SOURCE,),
            stack_name=read("stack_name", _stack_name, "Loopbreaker"),
            log_retention_days=read("log_retention_days", _retention, 30),
            log_level=read("log_level", _log_level, "INFO"),
            policy=read("policy", _policy, {}),
            keep_data=read("keep_data", _boolean, True),
        )
        problems = read.problems + _unknown_keys(context) + _contradictions(config.policy) + _idle(config)
        if problems:
            raise ConfigError(problems)
        return config

    @property
    def policy_json(self) -> str:
        """The policy as the functions read it: `fast.depth` is `{"fast": {"depth": ...}}`."""
        nested: dict[str, object] = {}
        for key, value in self.policy.items():
            profile, _, name = key.rpartition(".")
            group = nested.setdefault(profile, {}) if profile else nested
            assert isinstance(group, dict)
            group[name] = value
        return json.dumps(nested, sort_keys=True)


class _Reader:
    """Reads one key at a time and collects what is wrong."""

    def __init__(self, context: Mapping[str, object]) -> None:
        self._context = context
        self.problems: list[str] = []

    def __call__(self, key: str, parse: Callable[[str], T], default: T) -> T:
        """The value of `key`, or `default` where it is absent or wrong."""
        if key not in self._context:
            return default
        value = self._context[key]
        try:
            return parse(_text(value))
        except ValueError as error:
            self.problems.append(f"{key}={value}: {error}")
            return default


def _text(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str() | int():
            return str(value).strip()
        case _:
            raise ValueError(f"must be text, not {type(value).__name__}")


def _list_of(parse: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    def parse_list(text: str) -> tuple[str, ...]:
        values = [parse(part.strip()) for part in text.split(",")] if text else []
        twice = {value for value in values if values.count(value) > 1}
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))} is there twice")
        return tuple(values)

    return parse_list


def _mail(text: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", text):
        raise ValueError(f"'{text}' is not a mail address")
    return text


def _https(text: str) -> str:
    if not re.fullmatch(r"https://[^/\s]+(/\S*)?", text):
        raise ValueError(f"'{text}' is not an https:// URL")
    return text


def _pattern(text: str) -> str:
    """Names of clusters and services are letters, digits, hyphens and underscores (ECS API reference)."""
    if not re.fullmatch(r"[-\w*?\[\]!]+/[-\w*?\[\]!]+", text, flags=re.ASCII):
        raise ValueError(f"'{text}' is not a pattern of cluster/service, such as prod/* or */web")
    return text


def _source(text: str) -> str:
    """AWS docs: PutEvents; names that begin with `aws.` are reserved for AWS services."""
    if text.startswith("aws.") and text != ECS_SOURCE:
        raise ValueError(f"'{text}' never tells about ECS tasks: use {ECS_SOURCE}, or a source of your own")
    if not re.fullmatch(r"[/.\-_A-Za-z0-9]{1,256}", text):
        raise ValueError(f"'{text}' is not the name of an event source")
    return text


def _stack_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", text):
        raise ValueError("must be letters, digits and hyphens, beginning with a letter, at most 128")
    return text


def _action(text: str) -> Action:
    return Action(_one_of(text, tuple(Action)))


def _log_level(text: str) -> str:
    return _one_of(text, LOG_LEVELS)


def _retention(text: str) -> int:
    return int(_one_of(text, tuple(str(days) for days in RETENTION_DAYS)))


def _boolean(text: str) -> bool:
    return _one_of(text, ("true", "false")) == "true"


def _one_of(text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise ValueError(f"must be one of {', '.join(choices)}")
    return text


def _policy(text: str) -> dict[str, Number]:
    """`fast.depth=4,confirm_after=10` as a dictionary, every wrong part named."""
    found: dict[str, Number] = {}
    wrong: list[str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, _, value = (side.strip() for side in part.partition("="))
        number = _number(value)
        if key not in POLICY_KEYS:
            wrong.append(f"unknown key '{key}'{_nearest(key, POLICY_KEYS)}")
        elif key in found:
            wrong.append(f"{key} is there twice")
        elif number is None or not _allowed(number, POLICY_KEYS[key]):
            wrong.append(f"{key} must be {POLICY_KEYS[key]}, not '{value}'")
        else:
            found[key] = number
    if wrong:
        raise ValueError("; ".join(wrong))
    return found


def _number(text: str) -> Number | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() else number


def _allowed(number: Number, kind: str) -> bool:
    if kind in {SECONDS, CHANCE}:
        return 0 < number < (1 if kind == CHANCE else math.inf)
    return isinstance(number, int) and number >= (2 if kind == DEPTH else 1)


def _unknown_keys(context: Mapping[str, object]) -> list[str]:
    known = StackConfig.__dataclass_fields__
    unknown = (key for key in context if key not in known and not key.startswith(CDK_PREFIXES))
    return [f"unknown key '{key}'{_nearest(key, known)}" for key in unknown]


def _nearest(key: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; there are: {', '.join(known)}"


def _idle(config: StackConfig) -> list[str]:
    """A scope of action means nothing where the stack never acts."""
    if config.action is Action.ALERT and (config.act_on or config.never_act_on):
        return ["act_on and never_act_on say where to act, but action=alert never acts"]
    return []


def _contradictions(policy: Mapping[str, Number]) -> list[str]:
    """Pairs of which the first must not exceed the second, looked at where both were given."""
    pairs = (
        ("fast.max_lifetime", "slow.max_lifetime", "the slow profile would see less than the fast one"),
        ("fast.depth", "slow.depth", "the slow profile would tell before the fast one"),
        ("confirm_after", "quiet_after", "an incident would be over before it is confirmed"),
        ("cool_down", "longest_cool_down", "the wait could not double"),
    )
    return [
        f"policy: {low}={policy[low]} is more than {high}={policy[high]}: {why}"
        for low, high, why in pairs
        if low in policy and high in policy and policy[low] > policy[high]
    ]
