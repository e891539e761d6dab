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
# Once a day, at this time of the schedule, the tags of all services are read.
_TAGS_AT = "03:37:00Z"


@watched
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    """Ask `respond` to look at each service that is due; once a day read everybody's tags as well."""
    swept = sweep(table(), clock=time.time, seconds=_SECONDS, limit=_LIMIT, passing=(ClientError, BotoCoreError))
    for reason in swept.unreadable:
        log_unreadable("", reason)
    for fault in swept.faults:
        logger.error("could not ask", reason=str(fault))
    if swept.faults and not swept.asked:
        raise swept.faults[0]
    if str(event.get("time", "")).endswith(_TAGS_AT):
        _read_tags()
    logger.debug("swept", asked=swept.asked)
    return {"asked": swept.asked}


def _read_tags() -> None:
    """What was not told when it was set: EventBridge brings changes of tags as well as it can, and no better."""
    from loopbreaker.aws.clients import client  # noqa: PLC0415 - once a day
    from loopbreaker.aws.tagging import tagged_services  # noqa: PLC0415
    from loopbreaker.stories.tags import read_all  # noqa: PLC0415

    try:
        read = read_all(tagged_services(client("resourcegroupstaggingapi")), store=table(), now=time.time())
    except (ClientError, BotoCoreError):
        logger.exception("could not read the tags of all services")
        return
    for reason in read.unreadable:
        logger.warning("tags not read", reason=reason)
    logger.info("tags read", services=read.services, told=read.told)
