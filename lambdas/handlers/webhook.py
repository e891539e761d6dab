"""From the queue of the incoming webhook to Slack: a message for each change, neither edited nor threaded."""

import time
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers.batch import Failures
from handlers.observability import DELIVERED, count_event, watched
from handlers.outlet import drain
from handlers.receipts import note, took
from handlers.wiring import settings
from loopbreaker.aws.clients import client
from loopbreaker.aws.secrets import Secret
from loopbreaker.aws.slack import Pace, RefusedError, Webhook
from loopbreaker.telling.parcel import Parcel

_PLACE = "Slack, by a webhook"
_ADDRESS = r"https://hooks\.slack(-gov)?\.com/[A-Za-z0-9/_-]{10,300}"


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> Failures:
    """Deliver a batch; names the messages to deliver again."""
    return drain(event, context, deliver)


def deliver(parcel: Parcel) -> None:
    """Post the message, but for one that was posted: a function that is killed gets its whole batch again.

    An address that Slack no longer takes is read anew: it may have been replaced.
    """
    if _PLACE in took(parcel.service, parcel.incident, parcel.sequence):
        return
    pace()("")
    try:
        Webhook(address()).send(parcel.post)
    except RefusedError:
        address().forget()
        raise
    note(parcel.service, parcel.incident, parcel.sequence, to=(_PLACE,))
    count_event(DELIVERED)


@cache
def pace() -> Pace:
    return Pace(time.monotonic, time.sleep)


@cache
def address() -> Secret:
    name = settings("SECRET_NAME").secret_name
    what = "the address of an incoming webhook of Slack"
    return Secret(lambda: client("secretsmanager"), name, pattern=_ADDRESS, what=what, clock=time.monotonic)
