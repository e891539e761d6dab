"""What a scenario is: a service's life to be simulated, and the truth about it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Any

from simulation import Behaviour, ServiceSpec, Simulation, TaskSpec, healthy

CLUSTER = "prod"
SERVICE = "web"
HOUR = 3600.0
DAY = 24 * HOUR


class Group(StrEnum):
    """How the alarms of a scenario are judged."""

    LOOP = "loop"
    CHURN = "churn"
    FLAKY = "flaky"
    RECOVERY = "recovery"
    APART = "apart"
    """Neither plainly a loop nor plainly none: shown, and counted in no total."""


@dataclass(frozen=True, slots=True)
class Loop:
    """The truth: this service loops from the first failure after `begins` until `ends`, in seconds of the stream.

    again: it is the ailment of the loop before, come back: who was told of that, and not of its end, knows.
    optional: something is amiss, and no loop: an alarm is right, and so is none; what was before may be called over.
    """

    begins: float
    ends: float = inf
    service: str = SERVICE
    again: bool = False
    optional: bool = False


Script = Callable[[Simulation, float], tuple[Loop, ...]]
"""Takes a simulation with the empty cluster `prod` and the size of the image in GB; gives the loops that will be."""


Event = dict[str, Any]


def _as_it_is(event: Event) -> Event:
    return event


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of life of a service.

    tasks: how many the service shall run. hours: length of the stream.
    seeds: how many different streams of it are judged.
    attack: whether it was written to break what passes the others; told apart in the results.
    installed_at: what is sent before this time nobody sees.
    told: what becomes of an event on its way, as where a clock is wrong.
    """

    name: str
    group: Group
    tasks: int
    hours: float
    script: Script
    seeds: int = 3
    attack: bool = False
    installed_at: float = 0.0
    told: Callable[[Event], Event] = _as_it_is

    @property
    def key(self) -> str:
        return f"{self.name} × {self.tasks}"


def serve(
    sim: Simulation,
    gb: float,
    *,
    tasks: int,
    behaviour: Behaviour | None = None,
    name: str = SERVICE,
    hosts: int = 0,
    task: dict[str, Any] | None = None,
    **spec: Any,
) -> None:
    """Create a service with an image of `gb` GB; on `hosts` container instances where there are any, else Fargate."""
    if hosts:
        spec["launch_type"] = "EC2"
        for _ in range(hosts):
            sim.churn.add_host(CLUSTER)
    sim.create_service(
        ServiceSpec(
            cluster=CLUSTER,
            name=name,
            desired_count=tasks,
            behaviour=behaviour or healthy(),
            task=TaskSpec(image_gb=gb, **(task or {})),
            **spec,
        )
    )
