"""AWS DevOps Agent, and which incident each of its investigations is about.

API reference of AWS DevOps Agent, CreateBacklogTask: a title of at most 400 and a description of at most 10,000
characters; repeated with the same client token it makes no second task.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from loopbreaker.model import ServiceRef
from loopbreaker.stories.investigate import Investigated
from loopbreaker.telling.parcel import Parcel

_TITLE, _DESCRIPTION = 400, 10_000
_KEEP = 90 * 86_400
_DAY = 86_400


class DevOpsAgent:
    """One agent space. `client` makes the client when it is needed: an SDK may not know the service."""

    def __init__(self, client: Callable[[], Any], space: str) -> None:
        self._client, self._space = client, space

    def begin(self, parcel: Parcel) -> str:
        answer = self._client().create_backlog_task(
            agentSpaceId=self._space,
            taskType="INVESTIGATION",
            title=parcel.title[:_TITLE],
            description=parcel.text[:_DESCRIPTION],
            priority="HIGH",
            clientToken=hashlib.sha256(f"{parcel.service.key}#{parcel.incident}".encode()).hexdigest(),
        )
        return str(answer["task"]["taskId"])


class CaseTable:
    """In the table: INVESTIGATION#<incident> of a service, the same by task, and how many were begun in a day."""

    def __init__(self, client: Any, name: str, *, clock: Callable[[], float]) -> None:
        self._client, self._name, self._clock = client, name, clock

    def known(self, parcel: Parcel) -> bool:
        answer = self._client.get_item(TableName=self._name, Key=_of_incident(parcel), ConsistentRead=True)
        return "Item" in answer

    def allow(self, *, most: int) -> bool:
        now = self._clock()
        day = datetime.fromtimestamp(now, tz=UTC).strftime("%Y-%m-%d")
        try:
            self._client.update_item(
                TableName=self._name,
                Key={"pk": {"S": "INVESTIGATIONS"}, "sk": {"S": day}},
                UpdateExpression="SET expires_at = :until ADD begun :one",
                ConditionExpression="attribute_not_exists(begun) OR begun < :most",
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":most": {"N": str(most)},
                    ":until": {"N": str(int(now + 2 * _DAY))},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def keep(self, parcel: Parcel, task: str) -> None:
        until = {"N": str(int(self._clock() + _KEEP))}
        by_task = {"cluster": {"S": parcel.service.cluster_arn}, "service": {"S": parcel.service.name}}
        # By its task first: once the incident is known this is not come back to.
        for item in (
            {**_of_task(task), **by_task, "incident": {"S": parcel.incident}},
            {**_of_incident(parcel), "task": {"S": task}},
        ):
            self._client.put_item(TableName=self._name, Item=item | {"expires_at": until})

    def of(self, task: str) -> Investigated | None:
        item = self._client.get_item(TableName=self._name, Key=_of_task(task), ConsistentRead=True).get("Item")
        if item is None:
            return None
        return Investigated(ServiceRef(item["cluster"]["S"], item["service"]["S"]), item["incident"]["S"])


def _of_incident(parcel: Parcel) -> dict[str, Any]:
    return {"pk": {"S": parcel.service.key}, "sk": {"S": f"INVESTIGATION#{parcel.incident}"}}


def _of_task(task: str) -> dict[str, Any]:
    return {"pk": {"S": f"INVESTIGATION#{task}"}, "sk": {"S": "TASK"}}
