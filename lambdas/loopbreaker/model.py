"""The nouns: what an event says, once it has been parsed. Knows nobody.

Every time is a float of seconds since the Unix epoch (UTC), every duration a float of seconds.
"""

from dataclasses import dataclass
from enum import StrEnum


class Category(StrEnum):
    """Why a task stopped, in one word."""

    # Failures.
    OUT_OF_MEMORY = "out-of-memory"
    APP_CRASH = "app-crash"
    SEGFAULT = "segfault"
    KILLED = "killed"
    TERMINATED = "terminated"
    CLEAN_EXIT = "clean-exit"
    CANNOT_START = "cannot-start"
    DISK = "disk"
    IMAGE_PULL = "image-pull"
    RESOURCE_INIT = "resource-init"
    NETWORK_ENI = "network-eni"
    PLACEMENT = "placement"
    ELB_HEALTH_CHECK = "elb-health-check"
    CONTAINER_HEALTH_CHECK = "container-health-check"
    UNKNOWN = "unknown"
    # Ordinary life.
    SCHEDULER_REPLACEMENT = "scheduler-replacement"
    AZ_REBALANCE = "az-rebalance"
    MAINTENANCE = "maintenance"
    DRAIN = "drain"
    USER_STOP = "user-stop"
    SPOT = "spot"
    HOST_LOSS = "host-loss"
    SCHEDULER_UNKNOWN = "scheduler-unknown"


FAILED_HEALTH_CHECKS = (Category.ELB_HEALTH_CHECK, Category.CONTAINER_HEALTH_CHECK)
"""Causes for which ECS itself stops the task, and starts the replacement first."""


class Label(StrEnum):
    """What an event is to the detector."""

    FAILURE = "failure"
    NORMAL = "normal"
    NOT_FINAL = "not-final"
    STANDALONE = "standalone"
    NOT_A_STOP = "not-a-stop"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True, order=True)
class ServiceRef:
    """One ECS service. The name alone is not enough: two clusters may hold services of one name."""

    cluster_arn: str
    name: str

    @property
    def key(self) -> str:
        """Partition key of the service; neither part can contain '#'."""
        return f"{self.cluster_arn}#{self.name}"

    @property
    def cluster(self) -> str:
        """Short name of the cluster."""
        return self.cluster_arn.rsplit("/", 1)[-1]

    @property
    def region(self) -> str:
        return self.cluster_arn.split(":")[3]

    @property
    def account(self) -> str:
        return self.cluster_arn.split(":")[4]

    @property
    def is_daemon(self) -> bool:
        """Whether it is a managed daemon, which is no service: ECS is not asked about it, and nothing is done."""
        return self.name.startswith(_DAEMON)


# No name of a service holds a colon.
_DAEMON = "daemon:"


def daemon(cluster_arn: str, name: str) -> ServiceRef:
    """A managed daemon of a cluster, beside its services."""
    return ServiceRef(cluster_arn, f"{_DAEMON}{name}")


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a stopped task. `exit_code` is None where ECS sent none; 0 is a value."""

    name: str
    exit_code: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class TaskState:
    """An `ECS Task State Change` event. Strings are empty, times None, where ECS sent nothing.

    `service` is None for a task that no service started.
    """

    task_arn: str
    service: ServiceRef | None
    last_status: str
    stop_code: str
    stopped_reason: str
    containers: tuple[Container, ...]
    task_definition: str
    started_by: str
    created_at: float
    started_at: float | None
    stopping_at: float | None
    execution_stopped_at: float | None
    stopped_at: float | None
    sent_at: float

    @property
    def task_id(self) -> str:
        return self.task_arn.rsplit("/", 1)[-1]


class SignalKind(StrEnum):
    """What ECS itself says of a service, in `ECS Service Action` and `ECS Deployment State Change`."""

    START_IMPAIRED = "SERVICE_TASK_START_IMPAIRED"
    PLACEMENT_FAILURE = "SERVICE_TASK_PLACEMENT_FAILURE"
    CONFIGURATION_FAILURE = "SERVICE_TASK_CONFIGURATION_FAILURE"
    DEPLOYMENT_IN_PROGRESS = "SERVICE_DEPLOYMENT_IN_PROGRESS"
    DEPLOYMENT_COMPLETED = "SERVICE_DEPLOYMENT_COMPLETED"
    DEPLOYMENT_FAILED = "SERVICE_DEPLOYMENT_FAILED"


@dataclass(frozen=True, slots=True)
class ServiceSignal:
    """One such statement."""

    service: ServiceRef
    kind: SignalKind
    at: float


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that is not ours, and why: dropped without a sound, counted."""

    why: str


Event = TaskState | ServiceSignal | Ignored


@dataclass(frozen=True, slots=True)
class Classification:
    """The verdict on one task stop.

    `container` names the culprit and `evidence` the words or exit code that decided; both may be empty.
    `counts` says whether the stop counts towards a restart loop of its service.
    """

    label: Label
    category: Category | None
    counts: bool
    container: str
    evidence: str
    exit_code: int | None
    why: str


@dataclass(frozen=True, slots=True)
class TaskFailure:
    """A stop that counts, of a service's task.

    `failed_at` is the earliest of `stoppingAt`, `executionStoppedAt` and `stoppedAt`: with a load balancer
    `stoppedAt` comes minutes after the failure.
    `lifetime` is 0 for a task that never started, else the time from `startedAt` to `failed_at`, never negative:
    `executionStoppedAt` can precede `startedAt` by seconds.
    `late`: for how long, in seconds, ECS said nothing of it. Behind a load balancer a task is STOPPED only after the
    deregistration delay (300 s by default).
    """

    service: ServiceRef
    task_id: str
    created_at: float
    failed_at: float
    lifetime: float
    category: Category
    container: str
    evidence: str
    exit_code: int | None
    deployment_id: str
    task_definition: str
    late: float = 0.0
