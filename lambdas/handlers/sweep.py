"""The clock: once a minute, asks for attention to every service whose time has come."""

import time
from operator import itemgetter
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from handlers.observability import log_unreadable, logger, watched
from handlers.wiring import settings, table
from loopbreaker.stories.ports import ConflictError, UnreadableError
from loopbreaker.stories.sweep import sweep

# Seconds for one run, less than the minute until the next; and no more services than that have time to be asked for.
_SECONDS = 45.0
_LIMIT = 4000
# Once a day, in this minute of the schedule, the tags of all services are read.
_TAGS_AT = "T03:37"
# In these minutes of each hour it is read what no event tells of (`judging.untold.READ_EVERY`).
_READ_AT = (":05", ":20", ":35", ":50")
# Each of two readings so many seconds at most, and none later than so many after the beginning: a call of AWS that is
# begun then may take twenty more, and the function has 60.
_READ_FOR = 15.0
_READ_UNTIL = 35.0


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Ask `respond` to look at each service that is due; now and then read what no event tells of."""
    until = time.time() + _READ_UNTIL
    swept = sweep(table(), clock=time.time, seconds=_SECONDS, limit=_LIMIT, passing=(ClientError, BotoCoreError))
    for reason in swept.unreadable:
        log_unreadable("", reason)
    for fault in swept.faults:
        logger.error("could not ask", reason=str(fault))
    if swept.faults and not swept.asked:
        raise swept.faults[0]
    minute = str(event.get("time", ""))[:16]
    if minute.endswith(_TAGS_AT):
        _read_tags()
    if minute.endswith(_READ_AT):
        _read_untold(context, until=until)
    logger.debug("swept", asked=swept.asked)
    return {"asked": swept.asked}


def _read_tags() -> None:
    """What was not told when it was set: EventBridge brings changes of tags as well as it can, and no better.

    And with the wishes of all owners at hand, the digest.
    """
    from loopbreaker.aws.clients import client  # noqa: PLC0415 - once a day
    from loopbreaker.aws.tagging import tagged_services  # noqa: PLC0415
    from loopbreaker.stories.digest import digest  # noqa: PLC0415
    from loopbreaker.stories.tags import read_all  # noqa: PLC0415

    now, read = time.time(), settings("TABLE_NAME")
    try:
        tags = dict(tagged_services(client("resourcegroupstaggingapi")))
        seen = read_all(tags.items(), store=table(), now=now)
        told = digest(table().all_records(), tags, store=table(), policy=read.policy, now=now) if read.digest else 0
    except (ClientError, BotoCoreError):
        logger.exception("could not read the tags of all services")
        return
    except (ConflictError, UnreadableError) as error:
        logger.warning("no digest today", reason=str(error))
        return
    for reason in seen.unreadable:
        logger.warning("tags not read", reason=reason)
    logger.info("tags read", services=seen.services, told=seen.told, in_digest=told)


def _read_untold(context: LambdaContext, *, until: float) -> None:
    """Restarts inside tasks, and services that run nothing. Where one cannot be read, or not in time, the other is."""
    from loopbreaker.aws.clients import client  # noqa: PLC0415 - rarely
    from loopbreaker.aws.empty import empty_services  # noqa: PLC0415
    from loopbreaker.aws.restarts import restarts  # noqa: PLC0415
    from loopbreaker.stories.detect import Observation  # noqa: PLC0415
    from loopbreaker.stories.readings import note  # noqa: PLC0415

    partition, region, account = itemgetter(1, 3, 4)(context.invoked_function_arn.split(":"))
    clusters, now = f"arn:{partition}:ecs:{region}:{account}:cluster/", time.time()
    restarted = (
        [Observation(service, restarted_at=times) for service, times in some]
        for some in restarts(client("cloudwatch"), clusters=clusters, now=now)
    )
    empty = (
        [Observation(service, empty_at=(now,)) for service in some] for some in empty_services(client("ecs"), now=now)
    )
    policy = settings("TABLE_NAME").policy
    for what, found in (("restarts", restarted), ("empty services", empty)):
        try:
            until_then = min(until, time.time() + _READ_FOR)
            noted = note(found, store=table(), policy=policy, clock=time.time, until=until_then)
        except (ClientError, BotoCoreError):
            logger.exception("could not read", what=what)
            continue
        for reason in noted.unreadable:
            logger.warning("not noted", what=what, reason=reason)
        logger.info("read", what=what, services=noted.services, complete=noted.complete)
