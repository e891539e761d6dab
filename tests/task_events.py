"""Builds events as Amazon ECS sends them, field by field (AWS docs: "Amazon ECS task state change events").

Times are epoch seconds or ISO 8601 text. `None` leaves a field out; `...` means the usual value for that stop code.
Anything else goes into `detail` by its own name: `task_stopped(containers=[], cpu="256")`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import EllipsisType
from typing import Any

ACCOUNT = "123456789012"
REGION = "eu-west-1"
CLUSTER_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/prod"
CREATED = 1_767_225_600.0  # 2026-01-01T00:00:00Z
"""When a task is created unless a test says otherwise; it starts 30 s later and stops 10 s after that."""

Json = dict[str, Any]
Moment = float | str

REASONS = {
    "EssentialContainerExited": "Essential container in task exited",
    "TaskFailedToStart": "Task failed to start",
    "ServiceSchedulerInitiated": "Scaling activity initiated by (deployment ecs-svc/1111111111111111111)",
    "UserInitiated": "Task stopped by user",
    "SpotInterruption": "Your Spot Task was interrupted.",
    "TerminationNotice": "Host EC2 (instance i-00000000000000001) terminated.",
}


def iso(moment: Moment) -> str:
    """The moment as ECS writes it: milliseconds and a Z."""
    if isinstance(moment, str):
        return moment
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def arn(resource: str) -> str:
    """ARN of an ECS resource, such as `cluster/prod`."""
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:{resource}"


def container(name: str = "web", *, exit_code: object = None, reason: str | None = None, **fields: object) -> Json:
    """One element of `detail.containers`; without `exit_code` or `reason` the field is absent."""
    found: Json = {
        "name": name,
        "image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}:1",
        "lastStatus": "STOPPED",
        "cpu": "0",
        "networkInterfaces": [],
    }
    if exit_code is not None:
        found["exitCode"] = exit_code
    if reason is not None:
        found["reason"] = reason
    return found | fields


def task_stopped(
    *,
    service: str | None = "web",
    cluster: str = "prod",
    task_id: str = "00000000000000000000000000000001",
    stop_code: str | None = "EssentialContainerExited",
    reason: str | EllipsisType | None = ...,
    containers: Sequence[Json] | EllipsisType = ...,
    created: Moment = CREATED,
    started: Moment | EllipsisType | None = ...,
    stopping: Moment | EllipsisType | None = ...,
    execution_stopped: Moment | EllipsisType | None = ...,
    stopped: Moment | EllipsisType | None = ...,
    sent: Moment | EllipsisType | None = ...,
    group: str | EllipsisType | None = ...,
    deployment: str | None = "ecs-svc/1111111111111111111",
    task_definition: str = "web:7",
    last_status: str = "STOPPED",
    event_id: str = "00000000-0000-4000-8000-000000000001",
    **detail: object,
) -> Json:
    """An `ECS Task State Change` of a task that crashed with exit code 1, unless told otherwise."""
    times = _usual_times(stop_code, _epoch(created))
    if last_status != "STOPPED":
        times["stoppedAt"] = None
    told = {
        "startedAt": started,
        "stoppingAt": stopping,
        "executionStoppedAt": execution_stopped,
        "stoppedAt": stopped,
    }
    times |= {field: moment for field, moment in told.items() if not isinstance(moment, EllipsisType)}
    fields: Json = {
        "clusterArn": arn(f"cluster/{cluster}"),
        "taskArn": arn(f"task/{cluster}/{task_id}"),
        "taskDefinitionArn": arn(f"task-definition/{task_definition}"),
        "group": (f"service:{service}" if service else None) if isinstance(group, EllipsisType) else group,
        "startedBy": deployment,
        "launchType": "FARGATE",
        "cpu": "256",
        "memory": "512",
        "desiredStatus": "STOPPED",
        "lastStatus": last_status,
        "stopCode": stop_code,
        "stoppedReason": REASONS.get(stop_code or "") if isinstance(reason, EllipsisType) else reason,
        "containers": _usual_containers(stop_code) if isinstance(containers, EllipsisType) else list(containers),
        "attachments": [],
        "createdAt": iso(created),
        "updatedAt": iso(_epoch(created) + 65),
        "version": 6,
    } | {field: iso(moment) for field, moment in times.items() if moment is not None}
    sent_at = times.get("stoppedAt") or _epoch(created) + 65
    return _envelope(
        "ECS Task State Change",
        resource=fields["taskArn"],
        detail={name: value for name, value in fields.items() if value is not None} | detail,
        sent=sent_at if isinstance(sent, EllipsisType) else sent,
        event_id=event_id,
    )


def service_action(
    name: str = "SERVICE_TASK_START_IMPAIRED",
    *,
    service: str = "web",
    cluster: str = "prod",
    at: Moment | None = CREATED,
    reason: str | None = None,
    sent: Moment | None = CREATED,
    old_arn: bool = False,
    **detail: object,
) -> Json:
    """An `ECS Service Action` (AWS docs: "Amazon ECS service action events")."""
    fields: Json = {
        "eventType": "WARN",
        "eventName": name,
        "clusterArn": arn(f"cluster/{cluster}"),
    }
    if at is not None:
        fields["createdAt"] = iso(at)
    if reason is not None:
        fields["reason"] = reason
    resource = arn(f"service/{service}" if old_arn else f"service/{cluster}/{service}")
    return _envelope("ECS Service Action", resource=resource, detail=fields | detail, sent=sent)


def daemon_action(
    name: str = "DAEMON_TASK_START_IMPAIRED", *, daemon: str = "agent", cluster: str = "prod", **detail: object
) -> Json:
    """An `ECS Daemon Service Action` (developer guide, "Daemon events"); one without a task has no resources."""
    fields: Json = {
        "eventType": "WARNING",
        "eventName": name,
        "clusterArn": arn(f"cluster/{cluster}"),
        "containerInstanceArn": arn(f"container-instance/{cluster}/{9:032x}"),
        "daemonArn": arn(f"daemon/{cluster}/{daemon}"),
        "failureType": "TASK_FAILED_TO_RUN",
        "createdAt": iso(CREATED),
        "reason": "Task failed to reach RUNNING status: CannotPullContainerError",
    }
    event = _envelope(
        "ECS Daemon Service Action", resource=arn(f"task/{cluster}/{1:032x}"), detail=fields | detail, sent=CREATED
    )
    return event | {"resources": []} if detail.get("failureType") == "TASK_CREATION_FAILED" else event


def deployment_event(
    name: str = "SERVICE_DEPLOYMENT_FAILED",
    *,
    service: str = "web",
    cluster: str = "prod",
    deployment: str = "ecs-svc/1111111111111111111",
    at: Moment | None = CREATED,
    reason: str | None = "ECS deployment circuit breaker: task failed to start.",
    sent: Moment | None = CREATED,
    **detail: object,
) -> Json:
    """An `ECS Deployment State Change` (AWS docs: "Amazon ECS service deployment state change events")."""
    fields: Json = {"eventType": "ERROR", "eventName": name, "deploymentId": deployment}
    if at is not None:
        fields["updatedAt"] = iso(at)
    if reason is not None:
        fields["reason"] = reason
    resource = arn(f"service/{cluster}/{service}")
    return _envelope("ECS Deployment State Change", resource=resource, detail=fields | detail, sent=sent)


def _envelope(
    detail_type: str,
    *,
    resource: str,
    detail: Json,
    sent: Moment | None,
    event_id: str = "00000000-0000-4000-8000-000000000001",
) -> Json:
    envelope: Json = {
        "version": "0",
        "id": event_id,
        "detail-type": detail_type,
        "source": "aws.ecs",
        "account": ACCOUNT,
        "time": None if sent is None else iso(sent),
        "region": REGION,
        "resources": [resource],
        "detail": detail,
    }
    return {name: value for name, value in envelope.items() if value is not None}


def _usual_times(stop_code: str | None, created: float) -> dict[str, Moment | None]:
    """A task that dies by itself ends before ECS begins to stop it; one that is stopped ends afterwards."""
    by_itself = stop_code in {None, "EssentialContainerExited", "TaskFailedToStart"}
    return {
        "startedAt": None if stop_code == "TaskFailedToStart" else created + 30,
        "stoppingAt": created + 41 if by_itself else created + 40,
        "executionStoppedAt": created + 40 if by_itself else created + 41,
        "stoppedAt": created + 65,
    }


def _usual_containers(stop_code: str | None) -> list[Json]:
    match stop_code:
        case "EssentialContainerExited" | None:
            return [container(exit_code=1)]
        case "TaskFailedToStart":
            return [container()]
        case _:
            return [container(exit_code=143)]


def _epoch(moment: Moment) -> float:
    return moment if isinstance(moment, float | int) else datetime.fromisoformat(moment).timestamp()
