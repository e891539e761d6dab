"""The clock: once a minute, asks for attention to every service whose time has come."""

import time
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from handlers.observability import log_unreadable, logger, watched
from handlers.wiring import table
from loopbreaker.stories.sweep import sweep

# Seconds for one run, less than the minute until the next; and no more services than that have time to be asked for.
_SECONDS = 45.0
_LIMIT = 4000


@watched
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    """Ask `respond` to look at each service that is due."""
    swept = sweep(table(), clock=time.time, seconds=_SECONDS, limit=_LIMIT, passing=(ClientError, BotoCoreError))
    for reason in swept.unreadable:
        log_unreadable("", reason)
    for fault in swept.faults:
        logger.error("could not ask", reason=str(fault))
    if swept.faults and not swept.asked:
        raise swept.faults[0]
    logger.debug("swept", asked=swept.asked)
    return {"asked": swept.asked}
