"""The messages that people are owed, and what is kept of those that they were told."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class NoticeKind(StrEnum):
    """A change of state that people are told of."""

    LOOPING = "looping"
    MASS = "mass"
    STOPPED = "stopped"
    ROLLED_BACK = "rolled-back"
    NOT_STOPPED = "not-stopped"
    PROBING = "probing"
    BACK = "back"
    ROLLBACK_FAILED = "rollback-failed"
    BAD_TAG = "bad-tag"
    STILL_LOOPING = "still-looping"
    DOWN = "down"
    MASS_OVER = "mass-over"
    RECOVERED = "recovered"
    DIGEST = "digest"


OF_THE_LOOP = (NoticeKind.LOOPING, NoticeKind.STILL_LOOPING, NoticeKind.RECOVERED)
"""News of what the service does, which are rationed; those of what we do to it are not."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message that is owed. `number` grows by one with each, so that comparing two versions of a record
    tells which are new. `version` is that of the record which brings it, `services` how many a summary speaks of."""

    number: int
    kind: NoticeKind
    at: float
    reason: str
    version: int = 0
    services: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """One message of an incident, kept with it for those who look back."""

    COMPACT: ClassVar[bool] = True

    at: float
    kind: NoticeKind
    reason: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """One message and the places that took it, in words: `event bus default`, `Slack channel C0123456789`."""

    at: float
    kind: NoticeKind
    reason: str
    to: tuple[str, ...]
