"""A task on its way up: PROVISIONING, PENDING, ACTIVATING, RUNNING, healthy — or its failure on that way.

Fargate: PROVISIONING (network interface), PENDING (pull), ACTIVATING, RUNNING.
EC2 with a cached image: PENDING, RUNNING.
"""

from simulation.core.state import Deployment, Host, Stop, Task, TaskChange
from simulation.core.world import World
from simulation.delivery.announcing import announce
from simulation.ecs import stopping
from simulation.scripting.behaviour import Fate
from simulation.scripting.failures import Failure, Phase, endings


def launch(world: World, deployment: Deployment, slot: int, task_host: Host | None) -> Task:
    """Create a task of the service's deployment in a slot and let it live its life."""
    task = _create(world, deployment, slot, task_host)
    deployment.starts[slot] = deployment.starts.get(slot, 0) + 1
    deployment.slots[slot].tasks.append(task)
    task.service.live[task.id] = world.tasks[task.id] = task
    if task_host is None:
        announce(world, task, "PROVISIONING")
        if not _fails_in(world, task, Phase.PROVISIONING):
            _pull_after(world, task, world.timing.provisioning)
    else:
        task.connectivity_at = world.now
        announce(world, task, "PENDING")
        if _fails_in(world, task, Phase.PROVISIONING):
            return task
        task.pull_started_at = world.now
        if not _fails_in(world, task, Phase.PULLING):
            _boot_after(world, task, world.draw(world.timing.ec2_start))
    return task


def _create(world: World, deployment: Deployment, slot: int, host: Host | None) -> Task:
    service = deployment.service
    behaviour = world.behaviours[deployment.definition.arn]
    fate = behaviour.fate(slot=slot, start=deployment.starts.get(slot, 0), rng=world.rng)
    names = ["app", *deployment.definition.spec.sidecars]
    world.rng.shuffle(names)
    task_id = world.hex(32)
    return Task(
        id=task_id,
        arn=world.arn(f"task/{service.cluster.name}/{task_id}"),
        service=service,
        deployment=deployment,
        slot=slot,
        zone=world.region + "abc"[slot % 3],
        host=host,
        fate=fate,
        ids={name: world.uuid() for name in (*names, "eni")},
        container_order=tuple(names),
        created_at=world.now,
        updated_at=world.now,
    )


def _jitter(world: World, seconds: float) -> float:
    return seconds * world.draw(world.timing.start_jitter)


def _pull_after(world: World, task: Task, seconds: float) -> None:
    world.clock.after(_jitter(world, seconds), _pull, world, task)


def _boot_after(world: World, task: Task, seconds: float) -> None:
    world.clock.after(seconds, _activate, world, task)


def _pull(world: World, task: Task) -> None:
    if task.stop is not None:
        return
    task.connectivity_at = task.pull_started_at = world.now
    announce(world, task, "PENDING")
    if not _fails_in(world, task, Phase.PULLING):
        _boot_after(world, task, _pull_time(world, task))


def _pull_time(world: World, task: Task) -> float:
    return _jitter(world, world.timing.pull_per_gb * task.definition.spec.image_gb + world.timing.boot)


def _activate(world: World, task: Task) -> None:
    """The image is there and the containers are made; with a load balancer or on Fargate they are activated first."""
    if task.stop is not None:
        return
    if task.pull_started_at is not None:
        task.pull_stopped_at = max(task.pull_started_at, world.now - world.timing.boot)
    if _fate_in(world, task, Phase.CREATING):
        stopping.fail_to_start(world, task)
        return
    if task.host is None or task.service.target_group:
        task.containers_up = True
        announce(world, task, "ACTIVATING")
        world.clock.after(_jitter(world, world.timing.activation), _run, world, task)
    else:
        _run(world, task)


def _run(world: World, task: Task) -> None:
    if task.stop is not None:
        return
    task.containers_up = True
    task.started_at = world.now
    behaviour = world.behaviours[task.definition.arn]
    task.ready_at = world.now + behaviour.ready_after(world.rng)
    announce(world, task, "RUNNING")
    world.on_change(task, TaskChange.RUNNING)
    _watch_health(world, task)
    if behaviour.least > 1:
        world.clock.after(behaviour.overload, _bear_load, world, task)
    fate = task.fate
    if fate is not None and fate.ending.phase is Phase.RUNNING and fate.after is not None:
        world.clock.after(fate.after, stopping.exit_by_itself, world, task)


def _bear_load(world: World, task: Task) -> None:
    """Die of the load where too few share it; look again later."""
    behaviour = world.behaviours[task.definition.arn]
    up = sum(1 for other in task.service.live.values() if other.last_status == "RUNNING" and other.stop is None)
    if task.stop is None and up < behaviour.least:
        stopping.exit_by_itself(world, task, endings(Failure.OUT_OF_MEMORY)[0])
    elif task.stop is None:
        world.clock.after(behaviour.overload, _bear_load, world, task)


# -- failing on the way -----------------------------------------------------------------------------


def _fate_in(world: World, task: Task, phase: Phase) -> Fate | None:
    fate = task.fate
    return fate if fate is not None and fate.ending.phase is phase and world.now < fate.until else None


def _fails_in(world: World, task: Task, phase: Phase) -> bool:
    """Arrange for the failure where the task fails in this phase; the phase then ends there."""
    fate = _fate_in(world, task, phase)
    if fate is None:
        return False
    lifetime = world.draw(world.timing.start_failure) if fate.after is None else fate.after
    world.clock.at(task.created_at + lifetime, _fail_or_go_on, world, task)
    return True


def _fail_or_go_on(world: World, task: Task) -> None:
    if task.stop is not None:
        return
    if task.fate is not None and world.now < task.fate.until:
        task.placed = task.fate.ending.cause is not Failure.PLACEMENT
        stopping.fail_to_start(world, task)
        return
    task.fate = None
    if task.host is None and task.pull_started_at is None:
        _pull_after(world, task, 0)
    else:
        _boot_after(world, task, _pull_time(world, task))


# -- health -----------------------------------------------------------------------------------------


def _watch_health(world: World, task: Task) -> None:
    """Arrange for the health checks to pass, and for the failing one to fail.

    A load balancer's verdict counts after the grace period; a container check after its start period.
    """
    group, check = task.service.target_group, task.definition.spec.health_check
    if group is not None:
        task.target = group.says or "initial"
        group = None if group.says else group
    ready = (task.ready_at or world.now) - world.now
    passes = [world.timing.stable_after] if group is None and check is None else []
    if check is not None:
        passes.append(max(check.interval, ready))
    if group is not None:
        passes.append(max(group.healthy_threshold * group.interval, ready))
    fate = _fate_in(world, task, Phase.UNHEALTHY)
    lasts = fate.after or 0.0 if fate else float("inf")
    if check is not None and not (
        fate and fate.ending.cause is Failure.CONTAINER_HEALTH_CHECK and lasts < check.interval
    ):
        world.clock.after(passes[0], _pass_container_check, world, task)
    if group is not None and not (fate and fate.ending.cause is Failure.ELB_HEALTH_CHECK and lasts < passes[-1]):
        world.clock.after(passes[-1], _turn_target, world, task, "healthy")
    if lasts >= max(passes):
        world.clock.after(max(passes), _become_fit, world, task)
    if fate is None:
        return
    if fate.ending.cause is Failure.ELB_HEALTH_CHECK and group is not None:
        world.clock.after(lasts + group.detection, _turn_target, world, task, "unhealthy")
        world.clock.after(max(group.grace, lasts + group.detection), _become_unhealthy, world, task)
    if fate.ending.cause is Failure.CONTAINER_HEALTH_CHECK and check is not None:
        noticed = max(check.start_period, lasts) + check.retries * check.interval
        world.clock.after(noticed, _become_unhealthy, world, task)


def _pass_container_check(_world: World, task: Task) -> None:
    if task.stop is None:
        task.health = "HEALTHY"


def _turn_target(world: World, task: Task, state: str) -> None:
    """The load balancer has seen enough checks of the target, passed or failed."""
    gone = task.fate is None or world.now >= task.fate.until
    if task.last_status == "RUNNING" and (state == "healthy" or not gone):
        task.target = state


def _become_fit(world: World, task: Task) -> None:
    if task.stop is None and task.condemned is None:
        task.fit = True
        world.on_change(task, TaskChange.HEALTHY)


def _become_unhealthy(world: World, task: Task) -> None:
    fate = task.fate
    if task.stop is not None or task.condemned is not None or fate is None:
        return
    if world.now >= fate.until:
        task.fate = None
        task.health = "HEALTHY" if task.definition.spec.health_check else task.health
        task.target = "healthy" if task.target else ""
        _become_fit(world, task)
        return
    ending = stopping.spoken(world, task, fate.ending)
    if ending.cause is Failure.CONTAINER_HEALTH_CHECK:
        task.health = "UNHEALTHY"
    task.fit = False
    task.condemned = Stop(ending.stop_code, ending.reason)
    task.service.condemned[task.id] = task
    world.on_change(task, TaskChange.UNHEALTHY)
