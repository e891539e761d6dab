"""What ECS says of a service at one moment: the facts that a decision rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from loopbreaker.remembering.trip import Scaling


@dataclass(frozen=True, slots=True)
class Deployment:
    """One entry of a service's `deployments`. `id` is `ecs-svc/…`, which its tasks carry as `startedBy`.

    status: PRIMARY, ACTIVE (an older one that still has tasks) or INACTIVE.
    rollout: IN_PROGRESS, COMPLETED, FAILED; empty where ECS reports none (Classic Load Balancer, other controllers).
    created_at: when it was made, in seconds since the epoch; infinite where ECS does not say, so that nothing is old
        enough to be acted on.
    """

    id: str
    status: str
    task_definition: str
    running: int
    rollout: str
    created_at: float


@dataclass(frozen=True, slots=True)
class ServiceDeployment:
    """The service deployment under way, which can be stopped and rolled back.

    sources: running tasks of each revision that it replaces; empty for the first deployment of a service.
    breaker: DISABLED, MONITORING, MONITORING_COMPLETE or TRIGGERED; ECS's own deployment circuit breaker.
    began_at: since when it is under way, or since when it is rolled back, in seconds since the epoch; infinite where
        ECS does not say.
    """

    arn: str
    status: str
    sources: tuple[int, ...]
    breaker: str
    failures: int
    threshold: int
    began_at: float = inf


@dataclass(frozen=True, slots=True)
class RunningTask:
    """A task that ECS does not mean to stop. `started_at` is None before it is RUNNING.

    deployment_id: `ecs-svc/…`, the deployment that started it.
    target_health: of its targets in the service's target groups, `healthy` where one is; empty where unknown.
    """

    last_status: str
    health: str
    started_at: float | None
    deployment_id: str
    target_health: str = ""
    created_at: float = 0.0

    @property
    def runs_well(self) -> bool:
        """RUNNING, and as far as is known neither unhealthy nor without a healthy target."""
        return self.last_status == "RUNNING" and self.health != "UNHEALTHY" and self.target_health in ("", "healthy")


@dataclass(frozen=True, slots=True)
class Facts:
    """A service as ECS describes it. `exists` is False for one that is gone or no longer ACTIVE.

    grace: for so many seconds after its start ECS disregards what a task's health checks say.
    stack_waits: whether a stack of CloudFormation is creating or updating it; None where nobody knows or asked.
    rolls: whether its deployments are rolling ones; others run two revisions side by side, and may wait for days.
    """

    exists: bool
    desired_count: int = 0
    strategy: str = "REPLICA"
    controller: str = "ECS"
    managed_by_ecs: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    deployments: tuple[Deployment, ...] = ()
    rollout: ServiceDeployment | None = None
    tasks: tuple[RunningTask, ...] = ()
    scaling: Scaling | None = None
    grace: float = 0.0
    rolls: bool = True
    stack_waits: bool | None = None

    @property
    def primary(self) -> Deployment | None:
        return next((d for d in self.deployments if d.status == "PRIMARY"), None)

    @property
    def in_progress(self) -> bool:
        """Whether a deployment is under way: tasks of two revisions may run, and counts are not what they seem."""
        return self.rollout is not None or any(d.rollout == "IN_PROGRESS" for d in self.deployments)


@dataclass(frozen=True, slots=True)
class Unknown:
    """ECS could not be asked. What is unknown never leads to action."""

    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A call that acts was taken. `deployment_id` is the PRIMARY one in the answer; empty where there is none."""

    deployment_id: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that acts was refused for good."""

    why: str


def survivors(facts: Facts, *, longest_lifetime: float, survivor_age: float, now: float) -> tuple[RunningTask, ...]:
    """Tasks that still serve: RUNNING, not unhealthy, older than twice the longest lifetime that failed.

    `survivor_age` is the least age in seconds, for failed tasks that lived a moment only.
    A task whose targets are known and none healthy serves nobody; one whose targets are unknown may.
    """
    age = max(survivor_age, 2 * longest_lifetime)
    return tuple(
        task for task in facts.tasks if task.runs_well and task.started_at is not None and now - task.started_at > age
    )
