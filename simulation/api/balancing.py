"""The one operation of Elastic Load Balancing that says how the targets of a service are."""

from collections.abc import Callable, Iterator
from typing import Any

from simulation.api import shapes
from simulation.api.answers import Answer
from simulation.api.lookup import ApiError, Params
from simulation.core.state import Service, Task
from simulation.core.world import World

# "DescribeTargetHealth", Elastic Load Balancing API reference: the usual reason for each state.
_REASONS = {
    "initial": "Elb.InitialHealthChecking",
    "unhealthy": "Target.FailedHealthChecks",
    "unused": "Target.NotInUse",
    "draining": "Target.DeregistrationInProgress",
    "unavailable": "Target.HealthCheckDisabled",
}


class BalancingApi:
    """What a client may ask the simulated load balancers."""

    def __init__(self, world: World) -> None:
        self._world = world

    def operations(self) -> dict[str, Callable[[Params], Answer]]:
        """Each operation by its name."""
        return {"DescribeTargetHealth": self._describe_target_health}

    def _describe_target_health(self, params: Params) -> Answer:
        used = dict(self._using(params["TargetGroupArn"]))
        if not used:
            raise ApiError("TargetGroupNotFound", "One or more target groups not found")
        services = self._world.services.values()
        registered = [t for s in services for t in s.live.values() if t.target and t.deployment.group in used]
        wanted = {target["Id"] for target in params.get("Targets", ())}
        described = [_description(task) for task in registered]
        return {"TargetHealthDescriptions": [d for d in described if not wanted or d["Target"]["Id"] in wanted]}

    def _using(self, arn: str) -> Iterator[tuple[str, Service]]:
        """The name of the target group, with a service that uses it."""
        for service in self._world.services.values():
            group = service.target_group
            for name in (group.name, group.alternate) if group else ():
                if name and name not in self._world.deleted_groups and self._world.target_group_arn(name) == arn:
                    yield name, service


def _description(task: Task) -> dict[str, Any]:
    """A task with an interface of its own is a target by its address, another by its instance."""
    port = task.definition.spec.port or 80
    where = shapes.address(task) if task.host is None else task.host.instance_id
    health = {"State": task.target}
    if task.target in _REASONS:
        health["Reason"] = _REASONS[task.target]
    return {
        "Target": {"Id": where, "Port": port, "AvailabilityZone": task.zone},
        "HealthCheckPort": str(port),
        "TargetHealth": health,
    }
