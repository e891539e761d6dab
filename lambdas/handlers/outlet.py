"""What the functions of the chat channels have in common: a batch from their queue, in order, with patience."""

import time
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from handlers.batch import Failures, failures
from handlers.observability import logger
from loopbreaker.aws.secrets import SecretError
from loopbreaker.aws.slack import PauseError, RefusedError, UnreachableError
from loopbreaker.telling.parcel import Parcel, ParcelError, unpack

# Time that one delivery may take, in milliseconds: three calls that are answered late.
_NEEDED = 35_000


def drain(event: dict[str, Any], context: LambdaContext, deliver: Callable[[Parcel], None]) -> Failures:
    """Deliver each message of a batch; names those to deliver again.

    After one that failed, the others of its service wait, so that their order stays. Where the chat is down, or asks
    for a longer pause than there is time, all others wait too.
    """
    failed: list[str] = []
    waiting: set[str] = set()
    halted = False
    for record in event["Records"]:
        group = record["attributes"].get("MessageGroupId", "")
        halted = halted or context.get_remaining_time_in_millis() < _NEEDED
        if halted or group in waiting:
            failed.append(record["messageId"])
            continue
        try:
            _try(record["body"], context, deliver)
        except (RefusedError, ParcelError) as error:
            logger.error("not delivered", message_id=record["messageId"], reason=str(error))
            waiting.add(group)
            failed.append(record["messageId"])
        except (UnreachableError, PauseError, SecretError, ClientError, BotoCoreError) as error:
            logger.error("not delivered", message_id=record["messageId"], reason=str(error))
            halted = True
            failed.append(record["messageId"])
    return failures(failed)


def _try(body: str, context: LambdaContext, deliver: Callable[[Parcel], None]) -> None:
    """Deliver one message; where a pause is asked for and there is time for it, once more after the pause."""
    parcel = unpack(body)
    while True:
        try:
            deliver(parcel)
        except PauseError as error:
            if context.get_remaining_time_in_millis() < error.seconds * 1000 + _NEEDED:
                raise
            time.sleep(error.seconds)
        else:
            return
