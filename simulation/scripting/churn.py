"""Ordinary life: stops that are nobody's fault, and the one-off crash that is not a loop."""

from simulation.core.state import Cluster, Host, Service, Stop, Task
from simulation.core.world import World
from simulation.ecs.stopping import exit_by_itself, interrupt, lose, order
from simulation.scripting import services
from simulation.scripting.failures import Failure, endings


class Churn:
    """Things that happen to running tasks. Services and clusters are named; `count` None means all of them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def blip(self, cluster: str, name: str, *, count: int | None = None, cause: Failure = Failure.APP_CRASH) -> None:
        """Running tasks end by themselves, once, in a way of `cause`."""
        for task in self._running(cluster, name, count):
            exit_by_itself(self._world, task, endings(cause)[0])

    def end(self, task: Task, *, cause: Failure = Failure.APP_CRASH) -> None:
        """This task ends by itself, in a way of `cause`."""
        exit_by_itself(self._world, task, endings(cause)[0])

    def stop_by_user(
        self, cluster: str, name: str, *, count: int | None = 1, reason: str = "Task stopped by user"
    ) -> None:
        """A person stops tasks with `StopTask`."""
        for task in self._running(cluster, name, count):
            order(self._world, task, Stop("UserInitiated", reason))

    def interrupt_spot(self, cluster: str, name: str, *, count: int | None = 1) -> None:
        """Fargate Spot takes tasks back, two minutes after it said so."""
        for task in self._running(cluster, name, count):
            interrupt(self._world, task, Stop("SpotInterruption", "Your Spot Task was interrupted."))

    def rebalance(self, cluster: str, name: str, *, count: int | None = 1) -> None:
        """Availability-zone rebalancing moves tasks: the new one first."""
        service = self._service(cluster, name)
        reason = f"Availability-zone rebalancing initiated by (deployment {service.primary.id})"
        self._condemn(service, self._running(cluster, name, count), reason)

    def maintain(self, cluster: str, name: str, *, count: int | None = None) -> None:
        """Fargate retires tasks for maintenance: the new one first."""
        reason = "ECS is performing maintenance on the underlying infrastructure hosting the task"
        self._condemn(self._service(cluster, name), self._running(cluster, name, count), reason)

    def lose_host(self, cluster: str, *, host: int = 0) -> None:
        """The EC2 instance at this place in the cluster's list is gone at once."""
        home = self._world.clusters[cluster]
        lost = home.hosts.pop(host)
        for task in self._tasks_on(home, lost):
            lose(self._world, task, Stop("TerminationNotice", f"Host EC2 (instance {lost.instance_id}) terminated."))
        services.stir_all(self._world, home)

    def add_host(self, cluster: str) -> None:
        """A container instance joins the cluster."""
        services.add_host(self._world, self._world.clusters[cluster])

    def drain_host(self, cluster: str, *, host: int = 0) -> None:
        """A container instance is set to DRAINING: its tasks move elsewhere, those of DAEMON services just stop."""
        home = self._world.clusters[cluster]
        drained = home.hosts[host]
        drained.draining = True
        for task in self._tasks_on(home, drained):
            reason = f"Service {task.service.name}: task stopped because container instance is in DRAINING state."
            if task.service.spec.strategy == "DAEMON":
                order(self._world, task, Stop("ServiceSchedulerInitiated", reason))
            else:
                self._condemn(task.service, [task], reason)
        services.stir_all(self._world, home)

    def _service(self, cluster: str, name: str) -> Service:
        return self._world.services[cluster, name]

    def _running(self, cluster: str, name: str, count: int | None) -> list[Task]:
        tasks = [t for d in self._service(cluster, name).deployments for t in d.tasks() if t.last_status == "RUNNING"]
        return tasks if count is None else self._world.rng.sample(tasks, min(count, len(tasks)))

    def _tasks_on(self, cluster: Cluster, host: Host) -> list[Task]:
        return [
            task
            for service in self._world.services.values()
            if service.cluster is cluster
            for task in list(service.live.values())
            if task.host is host
        ]

    def _condemn(self, service: Service, tasks: list[Task], reason: str) -> None:
        for task in tasks:
            task.condemned = task.condemned or Stop("ServiceSchedulerInitiated", reason)
            service.condemned[task.id] = task
        self._world.on_stir(service)
