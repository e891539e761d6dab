"""The message as Slack shows it: Block Kit within the limits of Slack. Pure.

Limits: docs.slack.dev, "Block Kit": header 150, section 3,000, context element, button text 75 and URL 3,000
characters, 50 blocks a message.
"""

from typing import Any

from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.trip import BreakerState
from loopbreaker.telling.letter import Letter, Severity
from loopbreaker.telling.markdown import block, cut, escaped, facts
from loopbreaker.telling.plain import time_of
from loopbreaker.telling.words import Telling, left_at_zero

HEADER, SECTION, BUTTON, URL, BLOCKS = 150, 3000, 75, 3000, 50
_COLOURS = {Severity.CRITICAL: "#b3261e", Severity.WARNING: "#e8a317", Severity.INFO: "#6b7280"}
_GREEN = "#2e7d32"


def render(letter: Letter, told: Telling) -> dict[str, Any]:
    """`text` for notifications, one attachment that carries the colour and the blocks."""
    service = told.after.service
    parts: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(f"{mark(told)} {letter.headline}", HEADER)}},
        _section(cut(escaped(letter.why), SECTION)),
        _section(cut(facts(letter), SECTION)),
        *(_section(block(part, most=SECTION)) for part in letter.blocks),
    ]
    buttons = [
        {"type": "button", "text": {"type": "plain_text", "text": cut(name, BUTTON)}, "url": url}
        for name, url in letter.links
        if url.startswith("https://") and len(url) <= URL
    ]
    if buttons:
        parts.append({"type": "actions", "elements": buttons})
    where = f"{service.cluster} · {service.region} · account {service.account} · {time_of(told.notice.at)}"
    left = f" · left out to stay short: {', '.join(letter.left_out)}" if letter.left_out else ""
    parts.append({"type": "context", "elements": [_text(cut(escaped(where + left), SECTION))]})
    # A notification is read on a locked telephone: one line.
    text = cut(escaped(f"{letter.headline} ({service.cluster}, {service.region})"), SECTION)
    return {"text": text, "attachments": [{"color": colour(letter, told), "blocks": parts[:BLOCKS]}]}


def reply(letter: Letter, told: Telling) -> str:
    """One line for the thread: what happened, and why."""
    return cut(f"{mark(told)} *{escaped(letter.headline)}*: {escaped(letter.why)}", SECTION)


def mark(told: Telling) -> str:
    """One sign for the state of the service, before the headline."""
    if told.after.incident is None and told.notice.kind in (NoticeKind.RECOVERED, NoticeKind.MASS_OVER):
        return "✅"
    if told.notice.kind in (NoticeKind.MASS, NoticeKind.DOWN):
        return "🚨"
    if left_at_zero(told):
        return "⏸️"
    match told.after.breaker:
        case BreakerState.OPEN:
            return "🛑"
        case BreakerState.HALF_OPEN:
            return "🧪"
        case BreakerState.CLOSED:
            return {
                NoticeKind.BACK: "▶️",
                NoticeKind.ROLLED_BACK: "↩️",
                NoticeKind.BAD_TAG: "🏷️",
                NoticeKind.DIGEST: "🗒️",
            }.get(told.notice.kind, "🔁")


def colour(letter: Letter, told: Telling) -> str:
    return _GREEN if mark(told) == "✅" else _COLOURS[letter.severity]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _text(text)}


def _text(text: str) -> dict[str, Any]:
    """As it stands: Slack would make links and mentions of what looks like one (docs.slack.dev, "Text object")."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}
