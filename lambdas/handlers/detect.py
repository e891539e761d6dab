"""From the event queue to the table. Each event is folded at least once; repeating one changes nothing."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, assert_never

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from handlers.batch import Failures, failures
from handlers.observability import FAILURES, MALFORMED, count_event, log_change, log_unreadable, logger, watched
from handlers.wiring import settings, table
from loopbreaker.model import Event, Ignored, Label, ServiceRef, ServiceSignal, TaskState
from loopbreaker.seeing.events import parse, unwrap
from loopbreaker.seeing.fields import MalformedEventError, refuse_future
from loopbreaker.seeing.reasons import classify
from loopbreaker.seeing.tags import is_tag_change, tag_change
from loopbreaker.stories.detect import Observation, observation
from loopbreaker.stories.detect import detect as fold
from loopbreaker.stories.ports import Change, ConflictError, UnreadableError
from loopbreaker.stories.saving import Memory

# What is left of the function's time, in milliseconds, when it begins no other service: a slow table takes as long.
_LAST_CALLS = 25_000
# Of this process, for as long as Lambda keeps it.
MEMORY = Memory()


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> Failures:
    """Fold a batch of SQS messages into the records of their services; names the messages to deliver again."""
    again: list[str] = []
    seen: dict[ServiceRef, dict[str, Observation]] = defaultdict(dict)
    for message in event["Records"]:
        try:
            envelope = unwrap(message["body"])
            if is_tag_change(envelope):
                again += [] if _read_tags(envelope) else [message["messageId"]]
                continue
            said = _read(envelope)
        except MalformedEventError as error:
            count_event(MALFORMED)
            logger.error("malformed event", message_id=message["messageId"], reason=str(error))
            again.append(message["messageId"])
        else:
            if said is not None:
                seen[said.service][message["messageId"]] = said
    for service, messages in seen.items():
        in_time = context.get_remaining_time_in_millis() > _LAST_CALLS
        if not in_time or not _fold(service, [*messages.values()]):
            again += messages
    return failures(again)


def _read(envelope: object) -> Observation | None:
    """What one event says of a service; None where it says nothing of a loop."""
    parsed = parse(envelope)
    refuse_future(_moment(parsed), now=time.time())
    said = observation(parsed)
    if said is None and isinstance(parsed, TaskState):
        _note_unfamiliar(parsed)
    return said


def _moment(event: Event) -> float:
    """The latest moment that an event speaks of; 0 where it speaks of none."""
    match event:
        case TaskState():
            ends = (event.started_at, event.stopping_at, event.execution_stopped_at, event.stopped_at)
            return max(event.created_at, event.sent_at, *(at for at in ends if at is not None))
        case ServiceSignal():
            return event.at
        case Ignored():
            return 0.0
    assert_never(event)


def _note_unfamiliar(task: TaskState) -> None:
    """An ordinary stop of a kind that is not known may be a new way to fail."""
    verdict = classify(task)
    if verdict.label is Label.NORMAL and verdict.category and verdict.category.value.endswith("unknown"):
        logger.info("unfamiliar stop", task=task.task_arn, stop_code=task.stop_code, stopped_reason=task.stopped_reason)


def _read_tags(envelope: object) -> bool:
    """Tell of tags that are not understood; False where the event is to be delivered again."""
    from loopbreaker.stories.tags import read_tags  # noqa: PLC0415 - rare, and it reads what only `respond` reads

    changed = tag_change(envelope)
    if changed is None:
        return True
    return _saved(changed.service, lambda: read_tags(changed.service, changed.tags, store=table(), now=time.time()))


def _fold(service: ServiceRef, observations: list[Observation]) -> bool:
    """Fold what the batch says of one service; False where it is to be delivered again."""
    read = settings("TABLE_NAME")
    now = time.time()
    if not _saved(service, lambda: fold(observations, store=table(), memory=MEMORY, policy=read.policy, now=now)):
        return False
    # None twice for being told of early.
    count_event(FAILURES, sum(o.failure is not None and o.final for o in observations))
    return True


def _saved(service: ServiceRef, change_it: Callable[[], Change | None]) -> bool:
    """Change a record; False where that is to be tried again."""
    try:
        change = change_it()
    except ConflictError as busy:
        logger.warning("will try again", service_name=service.name, reason=str(busy))
        return False
    except UnreadableError as error:
        log_unreadable(service.name, str(error))
        return False
    except (ClientError, BotoCoreError):
        logger.exception("could not fold", service_name=service.name)
        return False
    if change:
        log_change(change)
    return True
