"""Events, parsed once: JSON from outside becomes a `TaskState`, a `ServiceSignal` or `Ignored`, or is refused by name.

The field sets are those of the AWS docs pages "Amazon ECS task state change events", "Amazon ECS service action
events" and "Amazon ECS service deployment state change events". Fields that are not read are not looked at.
"""

import json
from collections.abc import Mapping

from loopbreaker.model import Container, Event, Ignored, ServiceRef, ServiceSignal, SignalKind, TaskState, daemon
from loopbreaker.seeing.fields import Fields, MalformedEventError, is_name, json_name, refuse, shown

_DEPLOYMENTS = {kind.value: kind for kind in SignalKind if kind.name.startswith("DEPLOYMENT_")}
_ACTIONS = {kind.value: kind for kind in SignalKind if kind.value not in _DEPLOYMENTS}

_WRAPPERS = 4


def unwrap(body: str) -> object:
    """The event inside an SQS message body: as EventBridge sent it, or relayed through SNS or another queue.

    Raises MalformedEventError where the body is not JSON, holds several records, or is wrapped too deeply.
    """
    found = _json(body)
    for _ in range(_WRAPPERS):
        inner = _inner(found)
        if inner is None:
            return found
        found = _json(inner)
    if _inner(found) is not None:
        raise MalformedEventError(f"body: wrapped more than {_WRAPPERS} times")
    return found


def parse(envelope: object) -> Event:
    """What an EventBridge event says, as far as it concerns us.

    `source` is not checked: the rule that delivers the event decides whose word counts.
    Raises MalformedEventError, which lists everything that is wrong. Of a task that is not STOPPED only the fields
    that every task has must be right.
    """
    if not isinstance(envelope, dict):
        raise MalformedEventError(f"not an EventBridge event: {json_name(envelope)}")
    match envelope.get("detail-type"):
        case "ECS Task State Change":
            return _task_state(envelope)
        case "ECS Service Action":
            return _signal(envelope, kinds=_ACTIONS, time_field="createdAt")
        case "ECS Deployment State Change":
            return _signal(envelope, kinds=_DEPLOYMENTS, time_field="updatedAt")
        case "ECS Daemon Service Action":
            return _daemon_signal(envelope)
        case str(other):
            return Ignored(f"detail-type {shown(other)}")
        case None:
            raise MalformedEventError("not an EventBridge event: an object without detail-type")
        case wrong:
            raise MalformedEventError(f"detail-type: not text but {json_name(wrong)}")


def _task_state(envelope: Mapping[str, object]) -> TaskState:
    detail = _detail(envelope)
    problems: list[str] = []
    must = Fields(detail, path="detail.", problems=problems)
    cluster_arn = must.arn("clusterArn", of="cluster")
    task_arn = must.arn("taskArn", of="task")
    last_status = must.required_text("lastStatus")
    created_at = _required_time(must, "createdAt")
    sent_at = _sent_at(envelope, must, problems)

    may = Fields(detail, path="detail.", problems=problems if last_status == "STOPPED" else [])
    state = TaskState(
        task_arn=task_arn,
        service=_service_of_group(may, may.text("group"), cluster_arn),
        last_status=last_status,
        stop_code=may.text("stopCode"),
        stopped_reason=may.text("stoppedReason"),
        containers=tuple([_container(fields) for fields in may.objects("containers")]),
        task_definition=may.text("taskDefinitionArn"),
        started_by=may.text("startedBy"),
        created_at=created_at,
        started_at=may.time("startedAt"),
        stopping_at=may.time("stoppingAt"),
        execution_stopped_at=may.time("executionStoppedAt"),
        stopped_at=may.time("stoppedAt"),
        sent_at=sent_at,
    )
    refuse(problems)
    return state


def _container(fields: Fields) -> Container:
    return Container(
        name=fields.text("name"),
        exit_code=fields.exit_code("exitCode"),
        reason=fields.text("reason"),
    )


def _service_of_group(fields: Fields, group: str, cluster_arn: str) -> ServiceRef | None:
    """The service of `service:<name>`: task events carry no service ARN. Any other group is RunTask's.

    A managed daemon has the group `daemon:<name>`; it is known by all of that, for a service may have its name.
    """
    kind, _, name = group.partition(":")
    if kind not in ("service", "daemon") or not name:
        return None
    if not is_name(name):
        fields.wrong("group", f"not the name of a service: {shown(group)}")
        return None
    return ServiceRef(cluster_arn, name) if kind == "service" else daemon(cluster_arn, name)


def _daemon_signal(envelope: Mapping[str, object]) -> Event:
    """What ECS says of a managed daemon, `…:daemon/<cluster>/<name>` (developer guide, "Daemon events")."""
    problems: list[str] = []
    fields = Fields(_detail(envelope), path="detail.", problems=problems)
    name, cluster_arn, arn = (
        fields.required_text("eventName"),
        fields.arn("clusterArn", of="cluster"),
        fields.arn("daemonArn", of="daemon"),
    )
    at = fields.time("createdAt")
    if at is None:
        at = _required_time(Fields(envelope, path="", problems=problems), "time")
    service = daemon(cluster_arn, arn.rpartition("/")[2])
    signal = ServiceSignal(service=service, kind=SignalKind.START_IMPAIRED, at=at)
    refuse(problems)
    return signal if name == "DAEMON_TASK_START_IMPAIRED" else Ignored(f"ECS Daemon Service Action {shown(name)}")


def _signal(envelope: Mapping[str, object], *, kinds: Mapping[str, SignalKind], time_field: str) -> Event:
    detail = _detail(envelope)
    problems: list[str] = []
    fields = Fields(detail, path="detail.", problems=problems)
    name = fields.required_text("eventName")
    refuse(problems)
    kind = kinds.get(name)
    if kind is None:
        return Ignored(f"{envelope['detail-type']} {shown(name)}")
    at = fields.time(time_field)
    if at is None:
        at = _required_time(Fields(envelope, path="", problems=problems), "time")
    cluster_arn = fields.arn("clusterArn", of="cluster") if detail.get("clusterArn") is not None else ""
    service = _service_of_resource(envelope, cluster_arn, problems)
    if service is None:
        return Ignored("a service whose ARN names no cluster")
    signal = ServiceSignal(service=service, kind=kind, at=at)
    refuse(problems)
    return signal


def _service_of_resource(envelope: Mapping[str, object], cluster_arn: str, problems: list[str]) -> ServiceRef | None:
    """The service of `resources[0]`: `…:service/<cluster>/<name>`.

    None for the old `…:service/<name>` where the event names no cluster either: nobody can say which service it is.
    """
    resources = envelope.get("resources")
    arn = resources[0] if isinstance(resources, list) and resources else None
    if not isinstance(arn, str):
        problems.append(f"resources[0]: not the ARN of a service but {json_name(arn)}")
        return ServiceRef(cluster_arn, "")
    prefix, _, path = arn.partition(":service/")
    *cluster, name = path.split("/")
    if (
        not prefix.startswith("arn:")
        or prefix.count(":") != 4
        or "" in (name, *cluster)
        or len(cluster) > 1
        or not is_name(arn)
    ):
        problems.append(f"resources[0]: not the ARN of a service: {shown(arn)}")
    elif not cluster and not cluster_arn:
        return None
    return ServiceRef(cluster_arn or f"{prefix}:cluster/{''.join(cluster)}", name)


def _sent_at(envelope: Mapping[str, object], detail: Fields, problems: list[str]) -> float:
    if envelope.get("time") is not None:
        return _required_time(Fields(envelope, path="", problems=problems), "time")
    updated_at = detail.time("updatedAt")
    if updated_at is None:
        problems.append("time: absent, and so is detail.updatedAt")
        return 0.0
    return updated_at


def _required_time(fields: Fields, name: str) -> float:
    return (fields.time(name) if fields.required_text(name) else None) or 0.0


def _detail(envelope: Mapping[str, object]) -> Mapping[str, object]:
    detail = envelope.get("detail")
    if not isinstance(detail, dict):
        raise MalformedEventError(f"detail: not an object but {json_name(detail)}")
    return detail


def _inner(found: object) -> str | None:
    """The text that a relay has wrapped, or None for something that is not a wrapper."""
    match found:
        case {"detail-type": _}:
            return None
        case {"Type": "Notification", "Message": str(inner)} | {"TopicArn": _, "Message": str(inner)}:
            return inner
        case {"body": str(inner)} | {"Records": [{"body": str(inner)}]}:
            return inner
        case {"Records": [{"body": _}, _, *_] as records}:
            raise MalformedEventError(f"Records: {len(records)} records in one message, where one belongs")
        case _:
            return None


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedEventError(f"body: not JSON: {error}") from error
