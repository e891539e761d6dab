"""What the owner of a service asks for, in tags: read with care, because a tag may say anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from loopbreaker.history import SHOWN, Failed
from loopbreaker.policy import Mode

PREFIX = "loopbreaker:"
_GREATEST_DEPTH = 100
# Digits of an exit code of 32 bits.
_LONGEST_CODE = 10
_TAGS = ("action", "recovery", "depth", "mute-until", "expected-exit")
_IGNORE = "ignore"


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
    """

    action: Mode = Mode.ALERT
    ignore: bool = False
    recovery: Recovery = Recovery.MANUAL
    depth: int = 0
    mute_until: float = 0.0
    expected_exits: tuple[int, ...] = ()
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
    exits = _exit_codes(given("expected-exit"))
    if exits is None:
        wrong("expected-exit", "exit codes with spaces between them, such as 0 or 0 143")
    problems += [
        f"tag {key}: there is no such tag; there are {', '.join(_TAGS[:-1])} and {_TAGS[-1]}"
        for key in sorted(tags)
        if key.startswith(PREFIX) and key.removeprefix(PREFIX) not in _TAGS
    ]
    return Wishes(
        action=action,
        ignore=given("action") == _IGNORE,
        recovery=recovery,
        depth=depth,
        mute_until=mute_until,
        expected_exits=exits or (),
        problems=tuple(problems),
    )


def _exit_codes(text: str) -> tuple[int, ...] | None:
    """The exit codes that a tag lists, which may hold no commas; None where one is none."""
    codes = text.split()
    if all(code.isascii() and code.isdigit() and len(code) <= _LONGEST_CODE for code in codes):
        return tuple(int(code) for code in codes)
    return None
