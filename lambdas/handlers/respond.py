"""From the table's stream to ECS and back to the table. A look may be repeated; a step of a trip is not."""

import time
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from handlers.batch import Failures, failures
from handlers.observability import log_change, log_unreadable, logger, watched
from handlers.wiring import settings, table
from loopbreaker.aws.clients import client
from loopbreaker.aws.codec import CodecError
from loopbreaker.aws.ecs import LiveEcs, unreadable
from loopbreaker.aws.store import from_item, service_of
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode
from loopbreaker.remembering.incident import Incident
from loopbreaker.stories.ports import ConflictError, UnreadableError
from loopbreaker.stories.respond import Tools
from loopbreaker.stories.respond import respond as look_and_act
from loopbreaker.treating.facts import Facts, Unknown
from loopbreaker.treating.owner import wishes

# A fault that passes, such as a throttled table, is over in a moment, and a lane of the stream that waits for a
# retry holds up all services in it: each is tried so often in one invocation.
_TRIES = 3
# What is left of the function's time, in milliseconds, when it begins no other look: a slow table takes as long.
_LAST_LOOK = 50_000


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> Failures:
    """Attend to each service whose record asks for it, once a batch, by its record as it is now."""
    asked: dict[ServiceRef, dict[str, Any]] = {}
    for record in event["Records"]:
        # The first of several: Lambda takes what comes before the record that is named for done.
        asked.setdefault(service_of(record["dynamodb"]["NewImage"]), record)
    left = asked
    for _ in range(_TRIES):
        left = {service: record for service, record in left.items() if not _attended(service, context)}
    no_time = context.get_remaining_time_in_millis() < _LAST_LOOK
    for record in left.values():
        if no_time or not _is_asked_again(record["dynamodb"]):
            # Lambda retries from the first of them on; what is done of those behind it asks for nothing any more.
            return failures([record["dynamodb"]["SequenceNumber"]])
    return failures()


def _is_asked_again(images: dict[str, Any]) -> bool:
    """Whether an earlier wish for a look is not met either: that one was tried again, and the clock asks on.

    Each wish of a service that cannot be attended to would hold up its lane of the stream as long as the first.
    """
    if "due_at" not in images["NewImage"] or "OldImage" not in images:
        return False
    try:
        return from_item(images["OldImage"]).asked_at is not None
    except CodecError:
        return False


def _attended(service: ServiceRef, context: LambdaContext) -> bool:
    """Look at one service, and act; False where that is to be tried again. It keeps up no other."""
    if context.get_remaining_time_in_millis() < _LAST_LOOK:
        return False
    try:
        outcome = look_and_act(service, tools())
    except UnreadableError as error:
        log_unreadable(service.name, str(error))
        return True
    except (ClientError, BotoCoreError, ConflictError):
        logger.exception("could not attend", service_name=service.name)
        return False
    if outcome and outcome.change.after != outcome.change.before:
        log_change(outcome.change, outcome.decision)
    return True


@cache
def tools() -> Tools:
    """What the story works with, made at the first look."""
    read = settings("TABLE_NAME")
    ecs = client("ecs")
    stacks = (lambda: client("cloudformation")) if read.mode is Mode.STOP else None
    live = LiveEcs(
        ecs, client("application-autoscaling"), lambda: client("elbv2"), blind=unreadable(ecs), stacks=stacks
    )
    return Tools(
        store=table(),
        ecs=live,
        mode=read.mode,
        scope=read.scope,
        policy=read.policy,
        clock=clock,
        diagnose=diagnose,
    )


def diagnose(service: ServiceRef, incident: Incident, facts: Facts | Unknown) -> None:
    """Find out about a loop, and keep it. What is needed for it is loaded when a loop is found, and not before."""
    from loopbreaker.aws.diagnosis import Doctor, LogLines  # noqa: PLC0415
    from loopbreaker.aws.findings import Findings  # noqa: PLC0415

    read = settings("TABLE_NAME")
    tags = facts.tags if isinstance(facts, Facts) else {}
    doctor = Doctor(client, clock, lines=LogLines(read.log_lines).wanted(wishes(tags).logs))
    found = doctor.diagnose(service, incident)
    Findings(client("dynamodb"), read.table_name, table()).keep(service, incident, found)
    logger.info("diagnosed", service_name=service.name, left_out=list(found.left_out))


def clock() -> float:
    """Seconds since the epoch, as precise as a record keeps them: a step that is read back equals the one saved."""
    return round(time.time(), 3)
