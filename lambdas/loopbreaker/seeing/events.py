"""Events, parsed once: JSON from outside becomes a `TaskState`, a `ServiceSignal` or `Ignored`, or is refused by name.

The field sets are those of the AWS docs pages "Amazon ECS task state change events", "Amazon ECS service action
events" and "Amazon ECS service deployment state change events". Fields that are not read are not looked at.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from loopbreaker.model import Container, Event, Ignored, ServiceRef, ServiceSignal, SignalKind, TaskState

_DEPLOYMENTS = {kind.value: kind for kind in SignalKind if kind.name.startswith("DEPLOYMENT_")}
_ACTIONS = {kind.value: kind for kind in SignalKind if kind.value not in _DEPLOYMENTS}

_WRAPPERS = 4
_EXIT_CODES = range(-(2**31), 2**32)  # Windows sends NTSTATUS unsigned, some relays turn it signed.
_JSON_NAMES = {"NoneType": "null", "bool": "a boolean", "dict": "an object", "list": "a list", "str": "text"}


class MalformedEventError(ValueError):
    """An event of ours that cannot be read. The message names each bad field by its path."""


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
        raise MalformedEventError(f"not an EventBridge event: {_json_name(envelope)}")
    match envelope.get("detail-type"):
        case "ECS Task State Change":
            return _task_state(envelope)
        case "ECS Service Action":
            return _signal(envelope, kinds=_ACTIONS, time_field="createdAt")
        case "ECS Deployment State Change":
            return _signal(envelope, kinds=_DEPLOYMENTS, time_field="updatedAt")
        case str(other):
            return Ignored(f"detail-type {_shown(other)}")
        case None:
            raise MalformedEventError("not an EventBridge event: an object without detail-type")
        case wrong:
            raise MalformedEventError(f"detail-type: not text but {_json_name(wrong)}")


class _Fields:
    """Reads fields of one JSON object. What is wrong is noted in `problems`, and read as absent."""

    __slots__ = ("_path", "_problems", "_values")

    def __init__(self, values: Mapping[str, object], *, path: str, problems: list[str]) -> None:
        self._values = values
        self._path = path
        self._problems = problems

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if value is None:
            return ""
        if isinstance(value, str) and _is_unicode(value):
            return value
        self.wrong(name, f"not text but {_json_name(value)}" if not isinstance(value, str) else "not Unicode")
        return ""

    def required_text(self, name: str) -> str:
        if self._values.get(name) in (None, ""):
            self.wrong(name, "absent")
            return ""
        return self.text(name)

    def arn(self, name: str, *, of: str) -> str:
        """ARN of a cluster or a task; what follows the kind is not looked at, since old task ARNs name no cluster."""
        text = self.required_text(name)
        parts = text.split(":", 5)
        named = parts[-1].startswith(f"{of}/") and not text.endswith("/")
        if text and not (named and len(parts) == 6 and parts[0] == "arn" and "#" not in text):
            self.wrong(name, f"not the ARN of a {of}: {_shown(text)}")
        return text

    def time(self, name: str) -> float | None:
        text = self.text(name)
        if not text:
            return None
        seconds = _epoch(text)
        if seconds is None:
            self.wrong(name, f"not an ISO 8601 time: {_shown(text)}")
        return seconds

    def exit_code(self, name: str) -> int | None:
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(name, f"not an integer but {_json_name(value)}")
            return None
        if value not in _EXIT_CODES:
            self.wrong(name, "more than 32 bits")
            return None
        return value

    def objects(self, name: str) -> list["_Fields"]:
        value = self._values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(name, f"not a list but {_json_name(value)}")
            return []
        found = []
        for index, item in enumerate(value):
            if isinstance(item, dict):
                found.append(_Fields(item, path=f"{self._path}{name}[{index}].", problems=self._problems))
            else:
                self.wrong(f"{name}[{index}]", f"not an object but {_json_name(item)}")
        return found

    def wrong(self, name: str, problem: str) -> None:
        self._problems.append(f"{self._path}{name}: {problem}")


def _task_state(envelope: Mapping[str, object]) -> TaskState:
    detail = _detail(envelope)
    problems: list[str] = []
    must = _Fields(detail, path="detail.", problems=problems)
    cluster_arn = must.arn("clusterArn", of="cluster")
    task_arn = must.arn("taskArn", of="task")
    last_status = must.required_text("lastStatus")
    created_at = _required_time(must, "createdAt")
    sent_at = _sent_at(envelope, must, problems)

    may = _Fields(detail, path="detail.", problems=problems if last_status == "STOPPED" else [])
    group = may.text("group")
    state = TaskState(
        task_arn=task_arn,
        cluster_arn=cluster_arn,
        group=group,
        service=_service_of_group(may, group, cluster_arn),
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
    _refuse(problems)
    return state


def _container(fields: _Fields) -> Container:
    return Container(
        name=fields.text("name"),
        exit_code=fields.exit_code("exitCode"),
        reason=fields.text("reason"),
        last_status=fields.text("lastStatus"),
    )


def _service_of_group(fields: _Fields, group: str, cluster_arn: str) -> ServiceRef | None:
    """The service of `service:<name>`: task events carry no service ARN. Any other group is RunTask's."""
    kind, _, name = group.partition(":")
    if kind != "service" or not name:
        return None
    if "#" in name:
        fields.wrong("group", f"not the name of a service: {_shown(group)}")
        return None
    return ServiceRef(cluster_arn, name)


def _signal(envelope: Mapping[str, object], *, kinds: Mapping[str, SignalKind], time_field: str) -> Event:
    detail = _detail(envelope)
    problems: list[str] = []
    fields = _Fields(detail, path="detail.", problems=problems)
    name = fields.required_text("eventName")
    _refuse(problems)
    kind = kinds.get(name)
    if kind is None:
        return Ignored(f"{envelope['detail-type']} {_shown(name)}")
    at = fields.time(time_field)
    if at is None:
        at = _required_time(_Fields(envelope, path="", problems=problems), "time")
    cluster_arn = fields.arn("clusterArn", of="cluster") if detail.get("clusterArn") is not None else ""
    service = _service_of_resource(envelope, cluster_arn, problems)
    if service is None:
        return Ignored("a service whose ARN names no cluster")
    reason, deployment_id = fields.text("reason"), fields.text("deploymentId")
    signal = ServiceSignal(service=service, kind=kind, at=at, reason=reason, deployment_id=deployment_id)
    _refuse(problems)
    return signal


def _service_of_resource(envelope: Mapping[str, object], cluster_arn: str, problems: list[str]) -> ServiceRef | None:
    """The service of `resources[0]`: `…:service/<cluster>/<name>`.

    None for the old `…:service/<name>` where the event names no cluster either: nobody can say which service it is.
    """
    resources = envelope.get("resources")
    arn = resources[0] if isinstance(resources, list) and resources else None
    if not isinstance(arn, str) or not _is_unicode(arn):
        problems.append(f"resources[0]: not the ARN of a service but {_json_name(arn)}")
        return ServiceRef(cluster_arn, "")
    prefix, _, path = arn.partition(":service/")
    *cluster, name = path.split("/")
    if (
        not prefix.startswith("arn:")
        or prefix.count(":") != 4
        or "" in (name, *cluster)
        or len(cluster) > 1
        or "#" in arn
    ):
        problems.append(f"resources[0]: not the ARN of a service: {_shown(arn)}")
    elif not cluster and not cluster_arn:
        return None
    return ServiceRef(cluster_arn or f"{prefix}:cluster/{''.join(cluster)}", name)


def _sent_at(envelope: Mapping[str, object], detail: _Fields, problems: list[str]) -> float:
    if envelope.get("time") is not None:
        return _required_time(_Fields(envelope, path="", problems=problems), "time")
    updated_at = detail.time("updatedAt")
    if updated_at is None:
        problems.append("time: absent, and so is detail.updatedAt")
        return 0.0
    return updated_at


def _required_time(fields: _Fields, name: str) -> float:
    return (fields.time(name) if fields.required_text(name) else None) or 0.0


def _detail(envelope: Mapping[str, object]) -> Mapping[str, object]:
    detail = envelope.get("detail")
    if not isinstance(detail, dict):
        raise MalformedEventError(f"detail: not an object but {_json_name(detail)}")
    return detail


def _refuse(problems: list[str]) -> None:
    if problems:
        raise MalformedEventError("; ".join(problems))


def _epoch(text: str) -> float | None:
    """Seconds since 1970 of an ISO 8601 time with a zone; digits beyond microseconds are cut."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    seconds = moment.timestamp()
    return seconds if seconds >= 0 else None


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


def _is_unicode(text: str) -> bool:
    """JSON may spell half of a character; nobody can store or send it."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _json_name(value: object) -> str:
    return _JSON_NAMES.get(type(value).__name__, "a number")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:79]}…")
