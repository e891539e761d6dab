"""What is done with AWS DevOps Agent: one investigation for an incident, so many a day, its end told in the thread."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from loopbreaker.drill import is_drill
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.telling.markdown import escaped
from loopbreaker.telling.parcel import Parcel

# A loop that was found, or many at once; every later message is about the same incident.
_BEGINS = (NoticeKind.LOOPING.value, NoticeKind.MASS.value)


class Began(StrEnum):
    """What came of a message."""

    BEGUN = "begun"
    NOT_NEEDED = "not needed"
    ENOUGH = "enough of them today"


@dataclass(frozen=True, slots=True)
class Investigated:
    """The incident that an investigation is about."""

    service: ServiceRef
    incident: str


class Agent(Protocol):
    """AWS DevOps Agent, one agent space of it."""

    def begin(self, parcel: Parcel) -> str:
        """Begin an investigation, once for each incident however often this is repeated; its name."""


class Cases(Protocol):
    """What was investigated."""

    def known(self, parcel: Parcel) -> bool:
        """Whether the incident is under investigation, or was."""

    def allow(self, *, most: int) -> bool:
        """Count one more for today; False where there were as many already."""

    def keep(self, parcel: Parcel, task: str) -> None:
        """Note which investigation is about the incident; repeating it changes nothing."""

    def of(self, task: str) -> Investigated | None:
        """Which incident an investigation is about; None where it is none of ours."""


def investigate(parcel: Parcel, *, agent: Agent, cases: Cases, most: int) -> Began:
    """Begin an investigation of a loop that was found, unless there is one, or there were enough today.

    Killed after the count and before the note, the repetition counts twice and begins nothing twice.
    """
    begins = parcel.transition in _BEGINS and bool(parcel.incident) and not is_drill(parcel.service)
    if not begins or cases.known(parcel):
        return Began.NOT_NEEDED
    if not cases.allow(most=most):
        return Began.ENOUGH
    cases.keep(parcel, agent.begin(parcel))
    return Began.BEGUN


def finding(about: Investigated, *, said: str, space: str, task: str, execution: str) -> Parcel:
    """The reply in the thread of the incident: that it is done, and where the finding is."""
    line = f"🔎 *AWS DevOps Agent: {escaped(said)}*, task {escaped(task)}"
    read = f"aws devops-agent list-journal-records --agent-space-id {space} --execution-id {execution}"
    text = f"{line}\n```\n{escaped(read)}\n```" if execution else line
    return Parcel(about.service, about.incident, 0, "", {"text": text}, text)
