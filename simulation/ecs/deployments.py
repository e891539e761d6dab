"""Deployments of a service: begin, grow and shrink, complete; trip, roll back, stop.

During a rolling deployment the new revision is started up to `maximumPercent`, and the old one gives up a task for each
healthy new one, so a new revision that loops leaves the old one serving.
"""

from simulation.core.state import Deployment, Service, ServiceDeployment, Slot, Stop, Task, TaskDefinition
from simulation.core.world import World
from simulation.delivery.statements import deployment_change
from simulation.ecs import shifting, stopping, throttle

_BREAKER = "ECS deployment circuit breaker: "


def begin(world: World, service: Service, definition: TaskDefinition) -> Deployment:
    """Make a new PRIMARY deployment; one that is still in progress is given up for it."""
    resource = f"{service.cluster.name}/{service.name}/"
    deployment = _new(world, service, definition, world.arn(f"service-revision/{resource}{world.number()}"))
    record = service.history[-1] if service.history else None
    if record is not None and record.finished_at is None:
        _close(world, record, "STOPPED", "Superseded by a new deployment.")
    sources = tuple(service.deployments)
    for old in sources:
        old.primary = False
    service.deployments.insert(0, deployment)
    deployment.group = _group(service, sources)
    if service.spec.shift is not None and sources:
        deployment.traffic = 0.0
    arn = world.arn(f"service-deployment/{resource}{world.hex(21)}")
    service.history.append(
        ServiceDeployment(arn=arn, target=deployment, sources=sources, created_at=world.now, updated_at=world.now)
    )
    if sources and sources[0].definition is not definition:
        throttle.reset(world, service)
    _announce(world, deployment, "IN_PROGRESS", f"ECS deployment {deployment.id} in progress.")
    world.on_stir(service)
    return deployment


def _group(service: Service, sources: tuple[Deployment, ...]) -> str:
    """The target group of a new revision: where traffic shifts, the one that has no users now."""
    group = service.target_group
    if group is None:
        return ""
    used = next((source.group for source in sources if source.traffic), "")
    return group.alternate if group.alternate and used == group.name else group.name


def _new(world: World, service: Service, definition: TaskDefinition, revision_arn: str) -> Deployment:
    return Deployment(
        id=f"ecs-svc/{world.number()}",
        service=service,
        revision_arn=revision_arn,
        definition=definition,
        created_at=world.now,
        updated_at=world.now,
    )


def _announce(world: World, deployment: Deployment, state: str, reason: str) -> None:
    deployment.rollout_state, deployment.rollout_reason, deployment.updated_at = state, reason, world.now
    if deployment.service.spec.controller == "ECS":
        deployment_change(world, deployment, f"SERVICE_DEPLOYMENT_{state}", reason)


def _close(world: World, record: ServiceDeployment, status: str, reason: str) -> None:
    record.status, record.status_reason = status, reason
    record.updated_at = record.finished_at = world.now
    if status == "STOPPED":
        record.stopped_at = world.now


# -- size -------------------------------------------------------------------------------------------


def plan(world: World, service: Service) -> None:
    """Give each deployment the slots it shall have now."""
    primary, olds = service.primary, service.deployments[1:]
    _resize(world, primary, service.wanted)
    if not olds:
        return
    for old in olds:
        if old.rollout_state == "FAILED":
            _resize(world, old, 0)
    if service.spec.shift is not None:
        for old in olds:
            _resize(world, old, min(len(old.slots), service.wanted) if shifting.keeps(service, old) else 0)
        return
    keep = _old_tasks_to_keep(service, primary, olds)
    for old in olds:
        _resize(world, old, min(len(old.slots), keep))
        keep -= len(old.slots)


def _old_tasks_to_keep(service: Service, primary: Deployment, olds: list[Deployment]) -> int:
    """One old task goes for each healthy new one; where new ones have no room, as many as the minimum allows."""
    if primary.fit_enough():
        return 0
    keep = max(0, service.wanted - primary.fit_slots())
    empty = sum(1 for slot in primary.slots.values() if not slot.tasks)
    if empty and service.room() <= 0:
        minimum = -(-service.wanted * service.minimum_percent // 100)
        spare = sum(deployment.fit_slots() for deployment in service.deployments) - minimum
        present = sum(len(old.slots) for old in olds)
        keep = min(keep, present - max(0, min(spare, empty)))
    return keep


def _resize(world: World, deployment: Deployment, count: int) -> None:
    service = deployment.service
    if service.spec.strategy == "DAEMON":
        numbers = {host.number for host in service.cluster.hosts if not host.draining} if service.wanted else set()
        for number in deployment.slots.keys() - numbers:
            _drop(world, deployment, number)
    elif len(deployment.slots) == count:
        return
    else:
        numbers = set(range(count))
    while len(deployment.slots) > count:
        _drop(world, deployment, min(deployment.slots, key=lambda n: (_worth(deployment.slots[n]), -n)))
    if not deployment.primary:
        return
    for number in sorted(numbers - deployment.slots.keys())[: count - len(deployment.slots)]:
        deployment.slots[number] = Slot()


def _worth(slot: Slot) -> int:
    """A slot that serves is given up last, an empty one first."""
    return max((2 if task.fit else 1 for task in slot.tasks), default=0)


def _drop(world: World, deployment: Deployment, number: int) -> None:
    reason = f"Scaling activity initiated by (deployment {deployment.service.primary.id})"
    for task in list(deployment.slots.pop(number).tasks):
        stopping.order(world, task, Stop("ServiceSchedulerInitiated", reason))


def grow_old(service: Service, more: int) -> None:
    """A scale-out during a deployment goes to both revisions: the youngest old one that still serves grows too."""
    for old in service.deployments[1:]:
        if old.slots and old.rollout_state != "FAILED" and service.spec.strategy == "REPLICA":
            free = (n for n in range(len(old.slots) + more) if n not in old.slots)
            old.slots.update({number: Slot() for number, _ in zip(free, range(more), strict=False)})
            return


# -- end --------------------------------------------------------------------------------------------


def settle(world: World, service: Service) -> None:
    """Forget old deployments whose last task is gone, and then complete the primary one where all of it is healthy."""
    if len(service.deployments) > 1:
        alive = {task.deployment.id for task in service.live.values()}
        service.deployments[1:] = [old for old in service.deployments[1:] if old.slots or old.id in alive]
    primary, early = service.primary, service.spec.early_success
    if service.spec.shift is not None and len(service.deployments) > 1:
        shifting.advance(world, service)
    if primary.rollout_state != "IN_PROGRESS" or not (primary.all_fit() or primary.fit_enough()):
        return
    if len(service.deployments) > 1 and not (early is not None and early.deferred):
        return
    _announce(world, primary, "COMPLETED", f"ECS deployment {primary.id} completed.")
    world.say(service, f"(deployment {primary.id}) deployment completed.")
    service.last_completed = primary
    record = service.history[-1]
    if record.finished_at is None:
        _close(world, record, "ROLLBACK_SUCCESSFUL" if record.rollback_to else "SUCCESSFUL", "")


def count_failure(world: World, task: Task) -> None:
    """A task failed to start, or its health checks: ECS's own circuit breaker counts those, and no other exits."""
    service, record = task.service, task.service.history[-1]
    if task.deployment is not record.target or record.status != "IN_PROGRESS":
        return
    record.failures += 1
    breaker = service.circuit_breaker
    if breaker is not None and breaker.enable and record.failures >= breaker.threshold(service.wanted):
        _trip(world, service, record, may_roll_back=breaker.rollback)


def count_healthy(task: Task) -> None:
    """A healthy task sets the count back, unless the breaker is told to add up."""
    breaker, record = task.service.circuit_breaker, task.service.history[-1]
    if task.deployment is record.target and (breaker is None or breaker.reset_on_healthy_task):
        record.failures = 0


def _trip(world: World, service: Service, record: ServiceDeployment, *, may_roll_back: bool) -> None:
    record.tripped = True
    _announce(world, record.target, "FAILED", _BREAKER + "tasks failed to start.")
    to = service.last_completed
    if may_roll_back and to is not None:
        _roll_back(world, service, record, to, reason=_BREAKER + f"rolling back to deploymentId {to.id}.")
    else:
        record.target.stalled = True
        _close(world, record, "STOPPED", _BREAKER + "tasks failed to start.")


def alarm(world: World, service: Service) -> None:
    """A CloudWatch alarm of the service goes off: a deployment in progress that watches it is rolled back."""
    record, to = service.history[-1], service.last_completed
    if service.spec.alarms and record.status == "IN_PROGRESS" and to is not None:
        record.alarmed = True
        _announce(world, record.target, "FAILED", "ECS deployment failed: alarm detected.")
        reason = f"ECS deployment alarm: rolling back to deploymentId {to.id}."
        _roll_back(world, service, record, to, reason=reason)


def stop(world: World, service: Service, record: ServiceDeployment) -> None:
    """Begin `StopServiceDeployment` of a deployment that is in progress; repeated calls change nothing."""
    if record.status == "IN_PROGRESS":
        record.status, record.updated_at = "ROLLBACK_REQUESTED", world.now
        world.clock.after(world.timing.rollback_pause, _roll_back_as_asked, world, service, record)


def _roll_back_as_asked(world: World, service: Service, record: ServiceDeployment) -> None:
    to = service.last_completed
    if record.status == "ROLLBACK_REQUESTED" and to is not None:
        record.target.rollout_state = "FAILED"
        _roll_back(world, service, record, to, reason=f"ECS deployment {to.id} in progress.")


def _roll_back(world: World, service: Service, record: ServiceDeployment, to: Deployment, *, reason: str) -> None:
    """Make the last completed revision PRIMARY again: its own deployment where that still has tasks, else a new one."""
    record.target.primary = False
    for deployment in service.deployments:
        deployment.traffic = 100.0 if service.spec.shift is None or deployment is to else 0.0
    if to in service.deployments:
        service.deployments.remove(to)
    else:
        group = to.group
        to = _new(world, service, to.definition, to.revision_arn)
        to.group = group
    to.primary = True
    service.deployments.insert(0, to)
    record.status, record.updated_at = "ROLLBACK_IN_PROGRESS", world.now
    record.rollback_to, record.rollback_started_at, record.rollback_reason = to, world.now, reason
    throttle.reset(world, service)
    _announce(world, to, "IN_PROGRESS", reason)
    world.on_stir(service)
