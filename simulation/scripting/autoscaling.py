"""Application Auto Scaling of services: targets, alarms, scheduled actions, and the lift to the minimum.

Sources: "Automatically scale your Amazon ECS service" and the service model's words on `RegisterScalableTarget`.
"""

from simulation.core.state import ScalableTarget, Service
from simulation.core.world import World
from simulation.delivery.statements import service_action
from simulation.scripting import services

FLAGS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


class AutoScaling:
    """Registered targets and what moves them. Services are named by cluster and name."""

    def __init__(self, world: World) -> None:
        self._world = world

    def register(
        self,
        cluster: str,
        name: str,
        *,
        minimum: int | None = None,
        maximum: int | None = None,
        suspended: dict[str, bool] | None = None,
    ) -> ScalableTarget:
        """Register a target, or change one: what is left out stays, and `suspended` replaces all three flags.

        A count below the minimum is lifted to it by every call, even one that only suspends.
        """
        service, resource = self._world.services[cluster, name], resource_id(cluster, name)
        target = self._world.targets.get(resource)
        if target is None:
            if minimum is None or maximum is None:
                raise ValueError(f"{resource}: a new scalable target needs a minimum and a maximum capacity")
            target = self._world.targets[resource] = ScalableTarget(
                service=service,
                minimum=minimum,
                maximum=maximum,
                arn=self._world.arn(f"scalable-target/{self._world.hex(24)}", "application-autoscaling"),
                created_at=self._world.now,
                suspended=dict.fromkeys(FLAGS, False),
            )
        target.minimum = target.minimum if minimum is None else minimum
        target.maximum = target.maximum if maximum is None else maximum
        if suspended is not None:
            target.suspended = {flag: suspended.get(flag, False) for flag in FLAGS}
        if service.desired < target.minimum:
            self._set(target, target.minimum)
        return target

    def scale_out_alarm(self, cluster: str, name: str, *, by: int = 1) -> None:
        """A scale-out alarm fires: `by` more tasks, and at least the minimum."""
        target = self._target(cluster, name)
        if not target.suspended["DynamicScalingOutSuspended"]:
            self._set(target, min(target.maximum, max(target.minimum, target.service.desired + by)))

    def scale_in_alarm(self, cluster: str, name: str, *, by: int = 1) -> None:
        """A scale-in alarm fires: `by` tasks less; a count at or below the minimum stays as it is."""
        target = self._target(cluster, name)
        if not target.suspended["DynamicScalingInSuspended"] and target.service.desired > target.minimum:
            self._set(target, max(target.minimum, target.service.desired - by))

    def scheduled_action(
        self, cluster: str, name: str, *, minimum: int | None = None, maximum: int | None = None
    ) -> None:
        """A scheduled action runs: it sets the limits given and moves the count between them."""
        target = self._target(cluster, name)
        if target.suspended["ScheduledScalingSuspended"]:
            return
        target.minimum = target.minimum if minimum is None else minimum
        target.maximum = target.maximum if maximum is None else maximum
        self._set(target, min(target.maximum, max(target.minimum, target.service.desired)))

    def _target(self, cluster: str, name: str) -> ScalableTarget:
        return self._world.targets[resource_id(cluster, name)]

    def _set(self, target: ScalableTarget, desired: int) -> None:
        service: Service = target.service
        if desired == service.desired or service.status != "ACTIVE":
            return
        services.scale(self._world, service, desired)
        service_action(self._world, service, "INFO", "SERVICE_DESIRED_COUNT_UPDATED", desiredCount=desired)


def resource_id(cluster: str, name: str) -> str:
    """The resource id of a service, such as `service/prod/web`."""
    return f"service/{cluster}/{name}"
