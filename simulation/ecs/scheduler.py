"""The service scheduler: keeps each slot of each deployment filled with one task.

Sources: "Amazon ECS services" (unhealthy tasks are replaced start-first) and "Amazon ECS service throttle logic".
"""

from simulation.core.state import Deployment, Host, Service, Slot, Task, TaskChange
from simulation.core.world import World
from simulation.delivery.statements import service_action
from simulation.ecs import deployments, throttle
from simulation.ecs.starting import launch
from simulation.ecs.stopping import order
from simulation.scripting.failures import Failure


class Scheduler:
    """Hears of each change of a task, and puts a service in order soon after anything about it changed."""

    def __init__(self, world: World) -> None:
        self._world = world

    def stir(self, service: Service) -> None:
        """Put the service in order as the next happening of this moment."""
        if not service.reconcile_due:
            service.reconcile_due = True
            self._world.clock.after(0, self._reconcile, service)

    def task_changed(self, task: Task, change: TaskChange) -> None:
        """Take note of what happened to a task."""
        match change:
            case TaskChange.RUNNING:
                task.deployment.failed_tasks = 0
                throttle.reset(self._world, task.service)
            case TaskChange.HEALTHY:
                deployments.count_healthy(task)
            case TaskChange.UNHEALTHY:
                assert task.condemned is not None
                self._world.say(task.service, f"(task {task.id}) is unhealthy: {task.condemned.reason}.")
                task.deployment.failed_tasks += 1
                deployments.count_failure(self._world, task)
            case TaskChange.STOPPING:
                self._vacate(task)
            case TaskChange.STOPPED:
                if len(task.service.deployments) == 1:
                    return
        self.stir(task.service)

    def _vacate(self, task: Task) -> None:
        """Free the slot. The scheduler's own stops are replaced at once, others after its usual gap."""
        world, slot = self._world, task.deployment.slots.get(task.slot)
        assert task.stop is not None
        task.service.condemned.pop(task.id, None)
        if slot is not None and task in slot.tasks:
            slot.tasks.remove(task)
            if task.stop.code != "ServiceSchedulerInitiated":
                slot.ready_at = world.now + world.draw(world.timing.scheduling_gap)
                world.clock.at(slot.ready_at, self.stir, task.service)
        if task.stop.code == "TaskFailedToStart":
            self._failed_to_start(task)
        elif task.started_at is not None:
            world.say(task.service, f"has stopped 1 running tasks: (task {task.id}).")

    def _failed_to_start(self, task: Task) -> None:
        task.deployment.failed_tasks += 1
        if task.fate is not None and task.fate.ending.cause is Failure.PLACEMENT:
            self._world.say(task.service, "was unable to place a task.")
            reason = "RESOURCE:MEMORY" if task.host else "RESOURCE:FARGATE"
            service_action(self._world, task.service, "ERROR", "SERVICE_TASK_PLACEMENT_FAILURE", reason=reason)
        throttle.count_failed_start(self._world, task)
        deployments.count_failure(self._world, task)

    def _reconcile(self, service: Service) -> None:
        service.reconcile_due = False
        deployments.plan(self._world, service)
        for task in list(service.condemned.values()):
            slot = task.deployment.slots.get(task.slot)
            if slot is not None and task in slot.tasks:
                self._replace_condemned(task.deployment, slot)
        for deployment in reversed(service.deployments):
            self._fill(deployment)
        deployments.settle(self._world, service)
        self._tell_steadiness(service)

    def _replace_condemned(self, deployment: Deployment, slot: Slot) -> None:
        """Start-first: a replacement comes beside the condemned task, which goes when the replacement is healthy.

        Where the replacement is condemned too, either of them goes; without room, one task at a time goes first.
        """
        condemned = [task for task in slot.tasks if task.condemned is not None]
        others = [task for task in slot.tasks if task.condemned is None]
        if any(task.fit for task in others):
            for task in condemned:
                self._stop(task)
        elif len(condemned) > 1:
            self._stop(self._world.rng.choice(condemned))
        elif others:
            return
        elif deployment.service.room() > 0 and self._may_launch(deployment):
            self._launch(deployment, condemned[0].slot)
        elif deployment.stalled or (deployment.service.room() <= 0 and not self._replacing(deployment)):
            self._stop(condemned[0])

    def _stop(self, task: Task) -> None:
        assert task.condemned is not None
        order(self._world, task, task.condemned)

    def _replacing(self, deployment: Deployment) -> bool:
        """Whether a task is on its way up, or a slot waits to be filled."""
        return any(
            not slot.tasks or any(not task.fit and task.condemned is None for task in slot.tasks)
            for slot in deployment.slots.values()
        )

    def _fill(self, deployment: Deployment) -> None:
        for number, slot in deployment.slots.items():
            if slot.tasks or slot.ready_at > self._world.now or not self._may_launch(deployment):
                continue
            if deployment.service.room() <= 0:
                return
            self._launch(deployment, number)

    def _may_launch(self, deployment: Deployment) -> bool:
        return not deployment.stalled and deployment.service.throttle.open_at <= self._world.now

    def _launch(self, deployment: Deployment, number: int) -> None:
        service = deployment.service
        host = self._host(service, number)
        if service.spec.launch_type == "EC2" and host is None:
            self._world.say(
                service, "was unable to place a task because no container instance met all of its requirements."
            )
            reason = "NO ACTIVE INSTANCES"
            service_action(self._world, service, "ERROR", "SERVICE_TASK_PLACEMENT_FAILURE", reason=reason)
            deployment.slots[number].ready_at = self._world.now + 60
            self._world.clock.after(60, self.stir, service)
            return
        task = launch(self._world, deployment, number, host)
        self._world.say(service, f"has started 1 tasks: (task {task.id}).")

    def _host(self, service: Service, number: int) -> Host | None:
        if service.spec.launch_type != "EC2":
            return None
        hosts = [host for host in service.cluster.hosts if not host.draining]
        if service.spec.strategy == "DAEMON":
            return next((host for host in hosts if host.number == number), None)
        return hosts[number % len(hosts)] if hosts else None

    # -- steady state: ECS says it once it is reached, and again every few hours --------------------

    def _tell_steadiness(self, service: Service) -> None:
        steady = len(service.deployments) == 1 and all(
            len(slot.tasks) == 1 and slot.tasks[0].fit for slot in service.primary.slots.values()
        )
        if not steady or service.status != "ACTIVE":
            service.steady_since = None
        elif service.steady_since is None:
            service.steady_since = self._world.now
            self._say_steady(service, self._world.now)

    def _say_steady(self, service: Service, since: float) -> None:
        if service.steady_since == since:
            self._world.say(service, "has reached a steady state.")
            service_action(self._world, service, "INFO", "SERVICE_STEADY_STATE")
            self._world.clock.after(self._world.timing.steady_repeat, self._say_steady, service, since)
