"""What a person says about a service and about the pace of ECS."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from simulation.scripting.behaviour import Behaviour, healthy

Span = tuple[float, float]
"""From and to, in seconds; each value between is as likely."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long ECS takes, in seconds.

    Nobody documents most of these; they are set so that a whole start takes what was measured.
    A start on Fargate takes `provisioning + pull_per_gb x GB + boot + activation`, that is 20 s + 90 s x GB.
    """

    provisioning: float = 10
    pull_per_gb: float = 90
    boot: float = 8
    activation: float = 2
    start_jitter: Span = (0.9, 1.1)  # a factor, not seconds
    ec2_start: Span = (3, 10)
    scheduling_gap: Span = (5, 30)  # from the failure of a task to the creation of its replacement
    start_failure: Span = (30, 240)  # a task that cannot pull, attach or be placed takes this long to fail
    exit_noticed: Span = (0.5, 2)
    drain: Span = (0.1, 1)  # DEACTIVATING without a load balancer
    sigterm: Span = (0.5, 5)
    deprovisioning: Span = (20, 40)
    ec2_cleanup: Span = (0.1, 2)
    spot_notice: float = 120
    stable_after: float = 40  # without any health check a task counts as healthy after this long
    throttle_first: float = 60
    throttle_cap: float = 1620
    rollback_pause: float = 2  # ROLLBACK_REQUESTED to ROLLBACK_IN_PROGRESS
    steady_repeat: float = 21600
    memory: float = 3600  # how long a stopped task can still be described

    def faster(self, factor: float) -> "Timing":
        """The same pace, `factor` times as fast; what ECS remembers it remembers as long as ever."""
        kept = {"start_jitter", "memory"}
        return replace(
            self, **{f.name: _shrunk(getattr(self, f.name), factor) for f in fields(self) if f.name not in kept}
        )


def _shrunk(value: float | Span, factor: float) -> Any:
    return (value[0] / factor, value[1] / factor) if isinstance(value, tuple) else value / factor


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """A load balancer's target group and its health check; all times in seconds.

    says: what it says of every target, whatever that does: `unused` where no listener uses the group, `unavailable`
        where health checks are off, `unhealthy` where the check itself is wrong. ECS then replaces nothing for it
        (as where the grace period never ends), and requests reach the tasks: a load balancer without a healthy
        target fails open. Left out: the truth.
    alternate: name of the second group, which every other revision of a service that shifts its traffic gets.
    """

    name: str = "web"
    grace: float = 0
    interval: float = 30
    unhealthy_threshold: int = 2
    healthy_threshold: int = 2
    deregistration_delay: float = 300
    says: Literal["", "unused", "unavailable", "unhealthy"] = ""
    alternate: str = ""

    @property
    def detection(self) -> float:
        """How long a target fails before it is called unhealthy."""
        return self.interval * self.unhealthy_threshold


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A container health check; all times in seconds."""

    interval: float = 30
    retries: int = 3
    start_period: float = 0


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """ECS's own deployment circuit breaker (`deploymentCircuitBreaker` of the API)."""

    enable: bool = True
    rollback: bool = True
    threshold_type: Literal["BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT"] = "BOUNDED_PERCENT"
    threshold_value: int = 50
    reset_on_healthy_task: bool = True

    def threshold(self, desired: int) -> int:
        """Failed tasks that trip it, for a service of `desired` tasks."""
        share = -(-desired * self.threshold_value // 100)
        match self.threshold_type:
            case "BOUNDED_PERCENT":
                return max(3, min(200, share))
            case "UNBOUNDED_PERCENT":
                return max(1, share)
            case "COUNT":
                return self.threshold_value


@dataclass(frozen=True, slots=True)
class TrafficShift:
    """A deployment of two revisions side by side; times in seconds.

    bake: how long both run once all traffic has moved. step_percent, step_bake: of CANARY the first share and how long
    it is watched, of LINEAR each share.
    """

    strategy: Literal["BLUE_GREEN", "CANARY", "LINEAR"] = "BLUE_GREEN"
    bake: float = 300
    step_percent: float = 10
    step_bake: float = 180

    def shares(self) -> tuple[float, ...]:
        """The percentages of the traffic that the new revision gets, one after another."""
        match self.strategy:
            case "BLUE_GREEN":
                return (100,)
            case "CANARY":
                return (self.step_percent, 100)
            case "LINEAR":
                steps = int(-(-100 // self.step_percent))
                return tuple(min(100, self.step_percent * (n + 1)) for n in range(steps))


@dataclass(frozen=True, slots=True)
class EarlySuccess:
    """A rolling deployment counts as done with this share of its tasks healthy; the rest follows, or loops.

    deferred: the old tasks go after that, and not before.
    """

    healthy_percent: int = 90
    deferred: bool = False


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """What a task definition says. `sidecars` are names of essential containers beside `app`."""

    image: str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1"
    image_gb: float = 0.4
    cpu: int = 256
    memory: int = 512
    port: int | None = 8080
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    sidecars: tuple[str, ...] = ()
    health_check: HealthCheck | None = None
    stop_timeout: float = 30
    handles_sigterm: bool = True
    log_group: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A service as it is created.

    shift: how its traffic moves from one revision to the next; left out, deployments roll.
    pauses: whether a PAUSE hook holds each deployment before its traffic moves.
    alarms: CloudWatch alarms that roll a deployment back.
    stack: name of the CloudFormation stack that it belongs to, and that waits for its deployments; empty for none.
    """

    cluster: str
    name: str
    desired_count: int = 1
    behaviour: Behaviour = field(default_factory=healthy)
    task: TaskSpec = field(default_factory=TaskSpec)
    strategy: Literal["REPLICA", "DAEMON"] = "REPLICA"
    controller: Literal["ECS", "CODE_DEPLOY", "EXTERNAL"] = "ECS"
    launch_type: Literal["FARGATE", "EC2"] = "FARGATE"
    managed_by_ecs: bool = False  # an Express service: `resourceManagementType` is ECS
    minimum_percent: int = 100
    maximum_percent: int = 200
    target_group: TargetGroup | None = None
    circuit_breaker: CircuitBreaker | None = None
    shift: TrafficShift | None = None
    early_success: EarlySuccess | None = None
    pauses: bool = False
    alarms: tuple[str, ...] = ()
    stack: str = "shop"
    tags: Mapping[str, str] = field(default_factory=dict)
