"""How one value of the configuration is read: text of the command line, what TOML and JSON hold, or what it is to be.

What cannot be read is a ValueError that says what it must be.
"""

import re
from collections.abc import Callable, Mapping

from loopbreaker.policy import Mode, Policy
from loopbreaker.thresholds import changes, override, parse

ECS_SOURCE = "aws.ecs"
RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827)
"""AWS docs: PutRetentionPolicy; without the values beyond five years."""
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def list_of(parse_one: Callable[[str], str]) -> Callable[[object], tuple[str, ...]]:
    def read(value: object) -> tuple[str, ...]:
        parts = list(value) if isinstance(value, list | tuple) else plain(value).split(",")
        values = [parse_one(part) for one in parts if (part := plain(one))]
        twice = {one for one in values if values.count(one) > 1}
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))} is there twice")
        return tuple(values)

    return read


def plain(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str() | int():
            return str(value).strip()
        case _:
            raise ValueError(f"must be text, not {type(value).__name__}")


def or_none(parse_one: Callable[[str], str]) -> Callable[[object], str]:
    def read(value: object) -> str:
        text = plain(value)
        return parse_one(text) if text else ""

    return read


def pattern(text: str) -> str:
    """Names of clusters and services are letters, digits, hyphens and underscores (ECS API reference)."""
    if not re.fullmatch(r"[-\w*?\[\]!]+/[-\w*?\[\]!]+", text, flags=re.ASCII):
        raise ValueError(f"'{text}' is not a pattern of cluster/service, such as prod/* or */web")
    return text


def daily(value: object) -> int:
    text = plain(value)
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text):
        raise ValueError("must be a whole number from 1 to 999")
    return int(text)


def source(text: str) -> str:
    """AWS docs: PutEvents; names that begin with `aws.` are reserved for AWS services."""
    if text.startswith("aws.") and text != ECS_SOURCE:
        raise ValueError(f"'{text}' never tells about ECS tasks: use {ECS_SOURCE}, or a source of your own")
    if not re.fullmatch(r"[/.\-_A-Za-z0-9]{1,256}", text):
        raise ValueError(f"'{text}' is not the name of an event source")
    return text


def sources(value: object) -> tuple[str, ...]:
    return list_of(source)(value) or (ECS_SOURCE,)


def stack_name(value: object) -> str:
    text = plain(value)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", text):
        raise ValueError("must be letters, digits and hyphens, beginning with a letter, at most 128")
    return text


def action(value: object) -> Mode:
    return value if isinstance(value, Mode) else Mode(one_of(value, tuple(str(mode) for mode in Mode)))


def log_level(value: object) -> str:
    return one_of(value, LOG_LEVELS)


def log_lines(value: object) -> str:
    return one_of(value, ("off", "tagged", "all"))


def retention(value: object) -> int:
    return int(one_of(value, tuple(str(days) for days in RETENTION_DAYS)))


def boolean(value: object) -> bool:
    return one_of(value, ("true", "false")) == "true"


def one_of(value: object, choices: tuple[str, ...]) -> str:
    if (text := plain(value)) not in choices:
        raise ValueError(f"must be one of {', '.join(choices)}")
    return text


def thresholds(value: object) -> Policy:
    match value:
        case Policy():
            return override(Policy(), changes(value))
        case Mapping():
            return override(Policy(), value)
        case _:
            return override(Policy(), parse(plain(value)))
