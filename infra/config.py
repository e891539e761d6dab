"""What can be chosen at deploy time: `cdk deploy -c mail=ops@example.com -c action=stop`.

The context is read once, into a `StackConfig`; everything wrong with it is told in one `ConfigError`.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Self, TypeVar

from loopbreaker.policy import Mode, Policy, PolicyError, changes, override, parse

T = TypeVar("T")

ECS_SOURCE = "aws.ecs"
RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827)
"""AWS docs: PutRetentionPolicy; without the values beyond five years."""
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
CDK_PREFIXES = ("aws:", "@aws-cdk/", "aws-cdk:", "cdk-")


class ConfigError(ValueError):
    """Everything that is wrong with the context, one problem a line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["the configuration is wrong:", *(f"  - {line}" for line in problems)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class StackConfig:
    """The stack's configuration. Each field is a context key; lists are comma separated there.

    `mail` and `https` are subscribed to the topic. `act_on` and `never_act_on` are patterns of `cluster/service` that
    limit where the stack may act; it watches every service all the same. `event_source` is where events come from:
    anything but `aws.ecs` is for tests, since nobody but AWS can send as `aws.`. `policy` is given as the thresholds
    that are not as by default: `fast.depth=4,slow.depth=5`.
    """

    mail: tuple[str, ...] = ()
    https: tuple[str, ...] = ()
    action: Mode = Mode.ALERT
    act_on: tuple[str, ...] = ()
    never_act_on: tuple[str, ...] = ()
    event_source: tuple[str, ...] = (ECS_SOURCE,)
    stack_name: str = "Loopbreaker"
    log_retention_days: int = 30
    log_level: str = "INFO"
    policy: Policy = field(default_factory=Policy)
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
            action=read("action", _action, Mode.ALERT),
            act_on=read("act_on", _list_of(_pattern), ()),
            never_act_on=read("never_act_on", _list_of(_pattern), ()),
            event_source=read("event_source", _list_of(_source), (ECS_SOURCE,)) or (ECS_SOURCE,),
            stack_name=read("stack_name", _stack_name, "Loopbreaker"),
            log_retention_days=read("log_retention_days", _retention, 30),
            log_level=read("log_level", _log_level, "INFO"),
            policy=read("policy", _policy, Policy()),
            keep_data=read("keep_data", _boolean, True),
        )
        problems = read.problems + _unknown_keys(context) + _idle(config)
        if problems:
            raise ConfigError(problems)
        return config

    @property
    def policy_json(self) -> str:
        """The policy as the functions read it."""
        return json.dumps(changes(self.policy), sort_keys=True)


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
        except PolicyError as error:
            self.problems += [f"{key}: {problem}" for problem in error.problems]
            return default
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


def _action(text: str) -> Mode:
    return Mode(_one_of(text, tuple(str(mode) for mode in Mode)))


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


def _policy(text: str) -> Policy:
    return override(Policy(), parse(text))


def _unknown_keys(context: Mapping[str, object]) -> list[str]:
    known = StackConfig.__dataclass_fields__
    unknown = (key for key in context if key not in known and not key.startswith(CDK_PREFIXES))
    return [f"unknown key '{key}'{_nearest(key, known)}" for key in unknown]


def _nearest(key: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; there are: {', '.join(known)}"


def _idle(config: StackConfig) -> list[str]:
    """A scope of action means nothing where the stack never acts."""
    if config.action is Mode.ALERT and (config.act_on or config.never_act_on):
        return ["act_on and never_act_on say where to act, but action=alert never acts"]
    return []
