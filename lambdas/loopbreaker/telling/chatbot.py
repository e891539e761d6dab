"""The message as a custom notification of Amazon Q Developer in chat applications. Pure.

Its schema: AWS docs, "Custom notifications" of that service; whatever else is published to it is dropped.
No limits are published for its fields; those of Slack are kept.
"""

from typing import Any

from loopbreaker.telling.commands import service_arn
from loopbreaker.telling.letter import Letter
from loopbreaker.telling.markdown import block, cut, escaped, facts
from loopbreaker.telling.slack import HEADER, SECTION, mark
from loopbreaker.telling.words import Telling


def render(letter: Letter, told: Telling, thread: str) -> dict[str, Any]:
    service, incident = told.after.service, told.incident
    body = [block for block in letter.blocks if block.title != "What to do"]
    to_do = [part for part in letter.blocks if part.title == "What to do"]
    said = [escaped(letter.why), facts(letter), *(block(part, most=SECTION) for part in body)]
    links = " · ".join(f"<{url}|{name}>" if url.startswith("https") else f"{name}: {url}" for name, url in letter.links)
    if letter.left_out:
        said.append(escaped(f"Left out to stay short: {', '.join(letter.left_out)}."))
    return {
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": cut(f"{mark(told)} {letter.headline}", HEADER),
            "description": "\n\n".join(part for part in (*said, links) if part),
            "nextSteps": [block(part, most=SECTION).partition("\n")[2] for part in to_do],
            "keywords": [service.cluster, service.name, *([incident.category.value] if incident else [])],
        },
        "metadata": {
            "threadId": thread,
            "summary": cut(letter.headline, HEADER),
            "eventType": f"loopbreaker.{told.notice.kind.value}",
            "relatedResources": [service_arn(service)],
        },
    }
