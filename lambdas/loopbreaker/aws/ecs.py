"""ECS, Application Auto Scaling and load balancers: reads the facts of a service, and makes the calls that act."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from math import inf
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from loopbreaker.aws.stacks import waits
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode
from loopbreaker.remembering.trip import Scaling
from loopbreaker.treating.facts import Answer, Deployment, Facts, Refusal, RunningTask, ServiceDeployment, Unknown
from loopbreaker.treating.owner import HELD_TAG, wishes

# DescribeTasks takes 100 tasks (ECS API reference).
_TASKS = 100
_DIMENSION = "ecs:service:DesiredCount"
_UNDER_WAY = ("PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")
# Refusals that pass by themselves ("Common errors" and each API's errors in the API references).
_PASSING = (
    "ConcurrentUpdateException",
    "InternalServiceException",
    "LimitExceededException",
    "RequestLimitExceeded",
    "ServerException",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
)
_NO_GROUP = ("TargetGroupNotFound", "TargetGroupNotFoundException")
# What is known of several targets of one task, the most telling first.
_TELLING = ("healthy", "unhealthy", "initial", "draining", "unavailable", "unused")
_GONE = ("ClusterNotFoundException", "ServiceNotFoundException")


# Fields of a service that botocore knows from 1.41.2 on; an older one drops them without a word, and a service in the
# middle of a deployment, or one that ECS itself manages, looks as any other.
_NEEDED = ("currentServiceDeployment", "resourceManagementType")


def unreadable(ecs: Any) -> str:
    """Why what this client reads cannot be relied on: fields that the SDK of this runtime does not know; else empty."""
    known = ecs.meta.service_model.shape_for("Service").members
    missing = [name for name in _NEEDED if name not in known]
    return f"the AWS SDK of this runtime is too old: it does not know {' and '.join(missing)}" if missing else ""


class LiveEcs:
    """The services of one Region, as the stories see them."""

    def __init__(
        self,
        ecs: Any,
        scaling: Any,
        balancing: Callable[[], Any],
        *,
        blind: str = "",
        stacks: Callable[[], Any] | None = None,
    ) -> None:
        """`balancing` makes the client of Elastic Load Balancing; only services with a target group need it.

        stacks: makes the client of CloudFormation, where it may be asked; only services that may be stopped, in the
            middle of a deployment, need it.

        blind: why nothing that is read can be relied on (see `unreadable`): then all is unknown, and nothing is done.
        """
        self._blind = blind
        self._ecs = ecs
        self._scaling = scaling
        self._balancing = balancing
        self._stacks = stacks

    def read(self, service: ServiceRef) -> Facts | Unknown:
        if self._blind:
            return Unknown(why=self._blind)
        if service.is_daemon:
            return Unknown(why="a managed daemon is no service")
        try:
            return self._read(service)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return Facts(exists=False) if code in _GONE else Unknown(why=f"{error.operation_name}: {code}")
        except BotoCoreError as error:
            return Unknown(why=str(error))

    def set_desired_count(self, service: ServiceRef, count: int) -> Answer | Refusal:
        answer = _act(self._ecs.update_service, cluster=service.cluster_arn, service=service.name, desiredCount=count)
        if isinstance(answer, Refusal):
            return answer
        primary = [d["id"] for d in answer["service"].get("deployments", []) if d["status"] == "PRIMARY"]
        return Answer(deployment_id=primary[0] if primary else "")

    def set_suspended(self, service: ServiceRef, scaling: Scaling) -> Answer | Refusal:
        # MinCapacity and MaxCapacity are left out: what is not named stays as it is.
        answer = _act(
            self._scaling.register_scalable_target,
            ServiceNamespace="ecs",
            ResourceId=_resource(service),
            ScalableDimension=_DIMENSION,
            SuspendedState={
                "DynamicScalingInSuspended": scaling.dynamic_in_suspended,
                "DynamicScalingOutSuspended": scaling.dynamic_out_suspended,
                "ScheduledScalingSuspended": scaling.scheduled_suspended,
            },
        )
        return answer if isinstance(answer, Refusal) else Answer()

    def tag_held(self, service: ServiceRef, *, count: int, since: float) -> Answer | Refusal:
        moment = datetime.fromtimestamp(since, tz=UTC).strftime("%Y-%m-%dT%H:%MZ")
        tag = {"key": HELD_TAG, "value": f"count={count} since={moment}"}
        answer = _act(self._ecs.tag_resource, resourceArn=_arn(service), tags=[tag])
        return answer if isinstance(answer, Refusal) else Answer()

    def untag_held(self, service: ServiceRef) -> Answer | Refusal:
        answer = _act(self._ecs.untag_resource, resourceArn=_arn(service), tagKeys=[HELD_TAG])
        return answer if isinstance(answer, Refusal) else Answer()

    def roll_back(self, service_deployment: str) -> Answer | Refusal:
        # ABORT is in the enumeration, but only ROLLBACK is valid (ECS API reference, StopServiceDeployment).
        answer = _act(self._ecs.stop_service_deployment, serviceDeploymentArn=service_deployment, stopType="ROLLBACK")
        return answer if isinstance(answer, Refusal) else Answer()

    def _read(self, service: ServiceRef) -> Facts:
        answer = self._ecs.describe_services(cluster=service.cluster_arn, services=[service.name], include=["TAGS"])
        found = next(iter(answer["services"]), None)
        if found is None or found["status"] != "ACTIVE":
            return Facts(exists=False)
        tags = {tag["key"]: tag.get("value", "") for tag in found.get("tags", [])}
        rollout = self._rollout(found.get("currentServiceDeployment"))
        return Facts(
            exists=True,
            desired_count=found["desiredCount"],
            strategy=found.get("schedulingStrategy", "REPLICA"),
            controller=found.get("deploymentController", {}).get("type", "ECS"),
            managed_by_ecs=found.get("resourceManagementType") == "ECS",
            tags=tags,
            deployments=tuple(_deployment(d) for d in found.get("deployments", [])),
            rollout=rollout,
            tasks=tuple(self._tasks(service, self._targets(found.get("loadBalancers", [])))),
            scaling=self._target(service),
            grace=float(found.get("healthCheckGracePeriodSeconds") or 0),
            rolls=found.get("deploymentConfiguration", {}).get("strategy", "ROLLING") == "ROLLING",
            stack_waits=self._stack_waits(found["serviceArn"])
            if rollout and wishes(tags).action is Mode.STOP
            else None,
        )

    def _stack_waits(self, arn: str) -> bool | None:
        return waits(self._stacks(), arn) if self._stacks else None

    def _targets(self, balancers: list[dict[str, Any]]) -> list[dict[str, str]]:
        """The state of each target by its address, a table for each target group of the service."""
        groups = {b["targetGroupArn"] for b in balancers if b.get("targetGroupArn")}
        # Of a blue/green deployment; green tasks are targets of the other group before the switch.
        others = [b.get("advancedConfiguration", {}).get("alternateTargetGroupArn") for b in balancers]
        groups |= {group for group in others if group}
        return [found for found in map(self._health, sorted(groups)) if found]

    def _health(self, group: str) -> dict[str, str]:
        """The state of each target of a group by its address; empty for a group that was deleted."""
        try:
            answer = self._balancing().describe_target_health(TargetGroupArn=group)
        except ClientError as error:
            if error.response["Error"]["Code"] in _NO_GROUP:
                return {}
            raise
        return {d["Target"]["Id"]: d["TargetHealth"]["State"] for d in answer["TargetHealthDescriptions"]}

    def _tasks(self, service: ServiceRef, targets: list[dict[str, str]]) -> Iterator[RunningTask]:
        where = {"cluster": service.cluster_arn}
        pages = self._ecs.get_paginator("list_tasks").paginate(
            **where, serviceName=service.name, desiredStatus="RUNNING", maxResults=_TASKS
        )
        for page in pages:
            if page["taskArns"]:
                answer = self._ecs.describe_tasks(**where, tasks=page["taskArns"])
                yield from (_task(t, targets) for t in answer["tasks"] if t.get("desiredStatus") == "RUNNING")

    def _rollout(self, arn: str | None) -> ServiceDeployment | None:
        """The service deployment under way; None where there is none, or it has ended."""
        if not arn:
            return None
        found = self._ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"]
        if not found or found[0]["status"] not in _UNDER_WAY:
            return None
        breaker = found[0].get("deploymentCircuitBreaker", {})
        began = found[0].get("rollback", {}).get("startedAt") or found[0].get("startedAt") or found[0].get("createdAt")
        return ServiceDeployment(
            arn=arn,
            status=found[0]["status"],
            sources=tuple(source.get("runningTaskCount", 0) for source in found[0].get("sourceServiceRevisions", [])),
            breaker=breaker.get("status", "DISABLED"),
            failures=breaker.get("failureCount", 0),
            threshold=breaker.get("threshold", 0),
            began_at=began.timestamp() if began else inf,
        )

    def _target(self, service: ServiceRef) -> Scaling | None:
        answer = self._scaling.describe_scalable_targets(
            ServiceNamespace="ecs", ResourceIds=[_resource(service)], ScalableDimension=_DIMENSION
        )
        target = next(iter(answer["ScalableTargets"]), None)
        if target is None:
            return None
        suspended = target.get("SuspendedState", {})
        return Scaling(
            minimum=target["MinCapacity"],
            maximum=target["MaxCapacity"],
            dynamic_in_suspended=suspended.get("DynamicScalingInSuspended", False),
            dynamic_out_suspended=suspended.get("DynamicScalingOutSuspended", False),
            scheduled_suspended=suspended.get("ScheduledScalingSuspended", False),
        )


def _act(call: Callable[..., dict[str, Any]], **parameters: Any) -> dict[str, Any] | Refusal:
    """Make a call that acts. Raises what may pass by itself: throttling, a fault of AWS, a lost connection."""
    try:
        return call(**parameters)
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        code = error.response["Error"]["Code"]
        if status >= 500 or code in _PASSING:
            raise
        return Refusal(why=f"{error.operation_name}: {code}")


def _arn(service: ServiceRef) -> str:
    """Only a service with the cluster in its ARN can carry tags ("Amazon Resource Names (ARNs) and IDs")."""
    head, _, cluster = service.cluster_arn.partition(":cluster/")
    return f"{head}:service/{cluster}/{service.name}"


def _resource(service: ServiceRef) -> str:
    return f"service/{service.cluster}/{service.name}"


def _deployment(data: dict[str, Any]) -> Deployment:
    return Deployment(
        id=data["id"],
        status=data["status"],
        task_definition=data.get("taskDefinition", ""),
        running=data.get("runningCount", 0),
        rollout=data.get("rolloutState", ""),
        created_at=data["createdAt"].timestamp() if "createdAt" in data else inf,
    )


def _target_health(data: dict[str, Any], targets: list[dict[str, str]]) -> str:
    """`healthy` where a target of the task is, its state where none is, empty where its targets are not known.

    A task with an interface of its own is a target by its address; others are known by their instance, which
    several tasks may share, so nothing is said of them ("Target groups for your Application Load Balancers").
    """
    details = [
        d for a in data.get("attachments", []) if a.get("type") == "ElasticNetworkInterface" for d in a["details"]
    ]
    addresses = [d["value"] for d in details if d["name"] == "privateIPv4Address"]
    states = [states[address] for states in targets for address in addresses if address in states]
    return next((state for state in _TELLING if state in states), next(iter(states), ""))


def _task(data: dict[str, Any], targets: list[dict[str, str]]) -> RunningTask:
    created: datetime | None = data.get("createdAt")
    started: datetime | None = data.get("startedAt")
    return RunningTask(
        last_status=data["lastStatus"],
        health=data.get("healthStatus", "UNKNOWN"),
        started_at=started.timestamp() if started else None,
        deployment_id=data.get("startedBy", ""),
        target_health=_target_health(data, targets),
        created_at=created.timestamp() if created else 0.0,
    )
