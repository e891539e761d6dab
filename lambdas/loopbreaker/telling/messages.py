"""What people read: one message for one change of state, as mail, chat and event. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from loopbreaker.model import ServiceRef
from loopbreaker.record import BreakerState, Incident, Notice, NoticeKind, Record, Trip
from loopbreaker.telling.advice import advice

DETAIL_TYPE = "Restart Loop State Change"
# SNS takes a subject of fewer than 100 characters (SNS API reference, Publish).
_SUBJECT = 99
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-cn": "console.amazonaws.cn",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message in all its forms.

    chat: the custom notification schema of Amazon Q Developer in chat applications.
    detail: the detail of the event on the bus; its `id` is the same in every repetition.
    """

    subject: str
    text: str
    chat: dict[str, Any]
    detail_type: str
    detail: dict[str, Any]
    resources: tuple[str, ...]


def compose(before: Record | None, after: Record, notice: Notice) -> Message:
    """The message for a notice of the step from one version of a record to the next."""
    incident = after.incident or (before.incident if before else None)
    service = after.service
    title = f"{service.name} {_HEADLINES[notice.kind]}"
    paragraphs = [
        f"{title} ({_sentence(notice)}).",
        "\n".join(_facts(service, incident, notice)),
        *_what_next(after, incident, notice),
        f"Console: {console_url(service)}",
    ]
    text = "\n\n".join(part for part in paragraphs if part)
    return Message(
        subject=_subject(f"[Loopbreaker] {title} in {service.cluster}"),
        text=text,
        chat=_chat(service, incident, notice, title=title, paragraphs=paragraphs),
        detail_type=DETAIL_TYPE,
        detail=_detail(after, incident, notice),
        resources=(service_arn(service),),
    )


def service_arn(service: ServiceRef) -> str:
    """The ARN of the service in the form with the cluster's name."""
    head, _, cluster = service.cluster_arn.partition(":cluster/")
    return f"{head}:service/{cluster}/{service.name}"


def console_url(service: ServiceRef) -> str:
    """The page of the service in the console of its partition."""
    host = _CONSOLES.get(service.cluster_arn.split(":")[1], _CONSOLES["aws"])
    return f"https://{service.region}.{host}/ecs/v2/clusters/{service.cluster}/services/{service.name}/tasks"


def resume_commands(service: ServiceRef, trip: Trip) -> list[str]:
    """The AWS CLI commands that bring a stopped service back to what it was. The count first: see `breaker`."""
    where = f"--region {service.region}"
    commands = [
        f"aws ecs update-service {where} --cluster {service.cluster} --service {service.name} "
        f"--desired-count {trip.restored_count}"
    ]
    if trip.scaling and not trip.scaling.suspended:
        flags = (
            f"DynamicScalingInSuspended={_flag(trip.scaling.dynamic_in_suspended)},"
            f"DynamicScalingOutSuspended={_flag(trip.scaling.dynamic_out_suspended)},"
            f"ScheduledScalingSuspended={_flag(trip.scaling.scheduled_suspended)}"
        )
        commands.append(
            f"aws application-autoscaling register-scalable-target {where} --service-namespace ecs "
            f"--resource-id service/{service.cluster}/{service.name} "
            f"--scalable-dimension ecs:service:DesiredCount --suspended-state {flags}"
        )
    return commands


def _sentence(notice: Notice) -> str:
    return notice.reason or "no reason was recorded"


def _facts(service: ServiceRef, incident: Incident | None, notice: Notice) -> list[str]:
    lines = [
        f"Service:   {service.name}",
        f"Cluster:   {service.cluster} (account {service.account}, {service.region})",
    ]
    if incident is None:
        return lines
    lines += [
        f"Since:     {_time(incident.first_failure_at)} ({_span(notice.at - incident.first_failure_at)} ago)",
        f"Failures:  {_count(incident.failed_tasks, 'task')}{_depth(incident)}{_rate(incident, notice)}",
        f"Cause:     {_cause(incident)}",
    ]
    if incident.task_definition:
        lines.append(f"Revision:  {incident.task_definition.rsplit('/', 1)[-1]}")
    if incident.desired_count is not None:
        lines.append(f"Desired:   {_count(incident.desired_count, 'task')}")
    return lines


def _cause(incident: Incident) -> str:
    said = [incident.category.value]
    if incident.container:
        said.append(f"container {incident.container}")
    if incident.exit_code is not None:
        said.append(f"exit code {incident.exit_code}")
    if incident.evidence and incident.evidence != f"exit code {incident.exit_code}":
        said.append(f'"{incident.evidence}"')
    return ", ".join(said)


def _depth(incident: Incident) -> str:
    return f", {_count(incident.depth, 'generation')} in a row" if incident.depth else ""


def _rate(incident: Incident, notice: Notice) -> str:
    hours = (notice.at - incident.first_failure_at) / 3600
    return f", about {incident.failed_tasks / hours:.0f} an hour" if hours > 1 / 60 and incident.failed_tasks else ""


def _what_next(after: Record, incident: Incident | None, notice: Notice) -> list[str]:
    match notice.kind:
        case NoticeKind.LOOPING | NoticeKind.ROLLED_BACK if incident:
            return [f"What to do: {advice(incident.category)}"]
        case NoticeKind.STOPPED if incident and after.trip:
            commands = "\n".join(f"  {command}" for command in resume_commands(after.service, after.trip))
            return [
                f"What to do: {advice(incident.category)} "
                "Deploy the fix: another task definition on the service brings it back by itself. "
                f"By hand: loopctl resume {after.service.cluster} {after.service.name}, or\n{commands}"
            ]
        case NoticeKind.NOT_STOPPED if incident:
            return [f"It keeps looping. What to do: {advice(incident.category)}"]
        case _:
            return []


def _chat(
    service: ServiceRef, incident: Incident | None, notice: Notice, *, title: str, paragraphs: list[str]
) -> dict[str, Any]:
    thread = f"{service.key}#{incident.id}" if incident else service.key
    return {
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": f"{_ICONS[notice.kind]} {title}"[:150],
            "description": "\n\n".join(part for part in paragraphs[:2] if part)[:3000],
            "nextSteps": [part[:1000] for part in paragraphs[2:] if part],
            "keywords": [service.cluster, service.name, *([incident.category.value] if incident else [])],
        },
        "metadata": {
            "threadId": thread,
            "summary": title,
            "eventType": f"loopbreaker.{notice.kind.value}",
            "relatedResources": [service_arn(service)],
        },
    }


_HEADLINES = {
    NoticeKind.LOOPING: "is in a restart loop",
    NoticeKind.MASS: "and others are in a restart loop",
    NoticeKind.STOPPED: "was stopped",
    NoticeKind.ROLLED_BACK: "is being rolled back",
    NoticeKind.NOT_STOPPED: "was not stopped",
    NoticeKind.PROBING: "is let try",
    NoticeKind.BACK: "was started again",
    NoticeKind.BAD_TAG: "has a tag that is not understood",
    NoticeKind.RECOVERED: "has recovered",
}
_ICONS = {
    NoticeKind.LOOPING: ":repeat:",
    NoticeKind.MASS: ":rotating_light:",
    NoticeKind.STOPPED: ":octagonal_sign:",
    NoticeKind.ROLLED_BACK: ":leftwards_arrow_with_hook:",
    NoticeKind.NOT_STOPPED: ":warning:",
    NoticeKind.PROBING: ":test_tube:",
    NoticeKind.BACK: ":arrow_forward:",
    NoticeKind.BAD_TAG: ":label:",
    NoticeKind.RECOVERED: ":white_check_mark:",
}


def _detail(after: Record, incident: Incident | None, notice: Notice) -> dict[str, Any]:
    """The event's detail; `version` is of this schema, docs/event.schema.json."""
    service = after.service
    detail: dict[str, Any] = {
        "version": 1,
        "id": f"{service.key}#{notice.number}#{notice.at:.3f}",
        "transition": notice.kind.value,
        "at": _time(notice.at, precise=True),
        "reason": notice.reason,
        "clusterArn": service.cluster_arn,
        "serviceName": service.name,
        "verdict": after.verdict.value,
        "breaker": after.breaker.value,
    }
    if incident:
        detail |= {
            "incident": incident.id,
            "profile": incident.signal.value,
            "category": incident.category.value,
            "depth": incident.depth,
            "failedTasks": incident.failed_tasks,
            "firstFailureAt": _time(incident.first_failure_at, precise=True),
            "taskDefinitionArn": incident.task_definition,
        }
    if after.breaker is not BreakerState.CLOSED and after.trip:
        detail["savedDesiredCount"] = after.trip.desired_count
    return detail


def _subject(text: str) -> str:
    """ASCII, no line breaks, short enough for SNS."""
    plain = text.encode("ascii", "replace").decode().replace("\n", " ")
    return plain if len(plain) <= _SUBJECT else f"{plain[: _SUBJECT - 3]}..."


def _time(at: float, *, precise: bool = False) -> str:
    moment = datetime.fromtimestamp(at, tz=UTC)
    return moment.isoformat().replace("+00:00", "Z") if precise else moment.strftime("%Y-%m-%d %H:%M UTC")


def _span(seconds: float) -> str:
    minutes = max(0, round(seconds / 60))
    if minutes < 120:
        return _count(minutes, "minute")
    return f"{minutes / 60:.0f} hours" if minutes < 48 * 60 else f"{minutes / 1440:.0f} days"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _flag(value: bool) -> str:
    return "true" if value else "false"
