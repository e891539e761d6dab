"""What the owner of a service asks for, in tags: read with care, because a tag may say anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from loopbreaker.policy import Mode

PREFIX = "loopbreaker:"
_GREATEST_DEPTH = 100
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
    """

    action: Mode = Mode.ALERT
    ignore: bool = False
    recovery: Recovery = Recovery.MANUAL
    depth: int = 0
    mute_until: float = 0.0
    problems: tuple[str, ...] = ()

    def silent(self, now: float) -> bool:
        return self.ignore or now < self.mute_until


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
    problems += [
        f"tag {key}: there is no such tag; there are action, recovery, depth and mute-until"
        for key in sorted(tags)
        if key.startswith(PREFIX) and key.removeprefix(PREFIX) not in ("action", "recovery", "depth", "mute-until")
    ]
    return Wishes(
        action=action,
        ignore=given("action") == _IGNORE,
        recovery=recovery,
        depth=depth,
        mute_until=mute_until,
        problems=tuple(problems),
    )
