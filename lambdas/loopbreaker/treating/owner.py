"""What the owner of a service asks for, in tags: read with care, because a tag may say anything."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from loopbreaker.history import SHOWN, Failed
from loopbreaker.policy import Mode

PREFIX = "loopbreaker:"
_GREATEST_DEPTH = 100
_IGNORE = "ignore"
_NAMES = ("action", "recovery", "depth", "mute-until", "expected-exit", "channel", "logs")
_CHANNEL = re.compile(r"([CG][A-Z0-9]{6,20})?")
# Codes of 32 bits have at most ten digits.
_EXITS = re.compile(r"([0-9]{1,10}(\s+[0-9]{1,10})*)?")
_PATTERNS = (
    ("expected-exit", _EXITS, "exit codes with spaces between them, such as 0 or 0 143"),
    ("channel", _CHANNEL, "the id of a Slack channel such as C0123456789"),
    ("logs", re.compile("(true|false)?"), "true or false"),
)


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
    expected_exits: exit codes with which tasks of this service end by design.
    channel: Slack channel that is told as well. logs: the last log lines may stand in messages.
    """

    action: Mode = Mode.ALERT
    ignore: bool = False
    recovery: Recovery = Recovery.MANUAL
    depth: int = 0
    mute_until: float = 0.0
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
    problems: list[str] = []

    def given(name: str) -> str:
        return tags.get(f"{PREFIX}{name}", "").strip()

    def wrong(name: str, wanted: str) -> None:
        problems.append(f"tag {PREFIX}{name}: not {wanted}: {given(name)[:60]!r}")

    action, recovery, depth, mute_until = Mode.ALERT, Recovery.MANUAL, 0, 0.0
    try:
        action = Mode(said) if (said := given("action")) not in ("", _IGNORE) else Mode.ALERT
    except ValueError:
        wrong("action", f"one of {', '.join([*map(str, Mode), _IGNORE])}")
    try:
        recovery = Recovery(given("recovery") or Recovery.MANUAL)
    except ValueError:
        wrong("recovery", f"one of {', '.join(Recovery)}")
    if text := given("depth"):
        depth = int(text) if text.isascii() and text.isdigit() else 0
        if not 2 <= depth <= _GREATEST_DEPTH:
            depth = 0
            wrong("depth", f"a whole number from 2 to {_GREATEST_DEPTH}")
    if text := given("mute-until"):
        try:
            moment = datetime.fromisoformat(text)
            mute_until = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            wrong("mute-until", "an ISO 8601 time such as 2026-01-31T18:00Z")
    problems += _misshapen(tags) + _unknown(tags)
    return Wishes(
        action=action,
        ignore=given("action") == _IGNORE,
        recovery=recovery,
        depth=depth,
        mute_until=mute_until,
        expected_exits=_exit_codes(given("expected-exit")),
        channel=given("channel") if _CHANNEL.fullmatch(given("channel")) else "",
        logs=given("logs") == "true",
        problems=tuple(problems),
    )


def _exit_codes(text: str) -> tuple[int, ...]:
    """The exit codes that a tag lists, which may hold no commas."""
    return tuple(int(code) for code in text.split()) if _EXITS.fullmatch(text) else ()


def _misshapen(tags: Mapping[str, str]) -> list[str]:
    given = {name: tags.get(f"{PREFIX}{name}", "").strip() for name, _, _ in _PATTERNS}
    return [
        f"tag {PREFIX}{name}: not {wanted}: {given[name][:60]!r}"
        for name, pattern, wanted in _PATTERNS
        if not pattern.fullmatch(given[name])
    ]


def _unknown(tags: Mapping[str, str]) -> list[str]:
    return [
        f"tag {key}: there is no such tag; there are {', '.join(_NAMES[:-1])} and {_NAMES[-1]}"
        for key in sorted(tags)
        if key.startswith(PREFIX) and key.removeprefix(PREFIX) not in _NAMES
    ]
