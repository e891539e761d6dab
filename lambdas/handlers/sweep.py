"""The clock: once a minute, asks for attention to every service whose time has come."""

import time
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers.observability import ASKED, count_event, logger, metrics
from handlers.wiring import table
from loopbreaker.stories.sweep import sweep

# Services in one run; more than one minute's worth of them wait for the next.
_LIMIT = 200


@logger.inject_lambda_context
@metrics.log_metrics
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    """Ask `respond` to look at each service that is due."""
    asked = sweep(table(), now=time.time(), limit=_LIMIT)
    count_event(ASKED, asked)
    logger.info("swept", asked=asked)
    return {"asked": asked}
