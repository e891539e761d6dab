"""The Application Auto Scaling operations that concern ECS services."""

from collections.abc import Callable

from simulation.api.answers import Answer
from simulation.api.lookup import ApiError, Params
from simulation.core.state import ScalableTarget
from simulation.core.world import World
from simulation.scripting.autoscaling import AutoScaling, resource_id

_DIMENSION = "ecs:service:DesiredCount"
_ROLE = (
    "role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"
)


class ScalingApi:
    """What a client may ask the simulated Application Auto Scaling."""

    def __init__(self, world: World, scaling: AutoScaling) -> None:
        self._world, self._scaling = world, scaling

    def operations(self) -> dict[str, Callable[[Params], Answer]]:
        """Each operation by its name."""
        return {
            "DescribeScalableTargets": self._describe,
            "RegisterScalableTarget": self._register,
            "DeregisterScalableTarget": self._deregister,
        }

    def _describe(self, params: Params) -> Answer:
        if params["ServiceNamespace"] != "ecs":
            return {"ScalableTargets": []}
        wanted = params.get("ResourceIds") or list(self._world.targets)
        known = [self._shape(self._world.targets[name]) for name in wanted if name in self._world.targets]
        limit, token = params.get("MaxResults", 50), params.get("NextToken", "0")
        if not token.isdecimal():
            raise ApiError("InvalidNextTokenException", "The next token is not valid.")
        end = int(token) + limit
        more = {"NextToken": str(end)} if end < len(known) else {}
        return {"ScalableTargets": known[int(token) : end], **more}

    def _shape(self, target: ScalableTarget) -> Answer:
        return {
            "ServiceNamespace": "ecs",
            "ResourceId": resource_id(target.service.cluster.name, target.service.name),
            "ScalableDimension": _DIMENSION,
            "MinCapacity": target.minimum,
            "MaxCapacity": target.maximum,
            "RoleARN": f"arn:aws:iam::{self._world.account}:{_ROLE}",
            "CreationTime": self._world.clock.moment(target.created_at),
            "SuspendedState": dict(target.suspended),
            "ScalableTargetARN": target.arn,
        }

    def _register(self, params: Params) -> Answer:
        cluster, name = self._named(params)
        try:
            target = self._scaling.register(
                cluster,
                name,
                minimum=params.get("MinCapacity"),
                maximum=params.get("MaxCapacity"),
                suspended=params.get("SuspendedState"),
            )
        except ValueError as error:
            raise ApiError("ValidationException", str(error)) from error
        return {"ScalableTargetARN": target.arn}

    def _deregister(self, params: Params) -> Answer:
        self._named(params)
        if self._world.targets.pop(params["ResourceId"], None) is None:
            raise ApiError("ObjectNotFoundException", f"No scalable target found for {params['ResourceId']}.")
        return {}

    def _named(self, params: Params) -> tuple[str, str]:
        """Cluster and name of a `service/prod/web` that exists."""
        if params["ServiceNamespace"] != "ecs" or params["ScalableDimension"] != _DIMENSION:
            raise ApiError("ValidationException", f"Only {_DIMENSION} of ecs is simulated.")
        kind, _, rest = params["ResourceId"].partition("/")
        cluster, _, name = rest.partition("/")
        service = self._world.services.get((cluster, name))
        if kind != "service" or service is None or service.status != "ACTIVE":
            raise ApiError("ValidationException", f"ECS service doesn't exist: {params['ResourceId']}")
        return cluster, name
