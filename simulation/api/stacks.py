"""The one operation of CloudFormation that says which stack a service belongs to, and whether it waits for it."""

from collections.abc import Callable

from simulation.api.answers import Answer
from simulation.api.lookup import ApiError, Params
from simulation.core.state import Service
from simulation.core.world import World

_GIVES_UP = 36 * 3600.0


class StacksApi:
    """What a client may ask the simulated CloudFormation. A stack waits for each deployment of its service, for 36
    hours at most (`timeoutInMinutes` of AWS::ECS::Service).
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def operations(self) -> dict[str, Callable[[Params], Answer]]:
        """Each operation by its name."""
        return {"DescribeStackResources": self._describe_stack_resources}

    def _describe_stack_resources(self, params: Params) -> Answer:
        arn = params["PhysicalResourceId"]
        found = next((s for s in self._world.services.values() if s.arn == arn and s.spec.stack), None)
        if found is None:
            raise ApiError("ValidationError", f"Stack for {arn} does not exist")
        resource = {
            "StackName": found.spec.stack,
            "LogicalResourceId": "Service",
            "PhysicalResourceId": arn,
            "ResourceType": "AWS::ECS::Service",
            "Timestamp": self._world.clock.moment(found.history[-1].updated_at),
            "ResourceStatus": self._status(found),
        }
        return {"StackResources": [resource]}

    def _status(self, service: Service) -> str:
        record, what = service.history[-1], "CREATE" if len(service.history) == 1 else "UPDATE"
        if record.finished_at is None and self._world.now < record.created_at + _GIVES_UP:
            return f"{what}_IN_PROGRESS"
        return f"{what}_COMPLETE" if record.status == "SUCCESSFUL" else f"{what}_FAILED"
