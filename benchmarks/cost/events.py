"""Stops of tasks, as ECS tells them."""

from datetime import UTC, datetime
from random import Random
from typing import Any

CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/production"


def stopped(service: str, *, at: float, random: Random, ran: float = 20.0, started: float = 10.0) -> dict[str, Any]:
    """A task of the service crashed at that time; it took some seconds to start, and ran for some."""
    task = f"{CLUSTER.replace(':cluster/', ':task/')}/{random.getrandbits(128):032x}"
    running = at - ran * random.uniform(0.9, 1.1)
    created = running - started * random.uniform(0.8, 1.2)
    return {
        "version": "0",
        "id": f"{random.getrandbits(128):032x}",
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": "123456789012",
        "time": _iso(at + 1),
        "region": "us-east-1",
        "resources": [task],
        "detail": {
            "clusterArn": CLUSTER,
            "taskArn": task,
            "taskDefinitionArn": f"arn:aws:ecs:us-east-1:123456789012:task-definition/{service}:42",
            "group": f"service:{service}",
            "startedBy": "ecs-svc/1234567890123456789",
            "lastStatus": "STOPPED",
            "desiredStatus": "STOPPED",
            "launchType": "FARGATE",
            "stopCode": "EssentialContainerExited",
            "stoppedReason": "Essential container in task exited",
            "containers": [{"name": "app", "lastStatus": "STOPPED", "exitCode": 1}],
            "createdAt": _iso(created),
            "startedAt": _iso(running),
            "stoppingAt": _iso(at),
            "executionStoppedAt": _iso(at),
            "stoppedAt": _iso(at + 1),
            "updatedAt": _iso(at + 1),
            "version": 7,
        },
    }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
