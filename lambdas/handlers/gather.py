"""The hub: from its queue to its table and topic. At least once: a crash in between repeats a message."""

import time
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from handlers.batch import Failures, failures
from handlers.observability import MALFORMED, MESSAGES, count_event, logger, watched
from handlers.wiring import settings
from loopbreaker.aws.clients import client
from loopbreaker.aws.ledger import HubTable, HubTopic
from loopbreaker.hub.news import News, read
from loopbreaker.seeing.events import unwrap
from loopbreaker.seeing.fields import MalformedEventError, refuse_future
from loopbreaker.stories.gather import Gathered, gather

# What is left of the function's time, in milliseconds, when it begins no other message.
_LAST_CALLS = 25_000
# Seconds after each message: SNS deactivates, for good, a subscription by mail that gets more than ten a second (AWS
# re:Post, "Why did I get an email from AWS that states that my Amazon SNS subscription was manually deactivated?").
# Two functions at once tell eight.
_PACE = 0.25


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> Failures:
    """Tell and keep the news of each message; names those to deliver again. One that fails keeps up no other."""
    failed: list[str] = []
    for record in event["Records"]:
        if context.get_remaining_time_in_millis() < _LAST_CALLS:
            failed.append(record["messageId"])
            continue
        try:
            news = read(unwrap(record["body"]))
            if news:
                _take(news)
        except MalformedEventError as error:
            count_event(MALFORMED)
            logger.error("malformed event", message_id=record["messageId"], reason=str(error))
            failed.append(record["messageId"])
        except (ClientError, BotoCoreError) as error:
            logger.error("could not gather", message_id=record["messageId"], reason=str(error))
            failed.append(record["messageId"])
    return failures(failed)


def _take(news: News) -> None:
    refuse_future(news.at, now=time.time())
    found = gather(news, ledger=_ledger(), people=_people())
    if found is Gathered.TOLD:
        count_event(MESSAGES)
        time.sleep(_PACE)
    logger.info(
        "gathered", became=found.value, account=news.account, transition=news.transition, service_name=news.name
    )


@cache
def _ledger() -> HubTable:
    return HubTable(client("dynamodb"), settings("TABLE_NAME").table_name)


@cache
def _people() -> HubTopic:
    return HubTopic(client("sns"), settings("TOPIC_ARN").topic_arn)
