"""From a queue of messages to AWS DevOps Agent, and from its end back into the thread of the incident."""

import time
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers.batch import Failures, failures
from handlers.observability import logger, watched
from handlers.outlet import drain
from handlers.settings import Settings
from handlers.wiring import settings
from loopbreaker.aws.clients import client
from loopbreaker.aws.devops_agent import CaseTable, DevOpsAgent
from loopbreaker.stories.investigate import finding, investigate
from loopbreaker.telling.parcel import Parcel, packed


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> Failures:
    """A batch of messages, or the end of an investigation."""
    if "Records" in event:
        return drain(event, context, deliver)
    _ended(event)
    return failures()


def deliver(parcel: Parcel) -> None:
    began = investigate(parcel, agent=agent(), cases=cases(), most=read().agent_daily)
    logger.info("investigation", service_name=parcel.service.name, incident=parcel.incident, outcome=began.value)


def _ended(event: dict[str, Any]) -> None:
    """AWS DevOps Agent user guide, "Events detail reference": `detail.metadata` names space, task and execution."""
    match event:
        case {"detail-type": str(said), "detail": {"metadata": {"task_id": str(task), **others}}}:
            about, queue = cases().of(task), read().chat_queue
            if about is None or not queue:
                return
            execution = others.get("execution_id")
            reply = finding(
                about,
                said=said.lower(),
                space=read().agent_space,
                task=task,
                execution=execution if isinstance(execution, str) else "",
            )
            client("sqs").send_message(
                QueueUrl=queue,
                MessageBody=packed(reply),
                MessageGroupId=f"investigation-{task}"[:128],
                MessageDeduplicationId=f"{task}-{said}".replace(" ", "-")[:128],
            )
        case _:
            logger.warning("an event of DevOps Agent that is not understood", event_keys=sorted(event))


@cache
def read() -> Settings:
    return settings("TABLE_NAME", "AGENT_SPACE", "AGENT_DAILY")


@cache
def agent() -> DevOpsAgent:
    return DevOpsAgent(lambda: client("devops-agent"), read().agent_space)


@cache
def cases() -> CaseTable:
    return CaseTable(client("dynamodb"), read().table_name, clock=time.time)
