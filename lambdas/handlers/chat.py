"""From the queue of the Slack bot to Slack: one message for an incident, edited as it changes, and its thread."""

import time
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers.batch import Failures
from handlers.observability import DELIVERED, count_event, watched
from handlers.outlet import drain
from handlers.receipts import note
from handlers.wiring import settings
from loopbreaker.aws.clients import client
from loopbreaker.aws.posted import PostedTable
from loopbreaker.aws.secrets import Secret
from loopbreaker.aws.slack import API, BAD_TOKEN, Bot, Pace, RefusedError
from loopbreaker.stories.post import post
from loopbreaker.telling.parcel import Parcel

_TOKEN = r"xoxb-[A-Za-z0-9-]{10,250}"  # noqa: S105 the shape of a token


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> Failures:
    """Deliver a batch; names the messages to deliver again."""
    return drain(event, context, deliver)


def deliver(parcel: Parcel) -> None:
    """To the default channel, and to the one that the service's owner asks for where the configuration allows it."""
    default, *allowed = settings("SLACK_CHANNELS", "SECRET_NAME", "TABLE_NAME").channels
    wanted = parcel.channel if parcel.channel in allowed else default
    try:
        for channel in dict.fromkeys((default, wanted)):
            post(parcel, channel, chat=bot(), memory=memory())
            note(parcel.service, parcel.incident, parcel.sequence, to=(f"Slack channel {channel}",))
    except RefusedError as error:
        if error.code in BAD_TOKEN:
            token().forget()
        raise
    count_event(DELIVERED)


@cache
def bot() -> Bot:
    return Bot(token(), Pace(time.monotonic, time.sleep), API)


@cache
def token() -> Secret:
    name = settings("SLACK_CHANNELS", "SECRET_NAME", "TABLE_NAME").secret_name
    what = "the token of a Slack bot, which begins with xoxb-"
    return Secret(lambda: client("secretsmanager"), name, pattern=_TOKEN, what=what, clock=time.monotonic)


@cache
def memory() -> PostedTable:
    read = settings("SLACK_CHANNELS", "SECRET_NAME", "TABLE_NAME")
    return PostedTable(client("dynamodb"), read.table_name, clock=time.time)
