"""Tasks in the words of ECS: the same fields in an event and in the answer of `DescribeTasks`."""

from collections.abc import Callable
from typing import Any

from simulation.core.state import Task
from simulation.core.world import World


def task(world: World, task: Task, time: Callable[[float], Any], *, health: bool = False) -> dict[str, Any]:
    """The fields of a task, those that are not known left out.

    time: how a moment is written (text in an event, a datetime in an answer).
    health: with `healthStatus`, which only the API has ("Task state change events", Amazon ECS developer guide).
    """
    spec, service = task.definition.spec, task.service
    times = {
        "connectivityAt": task.connectivity_at,
        "pullStartedAt": task.pull_started_at,
        "pullStoppedAt": task.pull_stopped_at,
        "startedAt": task.started_at,
        "stoppingAt": task.stopping_at,
        "executionStoppedAt": task.execution_stopped_at,
        "stoppedAt": task.stopped_at,
    }
    fields: dict[str, Any] = {
        "attachments": _attachments(world, task, kind="ElasticNetworkInterface" if health else "eni"),
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "availabilityZone": task.zone,
        "clusterArn": service.cluster.arn,
        "containers": _containers(world, task, health=health),
        "cpu": str(spec.cpu),
        "createdAt": time(task.created_at),
        "desiredStatus": task.desired_status,
        "enableExecuteCommand": False,
        "group": f"service:{service.name}",
        "launchType": service.spec.launch_type,
        "lastStatus": task.last_status,
        "memory": str(spec.memory),
        "overrides": {"containerOverrides": [{"name": name} for name in task.container_order]},
        "startedBy": task.deployment.id,
        "taskArn": task.arn,
        "taskDefinitionArn": task.definition.arn,
        "version": task.version,
        **{name: time(when) for name, when in times.items() if when is not None},
        **_compute(task),
    }
    if task.connectivity_at is not None or task.host is not None:
        fields["connectivity"] = "CONNECTED"
    if task.stop is not None:
        fields |= {"stopCode": task.stop.code, "stoppedReason": task.stop.reason}
    return fields | ({"healthStatus": task.health, "tags": []} if health else {"updatedAt": time(task.updated_at)})


def _compute(task: Task) -> dict[str, Any]:
    if task.host is not None:
        return {"containerInstanceArn": task.host.arn}
    return {"platformVersion": "1.4.0", "platformFamily": "Linux", "ephemeralStorage": {"sizeInGiB": 20}}


def address(task: Task) -> str:
    """The private address of a task's own network interface."""
    digits = int(task.ids["eni"][-12:], 16)
    return f"10.{digits >> 16 & 255}.{digits >> 8 & 255}.{digits & 255}"


def _attachments(world: World, task: Task, *, kind: str) -> list[dict[str, Any]]:
    """The API calls the interface by its full name, an event by its short one."""
    if task.host is not None:
        return []
    status = "DELETED" if task.last_status == "STOPPED" else "ATTACHED" if task.connectivity_at else "PRECREATED"
    details = [{"name": "subnetId", "value": f"subnet-0{world.account}{task.zone[-1]}"}]
    if task.connectivity_at is not None:
        details.append({"name": "networkInterfaceId", "value": f"eni-{task.ids['eni'][-12:]}"})
        details.append({"name": "privateIPv4Address", "value": address(task)})
    return [{"id": task.ids["eni"], "type": kind, "status": status, "details": details}]


def _containers(world: World, task: Task, *, health: bool) -> list[dict[str, Any]]:
    if not task.placed:
        return []
    spec, cluster = task.definition.spec, task.service.cluster.name
    every = []
    for number, name in enumerate(task.container_order):
        outcome = task.outcomes.get(name)
        fields: dict[str, Any] = {
            "containerArn": world.arn(f"container/{cluster}/{task.id}/{task.ids[name]}"),
            "cpu": str(spec.cpu) if name == "app" else "0",
            "image": spec.image if name == "app" else f"public.ecr.aws/sidecars/{name}:1",
            "lastStatus": _container_status(task),
            "name": name,
            "networkInterfaces": [],
            "taskArn": task.arn,
        }
        if task.containers_up:
            fields["runtimeId"] = f"{task.id}-{number:010d}"
        if outcome is not None and outcome.exit_code is not None:
            fields["exitCode"] = outcome.exit_code
        if outcome is not None and outcome.reason is not None:
            fields["reason"] = outcome.reason
        if health:
            fields["healthStatus"] = task.health if name == "app" else "UNKNOWN"
        every.append(fields)
    return every


def _container_status(task: Task) -> str:
    """STOPPED once it ended; a container on a lost host stays as it was."""
    if task.outcomes:
        return "STOPPED"
    if task.containers_up:
        return "RUNNING"
    return "STOPPED" if task.last_status == "STOPPED" else "PENDING"
