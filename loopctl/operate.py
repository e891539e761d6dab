"""What an operator does to the deployed stack: see what is remembered, ask for a service to be brought back."""

import time
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from loopbreaker.aws.store import Table
from loopbreaker.record import Record, Verdict
from loopbreaker.stories.ports import ConflictError
from loopbreaker.stories.resume import resume

_MOST = 1000


class OperateError(Exception):
    """What was asked for cannot be done; the message says why."""


class Account:
    """The table of one deployed stack."""

    def __init__(self, *, stack: str, region: str | None, profile: str | None) -> None:
        """Finds the table by the outputs of the stack. Raises OperateError where there is none."""
        try:
            session = boto3.Session(region_name=region, profile_name=profile)
            self._table = Table(session.client("dynamodb"), table_name(session.client("cloudformation"), stack))
        except (ClientError, BotoCoreError) as error:
            raise OperateError(f"stack {stack}: {error}") from error

    def remembered(self) -> list[Record]:
        """The records of services that loop or are suspected of it, those of one cluster together."""
        services = self._table.due(now=time.time() + 400 * 86_400, limit=_MOST)
        records = [self._table.load(service) for service in sorted(services)]
        return [record for record in records if record.verdict is Verdict.LOOPING or record.suspicion]

    def resume(self, cluster: str, name: str) -> Record:
        """Ask for a stopped service to be brought back; `respond` does it within a minute.

        Raises OperateError where Loopbreaker does not hold such a service.
        """
        held = [r for r in self.remembered() if (r.service.cluster, r.service.name) == (cluster, name)]
        if not held:
            raise OperateError(f"{cluster}/{name}: nothing is remembered of such a service")
        try:
            asked = resume(held[0].service, store=self._table, now=time.time())
        except ConflictError as error:
            raise OperateError(f"{cluster}/{name}: its record keeps changing; try again") from error
        if asked is None:
            raise OperateError(f"{cluster}/{name}: Loopbreaker does not hold this service")
        return asked


def table_name(cloudformation: Any, stack: str) -> str:
    """The name of the table, as the stack's outputs say it."""
    found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    if "TableName" not in outputs:
        raise OperateError(f"stack {stack}: has no output TableName; is it Loopbreaker's?")
    return str(outputs["TableName"])
