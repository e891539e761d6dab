"""The front door: make a simulated ECS, script what happens to it, run the time, take the events."""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

from simulation.api.balancing import BalancingApi
from simulation.api.clients import Client
from simulation.api.ecs import EcsApi
from simulation.api.lookup import ApiError
from simulation.api.scaling import ScalingApi
from simulation.api.stacks import StacksApi
from simulation.core import truth
from simulation.core.clock import Clock
from simulation.core.state import Deployment, Event, Service, Task
from simulation.core.world import World
from simulation.delivery.bus import Bus, Delivery
from simulation.ecs import deployments, shifting
from simulation.ecs.scheduler import Scheduler
from simulation.scripting import services
from simulation.scripting.autoscaling import AutoScaling
from simulation.scripting.behaviour import Behaviour, healthy
from simulation.scripting.churn import Churn
from simulation.scripting.spec import ServiceSpec, Timing

Hook = Callable[[str, dict[str, Any]], object]
"""Operation (`UpdateService`) and parameters → nothing, or the exception to raise."""


class Simulation:
    """An Amazon ECS of one account and Region on a virtual clock; the same seed and script give the same events.

    Times are seconds since `start`. `churn` and `scaling` make things happen at once; `at` and `every` plan them.
    `calls` lists each API call as (operation, parameters); `before_call` and `after_call` may raise in its place:
    before, the call is not made; after, it is made and its answer lost.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        start: datetime = datetime(2026, 1, 5, tzinfo=UTC),
        timing: Timing | None = None,
        delivery: Delivery | None = None,
        account: str = "123456789012",
        region: str = "eu-west-1",
    ) -> None:
        clock = Clock(start)
        self._bus = Bus(delivery or Delivery(), clock=clock, seed=seed, account=account, region=region)
        self.world = World(
            clock=clock,
            rng=Random(seed),
            timing=timing or Timing(),
            account=account,
            region=region,
            emit=self._bus.emit,
            wants_status=self._bus.wants_status,
        )
        scheduler = Scheduler(self.world)
        self.world.on_change, self.world.on_stir = scheduler.task_changed, scheduler.stir
        self.churn = Churn(self.world)
        self.scaling = AutoScaling(self.world)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.before_call: Hook | None = None
        self.after_call: Hook | None = None
        self._operations = {
            "ecs": EcsApi(self.world).operations(),
            "application-autoscaling": ScalingApi(self.world, self.scaling).operations(),
            "elbv2": BalancingApi(self.world).operations(),
            "cloudformation": StacksApi(self.world).operations(),
        }

    # -- time ---------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return self.world.now

    @property
    def utc_now(self) -> datetime:
        """The virtual date and time."""
        return self.world.clock.moment(self.world.now)

    def at(self, when: float, action: Callable[[], object]) -> None:
        """Do something at `when`."""
        self.world.clock.at(when, action)

    def every(self, period: float, action: Callable[[], object], *, first: float | None = None) -> None:
        """Do something again and again, first at `first` (one period from now, where left out)."""

        def again() -> None:
            action()
            self.world.clock.after(period, again)

        self.world.clock.at(self.now + period if first is None else first, again)

    def stream(self, until: float) -> Iterator[Event]:
        """Run to `until`, giving each event as it is delivered. Time runs only as far as the events are taken."""
        going = True
        while going:
            going = self.world.clock.step(until)
            while self._bus.arrived:
                yield self._bus.arrived.popleft()

    def run_until(self, when: float) -> list[Event]:
        """Run to `when`; the events delivered on the way, in the order of delivery."""
        return list(self.stream(when))

    def advance(self, seconds: float) -> list[Event]:
        """Run on for so many seconds; the events delivered on the way."""
        return self.run_until(self.now + seconds)

    # -- scripting ----------------------------------------------------------------------------------

    def create_cluster(self, name: str, *, hosts: int = 0) -> None:
        """Create a cluster, with container instances where services of launch type EC2 shall run."""
        services.create_cluster(self.world, name, hosts=hosts)

    def create_service(self, spec: ServiceSpec) -> Service:
        """Create a service; ValueError where the specification cannot be."""
        return services.create(self.world, spec)

    def service(self, cluster: str, name: str) -> Service:
        """The service as the simulation knows it; KeyError where there is none."""
        return self.world.services[cluster, name]

    def tasks(self, cluster: str, name: str) -> list[Task]:
        """The service's tasks, the stopped ones of the last hour included, the oldest first."""
        service = self.service(cluster, name)
        return [task for task in self.world.tasks.values() if task.service is service]

    def serving(self, cluster: str, name: str) -> int:
        """The truth: how many tasks of the service would answer a request at this moment."""
        return truth.serving(self.world, self.service(cluster, name))

    def answering(self, deployment: Deployment) -> int:
        """The truth: how many tasks of one deployment would answer a request now, with users sent there or not."""
        return sum(1 for task in deployment.tasks() if truth.answers(self.world, task))

    def deploy(self, cluster: str, name: str, *, behaviour: Behaviour | None = None, **changes: Any) -> str:
        """Deploy a new revision, with changes to TaskSpec fields (`image="web:2"`); the deployment's id."""
        service = self.service(cluster, name)
        return services.deploy(self.world, service, behaviour or healthy(), changes).id

    def restart(self, cluster: str, name: str) -> str:
        """Somebody forces a new deployment of the revision that runs; the deployment's id."""
        service = self.service(cluster, name)
        return deployments.begin(self.world, service, service.primary.definition).id

    def behave(self, cluster: str, name: str, behaviour: Behaviour) -> None:
        """New tasks of the running revision behave like this from now on, as when a dependency breaks."""
        services.behave(self.world, self.service(cluster, name), behaviour)

    def alarm(self, cluster: str, name: str) -> None:
        """The deployment alarm of a service goes off."""
        deployments.alarm(self.world, self.service(cluster, name))

    def go_on(self, cluster: str, name: str) -> None:
        """Somebody continues a deployment that waits at its PAUSE hook."""
        shifting.go_on(self.world, self.service(cluster, name).history[-1])

    def scale(self, cluster: str, name: str, desired: int) -> None:
        """Somebody sets desiredCount."""
        services.scale(self.world, self.service(cluster, name), desired)

    def delete_target_group(self, name: str) -> None:
        """Somebody deletes a target group that a service still names."""
        self.world.deleted_groups.add(name)

    def delete(self, cluster: str, name: str) -> None:
        """Somebody deletes the service."""
        services.delete(self.world, self.service(cluster, name))

    # -- the API ------------------------------------------------------------------------------------

    def client(self, name: str, *, unknown: Collection[str] = ()) -> Client:
        """A client shaped like boto3's: `ecs`, `application-autoscaling`, `elbv2` or `cloudformation`.

        unknown: members that its botocore has never heard of, as an older one has not: it drops them from answers
        without a word, and its service model does not have them.
        """
        return Client(name, self.call, unknown=frozenset(unknown))

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer one request, such as `("ecs", "UpdateService", {...})`; ApiError where AWS answers with an error."""
        self.calls.append((operation, params))
        if self.before_call is not None:
            self.before_call(operation, params)
        action = self._operations[service].get(operation)
        if action is None:
            raise ApiError("UnknownOperationException", f"{operation} is not simulated.")
        answer = action(params)
        if self.after_call is not None:
            self.after_call(operation, params)
        return answer
