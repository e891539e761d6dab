"""What can be chosen at deploy time: in `loopbreaker.toml`, on the command line (`-c action=stop`), or by a program.

All become one `StackConfig`; everything wrong is told in one `ConfigError`.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from loopbreaker.policy import Mode, Policy
from loopbreaker.thresholds import PolicyError, changes, override, parse

from . import recipients

ECS_SOURCE = "aws.ecs"
RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827)
"""AWS docs: PutRetentionPolicy; without the values beyond five years."""
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
CDK_PREFIXES = ("aws:", "@aws-cdk/", "aws-cdk:", "cdk-")


class ConfigError(ValueError):
    """Everything that is wrong with the configuration, one problem a line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["the configuration is wrong:", *(f"  - {line}" for line in problems)]))
        self.problems = problems


# Each of these reads one value: text of the command line, what TOML and JSON hold, or what it is to become already.
# What cannot be read is a ValueError that says what it must be.


def _list_of(parse_one: Callable[[str], str]) -> Callable[[object], tuple[str, ...]]:
    def read(value: object) -> tuple[str, ...]:
        parts = list(value) if isinstance(value, list | tuple) else _text(value).split(",")
        values = [parse_one(part) for one in parts if (part := _text(one))]
        twice = {one for one in values if values.count(one) > 1}
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))} is there twice")
        return tuple(values)

    return read


def _text(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str() | int():
            return str(value).strip()
        case _:
            raise ValueError(f"must be text, not {type(value).__name__}")


def _or_none(parse_one: Callable[[str], str]) -> Callable[[object], str]:
    def read(value: object) -> str:
        text = _text(value)
        return parse_one(text) if text else ""

    return read


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


def _sources(value: object) -> tuple[str, ...]:
    return _list_of(_source)(value) or (ECS_SOURCE,)


def _stack_name(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", text):
        raise ValueError("must be letters, digits and hyphens, beginning with a letter, at most 128")
    return text


def _action(value: object) -> Mode:
    return value if isinstance(value, Mode) else Mode(_one_of(value, tuple(str(mode) for mode in Mode)))


def _log_level(value: object) -> str:
    return _one_of(value, LOG_LEVELS)


def _log_lines(value: object) -> str:
    return _one_of(value, ("off", "tagged", "all"))


def _retention(value: object) -> int:
    return int(_one_of(value, tuple(str(days) for days in RETENTION_DAYS)))


def _boolean(value: object) -> bool:
    return _one_of(value, ("true", "false")) == "true"


def _one_of(value: object, choices: tuple[str, ...]) -> str:
    if (text := _text(value)) not in choices:
        raise ValueError(f"must be one of {', '.join(choices)}")
    return text


def _policy(value: object) -> Policy:
    match value:
        case Policy():
            return override(Policy(), changes(value))
        case Mapping():
            return override(Policy(), value)
        case _:
            return override(Policy(), parse(_text(value)))


def _is(read: Callable[[object], object], meaning: str) -> dict[str, object]:
    """How a value of the key is read, and what the documents say of it."""
    return {"read": read, "meaning": meaning}


@dataclass(frozen=True, slots=True, kw_only=True)
class StackConfig:
    """The configuration of one installation. Raises ConfigError where a value is wrong, naming all that are.

    Values may be given as text too, as they come from outside; they are kept as the type of their field.
    """

    mail: tuple[str, ...] = field(
        default=(), metadata=_is(_list_of(recipients.mail), "mail addresses that are told, comma separated")
    )
    https: tuple[str, ...] = field(
        default=(),
        metadata=_is(
            _list_of(recipients.https),
            "`https://` endpoints that get each event as JSON, comma separated; each has to confirm its subscription",
        ),
    )
    slack_workspace: str = field(
        default="",
        metadata=_is(
            _or_none(recipients.workspace),
            "id of a Slack workspace (`T…`): Amazon Q Developer in chat applications tells `slack_channel`",
        ),
    )
    slack_channel: str = field(
        default="", metadata=_is(_or_none(recipients.channel), "id of the Slack channel (`C…`) that is told")
    )
    slack_token: str = field(
        default="",
        metadata=_is(
            _or_none(recipients.secret_name),
            "name of a secret with the token of a Slack bot, which keeps one message per incident up to date",
        ),
    )
    slack_channels: tuple[str, ...] = field(
        default=(),
        metadata=_is(
            _list_of(recipients.channel),
            "ids of more channels, which owners may choose by the tag `loopbreaker:channel`; for a bot only",
        ),
    )
    slack_webhook: str = field(
        default="",
        metadata=_is(
            _or_none(recipients.secret_name),
            "name of a secret with the address of an incoming webhook of Slack; a new message for each change",
        ),
    )
    log_lines: str = field(
        default="off",
        metadata=_is(
            _log_lines,
            "whose last log lines stand in messages, with what looks like a secret masked: `off`, `tagged` "
            "(`loopbreaker:logs` = `true`) or `all`",
        ),
    )
    runbook: str = field(
        default="",
        metadata=_is(
            _or_none(recipients.address), "`https://` address of the pages of `docs/runbook`, for links in messages"
        ),
    )
    action: Mode = field(
        default=Mode.ALERT,
        metadata=_is(_action, "the most that may be done to a service: `alert`, `rollback`, `stop`"),
    )
    act_on: tuple[str, ...] = field(
        default=(),
        metadata=_is(
            _list_of(_pattern),
            "patterns of `cluster/service` on which the stack may act, such as `prod/*`, comma separated; "
            "it watches every service all the same; none means all",
        ),
    )
    never_act_on: tuple[str, ...] = field(
        default=(), metadata=_is(_list_of(_pattern), "patterns on which it never acts; wins over `act_on`")
    )
    policy: Policy = field(
        default=Policy(),
        metadata=_is(
            _policy, "[thresholds](#thresholds) that differ from the default, such as `fast.depth=4,outage=300`"
        ),
    )
    stack_name: str = field(default="Loopbreaker", metadata=_is(_stack_name, "name of the stack"))
    log_retention_days: int = field(
        default=30, metadata=_is(_retention, "how long logs of the functions are kept, in days")
    )
    log_level: str = field(default="INFO", metadata=_is(_log_level, "`DEBUG`, `INFO`, `WARNING`, `ERROR`"))
    keep_data: bool = field(
        default=True, metadata=_is(_boolean, "the table outlives the stack, protected from deletion")
    )
    event_source: tuple[str, ...] = field(
        default=(ECS_SOURCE,),
        metadata=_is(
            _sources, "where events come from; anything else is for tests, since nobody but AWS can send as `aws.`"
        ),
    )

    def __post_init__(self) -> None:
        problems: list[str] = []
        for item in fields(self):
            value = getattr(self, item.name)
            try:
                object.__setattr__(self, item.name, item.metadata["read"](value))
            except PolicyError as error:
                problems += [f"{item.name}: {problem}" for problem in error.problems]
            except ValueError as error:
                shown = item.name if item.name in recipients.SECRET_KEYS else f"{item.name}={value}"
                problems.append(f"{shown}: {error}")
        if not problems and self.action is Mode.ALERT and (self.act_on or self.never_act_on):
            problems.append("act_on and never_act_on say where to act, but action=alert never acts")
        if not problems:
            problems += recipients.problems(
                workspace=self.slack_workspace,
                channel=self.slack_channel,
                token=self.slack_token,
                channels=self.slack_channels,
            )
        if problems:
            raise ConfigError(problems)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The configuration with these keys. Raises ConfigError naming unknown keys too."""
        known = [item.name for item in fields(cls)]
        unknown = [f"unknown key '{key}'{_nearest(key, known)}" for key in given if key not in known]
        try:
            config = cls(**{key: value for key, value in given.items() if key in known})
        except ConfigError as error:
            raise ConfigError(error.problems + unknown) from None
        if unknown:
            raise ConfigError(unknown)
        return config

    @classmethod
    def from_context(cls, context: Mapping[str, object], *, file: Path | None = None) -> Self:
        """What the file says, if there is one, with the CDK context (`-c key=value`, cdk.json) on top.

        Raises ConfigError naming every unknown key, wrong value and impossible combination.
        """
        chosen = {key: value for key, value in context.items() if not key.startswith(CDK_PREFIXES)}
        return cls.of((_of_file(file) if file and file.exists() else {}) | chosen)

    @property
    def tells_somebody(self) -> bool:
        return bool(self.mail or self.https or self.slack_workspace or self.slack_token or self.slack_webhook)

    @property
    def policy_json(self) -> str:
        """The policy as the functions read it."""
        return json.dumps(changes(self.policy), sort_keys=True)


def _of_file(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError([f"{file.name}: {error}"]) from error


def _nearest(key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; there are: {', '.join(known)}"
