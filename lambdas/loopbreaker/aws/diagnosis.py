"""What a loop's surroundings say, read once when it is found: nothing is changed, and a part that fails is named.

Nothing here may keep a loop from being told: each part catches what can go wrong with it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from loopbreaker.model import Category, ServiceRef
from loopbreaker.remembering.incident import Incident
from loopbreaker.telling import sums
from loopbreaker.telling.changes import changes
from loopbreaker.telling.diagnosis import Diagnosis
from loopbreaker.telling.letter import clean
from loopbreaker.telling.masking import masked_strictly

# Seconds after which no further part is begun.
BUDGET = 15.0
_LINES, _COLUMNS = 12, 200
_HISTORY = 20

Json = Mapping[str, Any]
# What an answer of another shape than the documented one leads to.
_SHAPES = (KeyError, TypeError, ValueError, AttributeError, IndexError)


class LogLines(StrEnum):
    """Whose last log lines are read: nobody's, those of services whose owner asks for it by tag, everybody's."""

    OFF = "off"
    TAGGED = "tagged"
    ALL = "all"

    def wanted(self, tagged: bool) -> bool:
        return self is LogLines.ALL or (self is LogLines.TAGGED and tagged)


@dataclass(frozen=True, slots=True)
class Doctor:
    """Looks at one loop. `client` makes the client of an AWS service; `lines` says whether log lines are read."""

    client: Callable[[str], Any]
    clock: Callable[[], float]
    lines: bool = False

    def diagnose(self, service: ServiceRef, incident: Incident) -> Diagnosis:
        """What could be found out within the budget; `left_out` names the rest."""
        look = _Look(self, service, incident, until=self.clock() + BUDGET)
        look.part("the stopped task", look.stopped_task)
        look.part("the task definition", look.definition)
        look.part("what ran before", look.before)
        look.part("the arithmetic", look.sums)
        if self.lines:
            look.part("the last log lines", look.log_lines)
        look.part("what others may share", look.shares)
        return look.found


class _Look:
    """One look: each part adds to what was found, and may use what those before it found."""

    def __init__(self, doctor: Doctor, service: ServiceRef, incident: Incident, *, until: float) -> None:
        self._doctor, self._service, self._incident, self._until = doctor, service, incident, until
        self._cluster = {"cluster": service.cluster_arn}
        self._task: Json = {}
        self._definition: Json = {}
        self._earlier: Json = {}
        self.found = Diagnosis()

    def part(self, name: str, do: Callable[[], None]) -> None:
        """Do one part; where it fails, say so and go on."""
        if self._doctor.clock() > self._until:
            self._leave_out(name, "there was no time left")
            return
        try:
            do()
        except ClientError as error:
            self._leave_out(name, f"{error.operation_name}: {error.response['Error']['Code']}")
        except BotoCoreError as error:
            self._leave_out(name, type(error).__name__)
        except _SHAPES as error:
            self._leave_out(name, f"the answer was not understood ({type(error).__name__})")

    def stopped_task(self) -> None:
        ecs = self._doctor.client("ecs")
        arns = ecs.list_tasks(
            **self._cluster, serviceName=self._service.name, desiredStatus="STOPPED", maxResults=100
        ).get("taskArns", [])
        if not arns:
            return
        tasks = ecs.describe_tasks(**self._cluster, tasks=arns).get("tasks", [])
        mine = [t for t in tasks if t.get("taskDefinitionArn") == self._incident.task_definition] or tasks
        self._task = max(mine, key=lambda task: _seconds(task.get("stoppedAt") or task.get("stoppingAt")))
        self.found = replace(
            self.found,
            task_id=str(self._task["taskArn"]).rsplit("/", 1)[-1],
            fargate=self._task.get("launchType") == "FARGATE",
        )

    def definition(self) -> None:
        if not self._incident.task_definition:
            return
        self._definition = self._describe(self._incident.task_definition)
        options = self._container.get("logConfiguration", {})
        group = options.get("options", {}).get("awslogs-group", "") if options.get("logDriver") == "awslogs" else ""
        prefix = options.get("options", {}).get("awslogs-stream-prefix", "")
        task = self.found.task_id
        self.found = replace(
            self.found,
            log_group=group,
            log_stream=f"{prefix}/{self._container['name']}/{task}" if group and prefix and task else "",
            vcpu=int(self._definition.get("cpu") or 0) / 1024,
            memory_mib=int(self._definition.get("memory") or 0),
            fargate=self.found.fargate or "FARGATE" in self._definition.get("requiresCompatibilities", []),
            deployed_at=_seconds(self._definition.get("registeredAt")),
            deployed_by=clean(str(self._definition.get("registeredBy", "")), most=120),
        )

    def before(self) -> None:
        """The revision that ran before, and since when the looping one is deployed, from the service's deployments."""
        if not self._definition:
            return
        ecs = self._doctor.client("ecs")
        listed = ecs.list_service_deployments(**self._cluster, service=self._service.name, maxResults=_HISTORY).get(
            "serviceDeployments", []
        )
        listed = sorted(listed, key=lambda one: _seconds(one.get("createdAt")), reverse=True)
        revisions = [one["targetServiceRevisionArn"] for one in listed if one.get("targetServiceRevisionArn")]
        if not revisions:
            return
        described = ecs.describe_service_revisions(serviceRevisionArns=list(dict.fromkeys(revisions)))
        definitions = {r["serviceRevisionArn"]: r["taskDefinition"] for r in described.get("serviceRevisions", [])}
        runs = [(one, definitions.get(one.get("targetServiceRevisionArn", ""), "")) for one in listed]
        since, earlier = _since_and_earlier(runs, self._incident.task_definition)
        if since:
            self.found = replace(self.found, deployed_at=since)
        if earlier:
            self._earlier = self._describe(earlier)
            self.found = replace(
                self.found,
                compared_with=earlier.rsplit("/", 1)[-1],
                changes=changes(self._earlier, self._definition),
            )

    def sums(self) -> None:
        incident, lived = self._incident, self._incident.longest_lifetime
        found: tuple[str, ...] = ()
        match incident.category:
            case Category.OUT_OF_MEMORY | Category.KILLED:
                found = tuple(sums.memory(self._definition, incident.container, self._earlier or None))
            case Category.CONTAINER_HEALTH_CHECK:
                found = tuple(sums.container_check(self._definition, incident.container, lived))
            case Category.ELB_HEALTH_CHECK:
                service = self._described_service()
                arns = [b["targetGroupArn"] for b in service.get("loadBalancers", []) if b.get("targetGroupArn")]
                answer = self._doctor.client("elbv2").describe_target_groups(TargetGroupArns=arns) if arns else {}
                grace = service.get("healthCheckGracePeriodSeconds") or 0
                found = tuple(sums.balancer_check(grace, answer.get("TargetGroups", []), lived))
            case Category.NETWORK_ENI:
                network = self._described_service().get("networkConfiguration", {}).get("awsvpcConfiguration", {})
                ids = network.get("subnets", [])
                answer = self._doctor.client("ec2").describe_subnets(SubnetIds=ids) if ids else {}
                found = tuple(sums.addresses(answer.get("Subnets", [])))
            case _:
                return
        self.found = replace(self.found, sums=found)

    def log_lines(self) -> None:
        """The last lines of the container that failed, bounded and masked."""
        if not self._task:
            self._leave_out("the last log lines", "ECS shows no task that stopped")
            return
        if not self.found.log_stream:
            self._leave_out(
                "the last log lines", "the container does not write to CloudWatch Logs with a stream prefix"
            )
            return
        try:
            answer = self._doctor.client("logs").get_log_events(
                logGroupName=self.found.log_group,
                logStreamName=self.found.log_stream,
                limit=_LINES,
                startFromHead=False,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            self._leave_out("the last log lines", "the container wrote nothing, or never started")
            return
        written = [line for event in answer.get("events", []) for line in event["message"].splitlines()]
        lines = tuple(clean(masked_strictly(line), most=_COLUMNS) for line in written if line.strip())
        self.found = replace(self.found, lines=lines[-_LINES:])

    def shares(self) -> None:
        self.found = replace(self.found, shares=tuple(dict.fromkeys(self._shares())))

    def _shares(self) -> Iterator[str]:
        for container in self._definition.get("containerDefinitions", []):
            image = str(container.get("image", ""))
            host = image.split("/", 1)[0]
            yield f"the registry {host if '/' in image and ('.' in host or ':' in host) else 'docker.io'}"
            for secret in container.get("secrets", []):
                yield f"the secret {secret['valueFrom']}"
        if zone := self._task.get("availabilityZone"):
            yield f"the zone {zone}"
        details = (d for a in self._task.get("attachments", []) for d in a.get("details", []))
        yield from (f"the subnet {d['value']}" for d in details if d.get("name") == "subnetId")
        if self.found.deployed_at:
            yield f"a deployment in the ten minutes from {_minute(self.found.deployed_at)}"

    @property
    def _container(self) -> Json:
        """The definition of the container at fault, else of the only one there is."""
        containers = self._definition.get("containerDefinitions", [])
        named = [c for c in containers if c.get("name") == self._incident.container]
        found: Json = (named or (containers if len(containers) == 1 else []) or [{"name": ""}])[0]
        return found

    def _describe(self, arn: str) -> Json:
        found: Json = self._doctor.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
        return found

    def _described_service(self) -> Json:
        answer = self._doctor.client("ecs").describe_services(**self._cluster, services=[self._service.name])
        found: Json = answer["services"][0]
        return found

    def _leave_out(self, name: str, why: str) -> None:
        self.found = replace(self.found, left_out=(*self.found.left_out, f"{name}: {why}"))


def _since_and_earlier(runs: list[tuple[Json, str]], looping: str) -> tuple[float, str]:
    """Since when the looping definition is deployed without a break, and the last other one that succeeded.

    `runs`: deployments, the newest first, each with the task definition that it is of.
    """
    since = 0.0
    for deployment, definition in runs:
        if definition == looping:
            since = _seconds(deployment.get("createdAt"))
        elif since and definition and deployment.get("status") == "SUCCESSFUL":
            return since, definition
    return since, ""


def _seconds(moment: object) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else 0.0


def _minute(at: float) -> str:
    return datetime.fromtimestamp(at // 600 * 600, tz=UTC).strftime("%H:%M UTC")
