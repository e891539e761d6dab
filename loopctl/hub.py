"""What the hub of an organisation knows: the loops of all accounts that go on, as it was told of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3

from loopbreaker.aws.ledger import HubTable
from loopbreaker.telling.plain import count, dollars, span
from loopctl.operate import OperateError, asking

# A loop that goes on is told of once a day at least, unless somebody said that they are at it.
_SILENT = 2 * 86_400.0
Loop = dict[str, Any]


@dataclass(frozen=True, slots=True)
class HubAccount:
    """Where the hub's stack is."""

    stack: str
    region: str | None
    profile: str | None

    def open(self) -> list[Loop]:
        """What loops or is held now, by account, Region and name. Raises OperateError."""
        with asking(f"stack {self.stack}"):
            session = boto3.Session(region_name=self.region, profile_name=self.profile)
            table = HubTable(session.client("dynamodb"), hub_table(session.client("cloudformation"), self.stack))
            return sorted(table.open(), key=lambda loop: (loop["account"], loop["region"], loop["name"]))


def hub_table(cloudformation: Any, stack: str) -> str:
    """The name of the table, as the outputs of the hub's stack say it. Raises OperateError."""
    found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}
    if "HubTableName" not in outputs:
        raise OperateError(f"stack {stack}: has no output HubTableName; is it a hub's?")
    return str(outputs["HubTableName"])


def lines(loops: list[Loop], *, now: float) -> Iterator[str]:
    """One loop in two lines, below its account and Region."""
    place = ""
    for loop in loops:
        if place != (place := f"{loop['account']} {loop['region']}"):
            yield place
        cost = loop["dollars_per_day"]
        rate = f", about {dollars(cost)} a day" if cost else ""
        began = loop["began_at"]
        since = f" for {span(now - began)}" if began is not None else ""
        yield f"  {loop['name']}: {loop['category']}{since}, {count(loop['failed_tasks'], 'task')} failed{rate}"
        silent = now - loop["at"]
        yield f"    {loop['state']}" + (f"; no news for {span(silent)}" if silent > _SILENT else "")
    accounts = len({loop["account"] for loop in loops})
    yield f"{count(len(loops), 'service')} of {count(accounts, 'account')}." if loops else "No service loops."
