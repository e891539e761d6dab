"""One message for one change of state, in every form in which it is read. Pure."""

import json
from dataclasses import dataclass
from typing import Any

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.notice import Notice, NoticeKind
from loopbreaker.remembering.record import Record
from loopbreaker.telling import chatbot, event, mail, slack
from loopbreaker.telling.commands import service_arn
from loopbreaker.telling.contents import Background, named, write
from loopbreaker.telling.letter import Letter, short, shortened
from loopbreaker.telling.words import Telling

DETAIL_TYPE = "Restart Loop State Change"
# Most bytes of a message in each of its forms.
LIMIT = 10_000
# Most characters of the names in a subject, which has 99 in all.
_NAME, _CLUSTER = 24, 16
_SENTENCES = (NoticeKind.BAD_TAG, NoticeKind.DOWN, NoticeKind.NOT_STOPPED, NoticeKind.ROLLBACK_FAILED)


@dataclass(frozen=True, slots=True)
class Message:
    """One message in all its forms.

    chat: the custom notification of Amazon Q Developer in chat applications.
    service, incident: what it is about; the incident's name is empty where there is none.
    notice: of what it tells. post, reply: what a Slack message shows, the line in its thread.
    channel: where its owner wants to read it as well. attributes: for the filter policies of subscriptions.
    detail: the detail of the event on the bus; its `id` is the same in every repetition.
    """

    subject: str
    text: str
    chat: dict[str, Any]
    post: dict[str, Any]
    reply: str
    service: ServiceRef
    incident: str
    notice: Notice
    channel: str
    attributes: dict[str, str]
    detail_type: str
    detail: dict[str, Any]
    resources: tuple[str, ...]

    @property
    def sequence(self) -> int:
        """Grows with each message of the service."""
        return self.notice.number

    @property
    def thread(self) -> str:
        """The same for all messages of one incident, and for no other."""
        return f"{self.service.key}#{self.incident}" if self.incident else self.service.key


def compose(before: Record | None, after: Record, notice: Notice, background: Background | None = None) -> Message:
    """The message for a notice of the step from one version of a record to the next."""
    told = Telling(before, after, notice)
    known = background or Background()
    letter = write(told, known)
    service, incident = after.service, told.incident
    thread = f"{service.key}#{incident.id}" if incident else service.key
    attributes = {
        "cluster": service.cluster,
        "service": service.name,
        "transition": notice.kind.value,
        "severity": letter.severity.value,
        "category": incident.category.value if incident else "none",
    }
    detail = event.detail(told, known, letter)
    return Message(
        subject=mail.subject(f"[Loopbreaker] {_subject(told, letter)}"),
        text=_beside(detail, letter),
        chat=chatbot.render(_fitting(letter, told, thread), told, thread),
        post=slack.render(_short_post(letter, told), told),
        reply=slack.reply(letter, told),
        service=service,
        incident=incident.id if incident else "",
        notice=notice,
        channel=incident.channel if incident else "",
        attributes=attributes,
        detail_type=DETAIL_TYPE,
        detail=detail,
        resources=(service_arn(service),),
    )


def _beside(detail: dict[str, Any], letter: Letter) -> str:
    """The text of the mail, which goes to the topic beside the detail: together they stay within the limit."""
    room = LIMIT - len(json.dumps({"default": json.dumps(detail), "email": ""}).encode())
    return mail.render(shortened(letter, lambda one: json.dumps(mail.render(one)), limit=room))


def _subject(told: Telling, letter: Letter) -> str:
    """The headline and the cluster, which in a longer sentence stands beside the name."""
    name, cluster = short(told.after.service.name, _NAME), short(told.after.service.cluster, _CLUSTER)
    if not letter.headline.startswith(f"{named(told)} "):
        return letter.headline
    said = letter.headline.removeprefix(named(told)).lstrip()
    if told.notice.kind in _SENTENCES:
        return f"{name} in {cluster} {said}"
    # A summary may speak of several clusters.
    return f"{name} {said} in {told.after.service.region if told.notice.services > 1 else cluster}"


def _fitting(letter: Letter, told: Telling, thread: str) -> Letter:
    return shortened(letter, lambda one: json.dumps(chatbot.render(one, told, thread)), limit=LIMIT)


def _short_post(letter: Letter, told: Telling) -> Letter:
    return shortened(letter, lambda one: json.dumps(slack.render(one, told)), limit=LIMIT)
