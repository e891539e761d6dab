"""Everything there is in one place, with its clock, its chance and its names."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from simulation.core.clock import Clock
from simulation.core.state import Cluster, Event, ScalableTarget, Service, Task, TaskChange, TaskDefinition
from simulation.scripting.behaviour import Behaviour
from simulation.scripting.spec import Timing


@dataclass(slots=True)
class World:
    """Everything there is, and the ways out of it: `emit` for events, `on_change` and `on_stir` for the scheduler."""

    clock: Clock
    rng: Random
    timing: Timing
    account: str
    region: str
    emit: Callable[[str, list[str], Event], None]
    wants_status: Callable[[str], bool]
    on_change: Callable[[Task, TaskChange], None] = field(init=False)
    on_stir: Callable[[Service], None] = field(init=False)
    clusters: dict[str, Cluster] = field(default_factory=dict)
    services: dict[tuple[str, str], Service] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)  # by id, the stopped ones of the last hour included
    definitions: dict[str, list[TaskDefinition]] = field(default_factory=dict)  # by family, oldest first
    behaviours: dict[str, Behaviour] = field(default_factory=dict)  # by task definition ARN
    targets: dict[str, ScalableTarget] = field(default_factory=dict)  # by resource id
    deleted_groups: set[str] = field(default_factory=set)  # names of target groups that somebody deleted

    @property
    def now(self) -> float:
        return self.clock.now

    def arn(self, resource: str, service: str = "ecs") -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def target_group_arn(self, name: str) -> str:
        """The ARN of a target group, the same for the same name."""
        return self.arn(f"targetgroup/{name}/{sum(map(ord, name)):016x}", "elasticloadbalancing")

    def hex(self, digits: int) -> str:
        """A random id of so many hexadecimal digits."""
        return f"{self.rng.getrandbits(4 * digits):0{digits}x}"

    def number(self) -> str:
        """A random id of 19 decimal digits, as deployments and revisions have."""
        return str(self.rng.randrange(10**18, 10**19))

    def uuid(self) -> str:
        h = self.hex(32)
        return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"

    def draw(self, span: tuple[float, float]) -> float:
        return self.rng.uniform(*span)

    def say(self, service: Service, text: str) -> None:
        """Add to the service's event list, the newest first."""
        service.messages.appendleft((self.uuid(), self.now, f"(service {service.name}) {text}"))
