"""The events of services and deployments ("Amazon ECS service action events", "... deployment state change events")."""

from typing import Any

from simulation.core.state import Deployment, Service
from simulation.core.world import World


def service_action(world: World, service: Service, kind: str, name: str, **more: Any) -> None:
    """Emit `ECS Service Action`: kind is INFO, WARN or ERROR, name such as SERVICE_STEADY_STATE."""
    detail = {
        "eventType": kind,
        "eventName": name,
        "clusterArn": service.cluster.arn,
        "createdAt": world.clock.iso(world.now),
        **more,
    }
    world.emit("ECS Service Action", [service.arn], detail)


def deployment_change(world: World, deployment: Deployment, name: str, reason: str) -> None:
    """Emit `ECS Deployment State Change`; only FAILED is an ERROR. Its `deploymentId` is the tasks' `startedBy`."""
    service = deployment.service
    detail = {
        "eventType": "ERROR" if name.endswith("FAILED") else "INFO",
        "eventName": name,
        "clusterArn": service.cluster.arn,
        "deploymentId": deployment.id,
        "updatedAt": world.clock.iso(world.now),
        "reason": reason,
    }
    world.emit("ECS Deployment State Change", [service.arn], detail)
