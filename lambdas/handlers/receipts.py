"""Notes who took a message, for those who look back and for a repetition. It is sent whether or not it can be noted."""

import time
from functools import cache

from botocore.exceptions import BotoCoreError, ClientError

from handlers.observability import logger
from handlers.wiring import settings
from loopbreaker.aws.clients import client
from loopbreaker.aws.receipts import Receipts
from loopbreaker.model import ServiceRef


def note(service: ServiceRef, incident: str, number: int, *, to: tuple[str, ...], said: str = "") -> None:
    """These places took a message; what belongs to no incident is not kept."""
    if not incident:
        return
    try:
        receipts().note(service, incident, number, to=to, said=said)
    except (ClientError, BotoCoreError) as error:
        logger.warning("told, and not noted", service_name=service.name, to=list(to), reason=str(error))


def took(service: ServiceRef, incident: str, number: int, *, said: str = "") -> frozenset[str]:
    """The places that took this message before; where that cannot be read, nobody: told twice is better than never."""
    if not incident:
        return frozenset()
    try:
        return receipts().took(service, incident, number, said=said)
    except (ClientError, BotoCoreError) as error:
        logger.warning("not known who was told before", service_name=service.name, reason=str(error))
        return frozenset()


@cache
def receipts() -> Receipts:
    return Receipts(client("dynamodb"), settings("TABLE_NAME").table_name, clock=time.time)
