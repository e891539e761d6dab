"""From the event queue to the table. Each event is folded at least once; repeating one changes nothing."""

import time
from collections import defaultdict
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from handlers.observability import EVENTS, IGNORED, MALFORMED, count_event, count_failures, log_change, logger, metrics
from handlers.wiring import settings, table
from loopbreaker.model import Label, ServiceRef, TaskState
from loopbreaker.seeing.events import MalformedEventError, parse, unwrap
from loopbreaker.seeing.reasons import classify
from loopbreaker.stories.detect import Observation, observation
from loopbreaker.stories.detect import detect as fold
from loopbreaker.stories.ports import ConflictError

Record = dict[str, Any]
Failures = dict[str, list[dict[str, str]]]


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], _context: LambdaContext) -> Failures:
    """Fold a batch of SQS messages into the records of their services; names the messages to deliver again."""
    count_event(EVENTS, len(event["Records"]))
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    with processor(event["Records"], handler=_read):
        results = processor.process()
    answer: Failures = processor.response()  # type: ignore[assignment]
    seen: dict[ServiceRef, list[tuple[str, Observation]]] = defaultdict(list)
    for (_, said, _), record in zip(results, event["Records"], strict=True):
        if isinstance(said, Observation):
            seen[said.service].append((record["messageId"], said))
    for service, observations in seen.items():
        if not _fold(service, [o for _, o in observations]):
            answer["batchItemFailures"] += [{"itemIdentifier": message} for message, _ in observations]
    return answer


def _read(record: Any) -> Observation | None:
    """What one message says of a service; None where it says nothing of a loop."""
    try:
        parsed = parse(unwrap(record.body))
    except MalformedEventError as error:
        count_event(MALFORMED)
        logger.error("malformed event", message_id=record.message_id, reason=str(error))
        raise
    if isinstance(parsed, TaskState):
        _note_unfamiliar(parsed)
    seen = observation(parsed)
    if seen is None:
        count_event(IGNORED)
    return seen


def _note_unfamiliar(task: TaskState) -> None:
    """An ordinary stop of a kind that is not known may be a new way to fail."""
    verdict = classify(task)
    if verdict.label is Label.NORMAL and verdict.category and verdict.category.value.endswith("unknown"):
        logger.info("unfamiliar stop", task=task.task_arn, stop_code=task.stop_code, stopped_reason=task.stopped_reason)


def _fold(service: ServiceRef, observations: list[Observation]) -> bool:
    """Fold what the batch says of one service; False where it is to be delivered again."""
    try:
        change = fold(observations, store=table(), policy=settings("TABLE_NAME").policy, now=time.time())
    except ConflictError as busy:
        logger.warning("will try again", service_name=service.name, reason=str(busy))
        return False
    except (ClientError, BotoCoreError):
        logger.exception("could not fold", service_name=service.name)
        return False
    count_failures(observations)
    if change:
        log_change(change)
    return True
