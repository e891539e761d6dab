"""From the table's stream to people. At least once: a crash between publishing and its note repeats that message."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from handlers.batch import Failures, failures
from handlers.observability import MESSAGES, count_event, log_unreadable, logger, watched
from handlers.receipts import note, took
from handlers.wiring import settings, table
from loopbreaker.aws.clients import client
from loopbreaker.aws.codec import CodecError
from loopbreaker.aws.findings import Findings
from loopbreaker.aws.publisher import Places, Publisher, PublishError
from loopbreaker.aws.receipts import described
from loopbreaker.aws.store import from_item, service_of
from loopbreaker.stories.notify import Library
from loopbreaker.stories.notify import notify as tell_people
from loopbreaker.telling.messages import Message

# What is left of the function's time, in milliseconds, when nothing more is looked up for a message: it is sent
# without. A summary of many services looks up eighty items, and a slow table takes seconds for each.
_TO_SEND = 18_000


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> Failures:
    """Publish the messages that each change of a record owes, in order; stops at the first that fails."""
    for record in event["Records"]:
        images = record["dynamodb"]
        try:
            _publish(images, library(context))
        except CodecError as error:
            log_unreadable(service_of(images["NewImage"]).name, str(error))
        except (ClientError, BotoCoreError, PublishError):
            logger.exception("could not publish")
            return failures([images["SequenceNumber"]])
    return failures()


def _publish(images: dict[str, Any], known: Library) -> None:
    after = from_item(images["NewImage"])
    before = from_item(images["OldImage"]) if "OldImage" in images else None
    notices = tell_people(before, after, outlet=publisher(), library=known)
    count_event(MESSAGES, len(notices))
    for notice in notices:
        logger.info("message sent", transition=notice.kind.value, service_name=after.service.name, reason=notice.reason)


def library(context: LambdaContext) -> Library:
    """What was found out before, as far as there is time to look it up."""
    read = settings("TABLE_NAME")
    shelf = Findings(
        client("dynamodb"),
        read.table_name,
        table(),
        hurry=lambda: context.get_remaining_time_in_millis() < _TO_SEND,
    )
    return Library(shelf=shelf, runbook=read.runbook, stack=read.stack, window=read.policy.mass_window)


@cache
def publisher() -> Publisher:
    """Where messages go, made when the first is owed."""
    read = settings("TOPIC_ARN")
    places = Places(read.topic_arn, bus=read.bus_name, chat_topic=read.chat_topic_arn, queues=read.outlet_queues)
    return Publisher(client, places, noted=_noted, took=_took)


def _noted(message: Message, to: tuple[str, ...]) -> None:
    note(message.service, message.incident, message.notice.number, to=to, said=_said(message))


def _took(message: Message) -> frozenset[str]:
    return took(message.service, message.incident, message.notice.number, said=_said(message))


def _said(message: Message) -> str:
    notice = message.notice
    return described(notice.at, notice.kind, notice.reason)
