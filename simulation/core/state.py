"""What the simulated ECS knows: clusters, hosts, services, deployments, slots, tasks."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from simulation.scripting.behaviour import Fate
from simulation.scripting.spec import CircuitBreaker, ServiceSpec, TargetGroup, TaskSpec

Event = dict[str, Any]
"""An EventBridge event."""


class TaskChange(Enum):
    """What the scheduler wants to hear of a task."""

    RUNNING = auto()
    HEALTHY = auto()
    UNHEALTHY = auto()
    STOPPING = auto()
    STOPPED = auto()


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a task stops: `stopCode` and `stoppedReason`."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class ContainerExit:
    """How one container ended; None where ECS gives no value."""

    exit_code: int | None = None
    reason: str | None = None


@dataclass(slots=True, eq=False)
class Host:
    """A container instance. `number` is the slot of its tasks of a DAEMON service."""

    number: int
    arn: str
    instance_id: str
    draining: bool = False


@dataclass(slots=True, eq=False)
class Cluster:
    name: str
    arn: str
    hosts: list[Host] = field(default_factory=list)
    hosts_ever: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class TaskDefinition:
    """One revision. Its behaviour is in `World.behaviours`, because software changes under an unchanged definition."""

    arn: str
    family: str
    revision: int
    spec: TaskSpec
    registered_at: float


@dataclass(slots=True, eq=False)
class Task:
    """One task; times are seconds since the start of the simulation, None where it did not come to that."""

    id: str
    arn: str
    service: "Service"
    deployment: "Deployment"
    slot: int
    zone: str
    host: Host | None
    fate: Fate | None
    ids: Mapping[str, str]  # of its containers and its network interface
    container_order: tuple[str, ...]
    created_at: float
    updated_at: float
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    version: int = 0
    health: str = "UNKNOWN"
    fit: bool = False  # counts as healthy for deployments and replacements
    target: str = ""  # its state in the target group; empty while it is not registered
    ready_at: float | None = None  # from when on the software answers
    condemned: Stop | None = None  # to be replaced first and stopped then
    stop: Stop | None = None
    containers_up: bool = False
    placed: bool = True  # False: never had a place, so no containers
    outcomes: dict[str, ContainerExit] = field(default_factory=dict)
    connectivity_at: float | None = None
    pull_started_at: float | None = None
    pull_stopped_at: float | None = None
    started_at: float | None = None
    stopping_at: float | None = None
    execution_stopped_at: float | None = None
    stopped_at: float | None = None

    @property
    def definition(self) -> TaskDefinition:
        return self.deployment.definition


@dataclass(slots=True)
class Slot:
    """A place that shall hold one task; two while a task is replaced start-first. `ready_at`: not filled before."""

    tasks: list[Task] = field(default_factory=list)
    ready_at: float = 0.0


@dataclass(slots=True, eq=False)
class Deployment:
    """A deployment (a task set, where the controller is not ECS) and its service revision."""

    id: str
    service: "Service"
    revision_arn: str
    definition: TaskDefinition
    created_at: float
    updated_at: float
    primary: bool = True
    rollout_state: str = "IN_PROGRESS"
    rollout_reason: str = ""
    failed_tasks: int = 0  # as DescribeServices counts: 0 again as soon as a task runs
    stalled: bool = False  # launches nothing more
    traffic: float = 100.0  # percent of the requests of users; all revisions of a rolling deployment have them
    group: str = ""  # name of its target group
    slots: dict[int, Slot] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)

    def tasks(self) -> list[Task]:
        """Its tasks that shall run."""
        return [task for slot in self.slots.values() for task in slot.tasks]

    def all_fit(self) -> bool:
        """Whether each slot has a healthy task."""
        return all(any(task.fit for task in slot.tasks) for slot in self.slots.values())

    def fit_enough(self) -> bool:
        """Whether as many slots have a healthy task as the service's early success asks for."""
        early = self.service.spec.early_success
        return early is not None and 100 * self.fit_slots() >= early.healthy_percent * self.service.wanted

    def fit_slots(self) -> int:
        """Slots with a healthy task."""
        return sum(1 for slot in self.slots.values() if any(task.fit for task in slot.tasks))


@dataclass(slots=True, eq=False)
class ServiceDeployment:
    """The record of one deployment that `DescribeServiceDeployments` gives (kept 90 days by ECS, for ever here)."""

    arn: str
    target: Deployment
    sources: tuple[Deployment, ...]
    created_at: float
    updated_at: float
    status: str = "IN_PROGRESS"
    status_reason: str = ""
    finished_at: float | None = None
    stopped_at: float | None = None
    rollback_to: Deployment | None = None
    rollback_started_at: float | None = None
    rollback_reason: str = ""
    failures: int = 0
    tripped: bool = False
    stage: str = ""  # of a deployment that shifts traffic
    hook_id: str = ""  # of the PAUSE hook at which it waits, or waited
    alarmed: bool = False


@dataclass(slots=True)
class Throttle:
    """The service throttle: failed starts in a row, and when the next start is allowed."""

    failures: int = 0
    counted_from: float = 0.0
    open_at: float = 0.0


@dataclass(slots=True, eq=False)
class Service:
    spec: ServiceSpec
    arn: str
    cluster: Cluster
    desired: int
    created_at: float
    circuit_breaker: CircuitBreaker | None
    minimum_percent: int
    maximum_percent: int
    tags: dict[str, str]
    status: str = "ACTIVE"
    deployments: list[Deployment] = field(default_factory=list)  # the PRIMARY one first
    history: list[ServiceDeployment] = field(default_factory=list)  # the newest last
    last_completed: Deployment | None = None
    live: dict[str, Task] = field(default_factory=dict)  # not yet STOPPED, by id
    condemned: dict[str, Task] = field(default_factory=dict)  # to be replaced, by id
    throttle: Throttle = field(default_factory=Throttle)
    messages: deque[tuple[str, float, str]] = field(default_factory=lambda: deque(maxlen=100))
    steady_since: float | None = None
    reconcile_due: bool = False

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]

    @property
    def target_group(self) -> TargetGroup | None:
        return self.spec.target_group

    @property
    def wanted(self) -> int:
        """How many tasks shall run: desiredCount, or one on each host for a DAEMON."""
        if self.status != "ACTIVE":
            return 0
        if self.spec.strategy == "DAEMON":
            return sum(1 for host in self.cluster.hosts if not host.draining)
        return self.desired

    def active(self) -> int:
        """Tasks that are meant to run, those still starting included."""
        return sum(len(slot.tasks) for deployment in self.deployments for slot in deployment.slots.values())

    def room(self) -> int:
        """How many more tasks `maximumPercent` allows at this moment."""
        return self.wanted * self.maximum_percent // 100 - self.active()


@dataclass(slots=True, eq=False)
class ScalableTarget:
    """What Application Auto Scaling knows about a service."""

    service: Service
    minimum: int
    maximum: int
    arn: str
    created_at: float
    suspended: dict[str, bool]
