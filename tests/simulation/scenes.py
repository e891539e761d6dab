"""Short ways to set a scene and to read what came of it."""

from collections.abc import Iterable
from typing import Any

from simulation import Behaviour, Delivery, ServiceSpec, Simulation, healthy

Event = dict[str, Any]


def scene(
    *, behaviour: Behaviour | None = None, hosts: int = 0, seed: int = 1, delivery: Delivery | None = None, **spec: Any
) -> Simulation:
    """A simulation with one service `web` in the cluster `prod`."""
    sim = Simulation(seed=seed, delivery=delivery)
    sim.create_cluster("prod", hosts=hosts)
    sim.create_service(ServiceSpec(cluster="prod", name="web", behaviour=behaviour or healthy(), **spec))
    return sim


def details(events: Iterable[Event], *, status: str | None = None, name: str | None = None) -> list[Event]:
    """The details of the task events in a state, or of the service and deployment events of a name."""
    return [
        event["detail"]
        for event in events
        if (status is not None and event["detail"].get("lastStatus") == status)
        or (name is not None and event["detail"].get("eventName") == name)
    ]


def described(sim: Simulation, name: str = "web") -> dict[str, Any]:
    """The service as DescribeServices gives it."""
    answer = sim.client("ecs").describe_services(cluster="prod", services=[name], include=["TAGS"])
    service: dict[str, Any] = answer["services"][0]
    return service
