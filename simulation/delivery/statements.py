"""The events of services and deployments ("Amazon ECS service action events", "... deployment state change events")."""

from typing import Any

from simulation.core.state import Deployment, Service, ServiceDeployment
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


def hook_change(world: World, record: ServiceDeployment) -> None:
    """Emit `ECS Hook State Change`: a deployment waits at a PAUSE hook for somebody to continue it."""
    service = record.target.service
    detail = {
        "eventType": "INFO",
        "eventName": "HOOK_AWAITING_ACTION",
        "clusterArn": service.cluster.arn,
        "serviceArn": service.arn,
        "serviceDeploymentArn": record.arn,
        "hookId": record.hook_id,
        "lifecycleStage": record.stage,
        "createdAt": world.clock.iso(world.now),
    }
    world.emit("ECS Hook State Change", [service.arn], detail)


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
