"""The clock: once a minute, asks for attention to every service whose time has come."""

import time
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers.observability import ASKED, count_event, logger, metrics
from handlers.wiring import table
from loopbreaker.treating.look import ask

# Services in one run; more than one minute's worth of them wait for the next.
_LIMIT = 200


@logger.inject_lambda_context
@metrics.log_metrics
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    """Ask `respond` to look at each service that is due. Whoever saved the record meanwhile has looked already."""
    now = time.time()
    store = table()
    asked = 0
    for service in store.due(now=now, limit=_LIMIT):
        record = store.load(service)
        if record.due_at is not None and record.due_at <= now and store.save(ask(record, now=now)):
            asked += 1
    count_event(ASKED, asked)
    logger.info("swept", asked=asked)
    return {"asked": asked}
