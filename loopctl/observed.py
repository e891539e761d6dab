"""ECS's answers as events: a task of `DescribeTasks`, a service of `DescribeServices`, as EventBridge sends them.

Field names are the same in both ("Task", "Service" in the ECS API reference; "Amazon ECS task state change events").
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

# What a service's own list of messages says where EventBridge has a service action ("Viewing service event messages").
_SAID = (
    ("is unable to consistently start tasks successfully", "SERVICE_TASK_START_IMPAIRED"),
    ("was unable to place a task", "SERVICE_TASK_PLACEMENT_FAILURE"),
)


@dataclass(frozen=True, slots=True)
class Size:
    """What a task takes; 0 where it is not known."""

    vcpu: float = 0.0
    gib: float = 0.0
    fargate: bool = False


def size_of(task: Mapping[str, Any]) -> Size:
    """The size of a task, of an event or an answer: `cpu` is in units of 1/1024, `memory` in MiB."""

    def number(name: str) -> float:
        text = str(task.get(name) or "")
        return float(text) / 1024 if text.isascii() and text.isdigit() else 0.0

    kind = f"{task.get('launchType') or ''} {task.get('capacityProviderName') or ''}"
    return Size(number("cpu"), number("memory"), "FARGATE" in kind)


def of_task(task: Mapping[str, Any]) -> Json:
    """The event of the last change of a task."""
    detail = {name: _written(name, value) for name, value in task.items()}
    return {
        "detail-type": "ECS Task State Change",
        "time": detail.get("stoppedAt") or detail.get("createdAt"),
        "detail": detail,
    }


def of_service(service: Mapping[str, Any]) -> Iterator[Json]:
    """The events of what ECS has lately said of a service: at most its last hundred messages."""
    for said in service.get("events", []):
        for words, name in _SAID:
            if words in said.get("message", ""):
                at = _written("createdAt", said.get("createdAt"))
                yield {
                    "detail-type": "ECS Service Action",
                    "time": at,
                    "resources": [service.get("serviceArn")],
                    "detail": {"eventName": name, "clusterArn": service.get("clusterArn"), "createdAt": at},
                }


def _written(name: str, value: object) -> object:
    """Times as text: the SDK has datetimes, older command lines of AWS wrote seconds."""
    if isinstance(value, datetime):
        return value.isoformat()
    if name.endswith("At") and isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC).isoformat()
    return value
