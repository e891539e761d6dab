"""A deployed stack as its resources: what `doctor` and `drill` look at."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from loopctl.operate import OperateError, whereabouts


@dataclass(frozen=True, slots=True)
class Stack:
    """Outputs by name, and the physical names of resources by type and logical id."""

    name: str
    outputs: dict[str, str]
    resources: dict[str, dict[str, str]] = field(default_factory=dict)
    where: str = ""

    def of(self, kind: str) -> dict[str, str]:
        """Physical names by logical id, of a type such as `AWS::SQS::Queue`."""
        return self.resources.get(kind, {})

    def function(self, name: str) -> str:
        """The physical name of a function by its short name. Raises OperateError."""
        for id_, physical in self.of("AWS::Lambda::Function").items():
            if f"{name.capitalize()}Function" in id_:
                return physical
        raise OperateError(f"stack {self.name}: has no function {name}")


def read(cloudformation: Any, name: str) -> Stack:
    """The stack of that name. Raises OperateError where it is not one of ours, and the faults of the client."""
    described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    # The construct, in somebody else's stack, names its outputs with a prefix.
    outputs = {o["OutputKey"].removeprefix("Loopbreaker"): o["OutputValue"] for o in described.get("Outputs", [])}
    if "TableName" not in outputs:
        raise OperateError(f"stack {name}: has no output TableName; is it Loopbreaker's?")
    resources: dict[str, dict[str, str]] = defaultdict(dict)
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=name):
        for resource in page["StackResourceSummaries"]:
            resources[resource["ResourceType"]][resource["LogicalResourceId"]] = resource.get("PhysicalResourceId", "")
    return Stack(name, outputs, dict(resources), whereabouts(cloudformation, name))
