"""What would have been told of recorded events, when, and what it had cost until then; beside the usual rules. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from loopbreaker.model import Category, ServiceRef
from loopbreaker.policy import Policy
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.seeing.fields import MalformedEventError
from loopbreaker.telling.prices import burn
from loopctl.observed import Size, size_of
from loopctl.replay import Announcement, Replay
from loopctl.usual import is_failure, usual_rules

Json = dict[str, Any]

_OF_TASK = (
    "availabilityZone",
    "capacityProviderName",
    "clusterArn",
    "containers",
    "cpu",
    "createdAt",
    "executionStoppedAt",
    "group",
    "lastStatus",
    "launchType",
    "memory",
    "startedAt",
    "startedBy",
    "stopCode",
    "stoppedAt",
    "stoppedReason",
    "stoppingAt",
    "taskArn",
    "taskDefinitionArn",
    "updatedAt",
)
_OF_CONTAINER = ("exitCode", "lastStatus", "name", "reason")
# What the installed rules let through, and the stops that only the usual rules look at.
_STATUSES = ("STOPPED", "DEACTIVATING")


@dataclass(slots=True)
class Told:
    """One loop: when it began, when it would have been told, when it was over; failures and cost by then."""

    service: ServiceRef
    category: Category
    profile: str
    began_at: float
    told_at: float
    failed_until_told: int
    dollars_until_told: float
    failed: int = 0
    dollars: float = 0.0
    over_at: float | None = None
    usual: dict[str, float | None] = field(default_factory=dict)

    @property
    def until(self) -> float:
        return self.over_at if self.over_at is not None else float("inf")


@dataclass(slots=True)
class Alarms:
    """What one of the usual rules would have sent: each alarm by its service and time."""

    sent: list[tuple[str, float]] = field(default_factory=list)

    def about(self, loop: Told) -> float | None:
        """When it would have told of a loop; None where it would not have."""
        name = _name(loop.service)
        times = [at for service, at in self.sent if service == name and loop.began_at <= at <= loop.until]
        return min(times, default=None)


@dataclass(slots=True)
class Result:
    """A backtest as a whole. `messages` counts what Loopbreaker would have sent."""

    events: int = 0
    services: int = 0
    began_at: float | None = None
    ended_at: float = 0.0
    messages: int = 0
    loops: list[Told] = field(default_factory=list)
    usual: dict[str, Alarms] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    def beside(self, rule: str) -> int:
        """How many services a usual rule tells of that Loopbreaker has nothing to say of."""
        looped = {_name(loop.service) for loop in self.loops}
        return len({service for service, _ in self.usual[rule].sent} - looped)


def slim(envelope: object) -> Json | None:
    """What a backtest needs of an event, to hold many of them; None for one that it does not need."""
    if not isinstance(envelope, dict):
        return None
    kind, detail = envelope.get("detail-type"), envelope.get("detail")
    if kind in ("ECS Service Action", "ECS Deployment State Change"):
        return envelope
    if kind != "ECS Task State Change" or not isinstance(detail, dict) or detail.get("lastStatus") not in _STATUSES:
        return None
    kept = {name: detail[name] for name in _OF_TASK if name in detail}
    containers = kept.get("containers")
    if isinstance(containers, list):
        kept["containers"] = [_only(container) for container in containers]
    return {"detail-type": kind, "time": envelope.get("time"), "detail": kept}


def backtest(events: Iterable[Json], policy: Policy) -> Result:
    """One run over the events, which are put in order first."""
    run, result, sizes = Replay(policy), Result(), dict[str, Size]()
    rules, services = usual_rules(), set[str]()
    result.usual = {name: Alarms() for name in rules}
    open_: dict[ServiceRef, Told] = {}
    for event in sorted(events, key=lambda event: str(event.get("time"))):
        detail = event["detail"]
        try:
            changes = list(run.feed(event))
        except MalformedEventError as error:
            result.unreadable.append(str(error))
            continue
        result.events += 1
        if detail.get("lastStatus") == "STOPPED" and str(detail.get("group", "")).startswith("service:"):
            name = f"{detail['clusterArn'].rsplit('/', 1)[-1]}/{detail['group'].removeprefix('service:')}"
            services.add(name)
            sizes[name] = size_of(detail)
            failed = is_failure(detail.get("stopCode", ""), detail.get("stoppedReason", ""))
            for rule, counter in rules.items():
                if counter.stopped(name, detail["taskArn"], at=run.now, failed=failed):
                    result.usual[rule].sent.append((name, run.now))
        _note(result, changes, open_, sizes)
    _note(result, list(run.finish()), open_, sizes)
    for service, incident in run.looping():
        if service in open_:
            _count(open_[service], incident, sizes)
    for loop in result.loops:
        loop.usual = {rule: alarms.about(loop) for rule, alarms in result.usual.items()}
    result.services, result.began_at, result.ended_at = len(services), run.began_at, run.now
    return result


def _note(result: Result, changes: list[Announcement], open_: dict[ServiceRef, Told], sizes: dict[str, Size]) -> None:
    for change in changes:
        result.messages += 1
        service, incident, kind = change.service, change.incident, change.notice.kind
        if kind is NoticeKind.LOOPING and service not in open_:
            found = Told(
                service=service,
                category=incident.category,
                profile=incident.signal.value,
                began_at=incident.first_failure_at,
                told_at=change.notice.at,
                failed_until_told=incident.failed_tasks,
                dollars_until_told=_dollars(service, incident, sizes),
            )
            result.loops.append(found)
            open_[service] = found
        if service in open_:
            _count(open_[service], incident, sizes)
            if kind is NoticeKind.RECOVERED:
                open_.pop(service).over_at = change.notice.at


def _count(loop: Told, incident: Incident, sizes: dict[str, Size]) -> None:
    loop.failed, loop.dollars = incident.failed_tasks, _dollars(loop.service, incident, sizes)


def _dollars(service: ServiceRef, incident: Incident, sizes: dict[str, Size]) -> float:
    size = sizes.get(_name(service), Size())
    return burn(
        restarts=incident.failed_tasks,
        seconds=incident.last_failure_at - incident.first_failure_at,
        category=incident.category,
        vcpu=size.vcpu,
        gib=size.gib,
        fargate=size.fargate,
    ).total


def _name(service: ServiceRef) -> str:
    return f"{service.cluster}/{service.name}"


def _only(container: object) -> object:
    if not isinstance(container, dict):
        return container
    return {name: container[name] for name in _OF_CONTAINER if name in container}
