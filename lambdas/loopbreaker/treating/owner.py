"""What the owner of a service asks for, in tags: read with care, because a tag may say anything."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from loopbreaker.policy import Mode
from loopbreaker.remembering.history import SHOWN, Failed

T = TypeVar("T")

PREFIX = "loopbreaker:"
HELD_TAG = f"{PREFIX}held"
"""Ours: a service that Loopbreaker holds at 0 carries it, with the count that it gets again and since when."""
_GREATEST_DEPTH = 100
_IGNORE = "ignore"
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
# Bounds of the durations, in seconds; those of a wait.
_SERVING_AFTER = (10.0, 3600.0)
_STOP_AFTER = (60.0, 7 * 86_400.0)


class Recovery(StrEnum):
    """The tag `loopbreaker:recovery`: who brings a stopped service back."""

    MANUAL = "manual"
    PROBE = "probe"


@dataclass(frozen=True, slots=True)
class Wishes:
    """The owner's wishes. A tag that is missing or wrong leaves the safe default; `problems` says what is wrong.

    action: the most that may be done to the service.
    ignore: nothing is told of the service, and nothing done to it.
    depth: generations that the owner wants to see at least; 0 where none is given.
    mute_until: seconds since the epoch; 0 where nothing is muted.
    serving_after: seconds after which a task of unknown health is taken for one that serves; 0 where not given.
    stop_after: seconds for which nobody was served before the service is acted on; 0 where not given.
    abandoned_after: seconds after which nobody waits for a deployment of it any more; 0 where not given.
    expected_exits: exit codes with which tasks of this service end by design.
    channel: Slack channel that is told as well. logs: the last log lines may stand in messages.
    """

    action: Mode = Mode.ALERT
    ignore: bool = False
    recovery: Recovery = Recovery.PROBE
    depth: int = 0
    mute_until: float = 0.0
    serving_after: float = 0.0
    stop_after: float = 0.0
    abandoned_after: float = 0.0
    expected_exits: tuple[int, ...] = ()
    channel: str = ""
    logs: bool = False
    problems: tuple[str, ...] = ()

    def silent(self, now: float, failures: Sequence[Failed] = ()) -> bool:
        """Whether nothing is to be told, and nothing done, now that these tasks ended, the newest last.

        What ends by design may also fail once or twice: that is told of where the last few all did.
        """
        by_design = any(failed.exit_code in self.expected_exits for failed in failures[-SHOWN:])
        return self.ignore or now < self.mute_until or by_design


def wishes(tags: Mapping[str, str]) -> Wishes:
    """Read the tags of a service. Never fails: what cannot be read is a problem and a default."""
    read = _Tags(tags)
    action, ignore = read("action", _action, (Mode.ALERT, False))
    return Wishes(
        action=action,
        ignore=ignore,
        recovery=read("recovery", _recovery, Recovery.PROBE),
        depth=read("depth", _depth, 0),
        mute_until=read("mute-until", _time, 0.0),
        serving_after=read("serving-after", _duration(*_SERVING_AFTER), 0.0),
        stop_after=read("stop-after", _duration(*_STOP_AFTER), 0.0),
        abandoned_after=read("abandoned-after", _duration(*_STOP_AFTER), 0.0),
        expected_exits=read("expected-exit", _exit_codes, ()),
        channel=read("channel", _channel, ""),
        logs=read("logs", _yes, False),
        problems=(*read.problems, *read.unknown()),
    )


class _Tags:
    """Reads one tag at a time and notes what is wrong."""

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._tags = tags
        self._known = {HELD_TAG}
        self.problems: list[str] = []

    def __call__(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """The value of a tag. IAM compares values as they are, so a space at an end is wrong here too."""
        self._known.add(f"{PREFIX}{name}")
        text = self._tags.get(f"{PREFIX}{name}", "")
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as wrong:
            self.problems.append(f"tag {PREFIX}{name} is {text[:60]!r}, and has to be {wrong}")
            return default

    def unknown(self) -> list[str]:
        known = ", ".join(sorted(key.removeprefix(PREFIX) for key in self._known - {HELD_TAG}))
        return [
            f"tag {key[:80]}: there is no such tag; there are {known}"
            for key in sorted(self._tags)
            if key.startswith(PREFIX) and key not in self._known
        ]


def _action(text: str) -> tuple[Mode, bool]:
    """The mode, and whether the service is to be ignored."""
    if text == _IGNORE:
        return Mode.ALERT, True
    if text not in [mode.value for mode in Mode]:
        raise ValueError(f"one of {', '.join([*map(str, Mode), _IGNORE])}")
    return Mode(text), False


def _recovery(text: str) -> Recovery:
    if text not in [recovery.value for recovery in Recovery]:
        raise ValueError(f"one of {', '.join(Recovery)}")
    return Recovery(text)


def _depth(text: str) -> int:
    depth = int(text) if re.fullmatch(r"[0-9]{1,5}", text) else 0
    if not 2 <= depth <= _GREATEST_DEPTH:
        raise ValueError(f"a whole number from 2 to {_GREATEST_DEPTH}")
    return depth


def _time(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise ValueError("an ISO 8601 time such as 2026-01-31T18:00Z") from error


def _exit_codes(text: str) -> tuple[int, ...]:
    """The exit codes that a tag lists, which may hold no commas. Codes of 32 bits have at most ten digits."""
    if not re.fullmatch(r"[0-9]{1,10}(\s+[0-9]{1,10})*", text):
        raise ValueError("exit codes with spaces between them, such as 0 or 0 143")
    return tuple(int(code) for code in text.split())


def _channel(text: str) -> str:
    if not re.fullmatch(r"[CG][A-Z0-9]{6,20}", text):
        raise ValueError("the id of a Slack channel such as C0123456789")
    return text


def _yes(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("true or false")
    return text == "true"


def _duration(least: float, most: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        found = re.fullmatch(r"([0-9]{1,7})(s|m|h|)", text)
        seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
        if not least <= seconds <= most:
            raise ValueError(f"a duration from {_said(least)} to {_said(most)}, such as 90s, 30m or 2h")
        return seconds

    return parse


def _said(seconds: float) -> str:
    unit = next(unit for unit in ("h", "m", "s") if seconds % _UNITS[unit] == 0)
    return f"{seconds / _UNITS[unit]:.0f}{unit}"
