"""What the dashboard draws: the loops that go on now. CloudWatch invokes it while somebody looks at the page."""

import time
from html import escape
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers.observability import logger, watched
from handlers.wiring import table
from loopbreaker.picture.loops import Loop
from loopbreaker.picture.svg import svg
from loopbreaker.picture.timelines import timeline
from loopbreaker.stories.ports import UnreadableError

# Of those that are due the longest overdue come first; a page holds no more pictures than somebody looks at.
_READ, _DRAWN = 100, 6
_DAY = 86_400.0
_ABOUT = {"markdown": "Draws the restart loops that go on now. It takes no parameters and changes nothing."}


@watched
def handler(event: dict[str, Any], _context: LambdaContext) -> str | dict[str, str]:
    """HTML for a custom widget: without script, `iframe` and `use`, which CloudWatch would remove."""
    if event.get("describe"):
        return _ABOUT
    now, loops = time.time(), list[Loop]()
    for service in table().due(now=now + 400 * _DAY, limit=_READ):
        try:
            record = table().load(service)
        except UnreadableError as error:
            logger.warning("not drawn", reason=str(error))
            continue
        if record.incident:
            loops.append(Loop(service, record.incident, record=record))
    loops.sort(key=lambda loop: -loop.incident.opened_at)
    drawn = "".join(svg(timeline(loop, now=now), name=f"lb{n}") for n, loop in enumerate(loops[:_DRAWN]))
    others = ", ".join(loop.name for loop in loops[_DRAWN:])
    return f"{drawn or '<p>No service loops.</p>'}{f'<p>And {escape(others)}.</p>' if others else ''}"
