"""A task on its way down: DEACTIVATING, STOPPING, DEPROVISIONING, STOPPED, by whatever brought it there.

A container that exits by itself has `executionStoppedAt` before `stoppingAt`; a stop that was ordered has it after.
"""

from simulation.core.state import ContainerExit, Stop, Task, TaskChange
from simulation.core.world import World
from simulation.delivery.announcing import announce
from simulation.scripting.failures import Ending, Phase


def spoken(world: World, task: Task, ending: Ending) -> Ending:
    """The ending in words for this task."""
    group = task.service.target_group
    words = {
        "image": task.definition.spec.image,
        "service": task.service.name,
        "target_group": world.target_group_arn(task.deployment.group) if group else "",
    }
    return ending.spoken_by(task.service.spec.launch_type, words)


def exit_by_itself(world: World, task: Task, ending: Ending | None = None) -> None:
    """The essential container ends, with the ending of the task's fate unless another is given."""
    if task.stop is not None:
        return
    if ending is None:
        if task.fate is None or world.now >= task.fate.until:
            return
        ending = task.fate.ending
    ending = spoken(world, task, ending)
    _begin(world, task, Stop(ending.stop_code, ending.reason))
    task.execution_stopped_at = world.now
    _end_containers(world, task, ending)
    world.on_change(task, TaskChange.STOPPING)
    world.clock.after(world.draw(world.timing.exit_noticed), _deactivate, world, task)


def fail_to_start(world: World, task: Task) -> None:
    """The task ends without having been RUNNING, in the way of its fate."""
    assert task.fate is not None
    ending = spoken(world, task, task.fate.ending)
    _begin(world, task, Stop(ending.stop_code, ending.reason))
    task.stopping_at = world.now
    if ending.phase is Phase.CREATING:
        task.execution_stopped_at = world.now
    _end_containers(world, task, ending)
    world.on_change(task, TaskChange.STOPPING)
    _deprovision(world, task)


def order(world: World, task: Task, stop: Stop) -> None:
    """Stop a task from outside: by the scheduler, a person or a host that drains."""
    if task.stop is not None:
        return
    _begin(world, task, stop)
    world.on_change(task, TaskChange.STOPPING)
    _deactivate(world, task)


def interrupt(world: World, task: Task, stop: Stop) -> None:
    """Announce the stop now, with the task still RUNNING, and carry it out after the Spot notice."""
    if task.stop is not None:
        return
    _begin(world, task, stop)
    announce(world, task, task.last_status)
    world.on_change(task, TaskChange.STOPPING)
    world.clock.after(world.timing.spot_notice, _deactivate, world, task)


def lose(world: World, task: Task, stop: Stop) -> None:
    """The host is gone: no container could report anything, so they stay RUNNING in a STOPPED task."""
    if task.last_status == "STOPPED":
        return
    known = task.stop is not None
    if not known:
        _begin(world, task, stop)
    task.stopping_at = task.stopping_at or world.now
    if not known:
        world.on_change(task, TaskChange.STOPPING)
    _stopped(world, task)


def _begin(world: World, task: Task, stop: Stop) -> None:
    task.stop, task.desired_status, task.fit = stop, "STOPPED", False
    task.updated_at = world.now


def _end_containers(world: World, task: Task, ending: Ending) -> None:
    """The app has the ending; the sidecars of a task that was up are stopped with it, if anything is known at all."""
    task.outcomes["app"] = ContainerExit(ending.exit_code, ending.container_reason)
    stopped = 143 if ending.exit_code == 143 else world.rng.choice((0, 143))
    known = task.containers_up and (ending.exit_code is not None or ending.container_reason is not None)
    for name in task.definition.spec.sidecars:
        task.outcomes[name] = ContainerExit(stopped if known else None)


def _deactivate(world: World, task: Task) -> None:
    """Take the task out of the load balancer; without one there is nothing to wait for."""
    if task.last_status == "STOPPED":
        return
    task.stopping_at = world.now
    group = task.service.target_group
    if not task.containers_up:
        _deprovision(world, task)
    elif group is None and task.host is not None:
        _stopping(world, task)
    else:
        announce(world, task, "DEACTIVATING")
        task.target = "draining" if task.target else ""
        wait = world.draw(world.timing.drain) if group is None else group.deregistration_delay
        world.clock.after(wait, _stopping, world, task)


def _stopping(world: World, task: Task) -> None:
    if task.last_status == "STOPPED":
        return
    announce(world, task, "STOPPING")
    task.target = ""
    if task.outcomes:
        _deprovision(world, task)
        return
    spec = task.definition.spec
    polite = spec.handles_sigterm
    wait = min(world.draw(world.timing.sigterm), spec.stop_timeout) if polite else spec.stop_timeout
    world.clock.after(wait, _containers_stopped, world, task, world.rng.choice((0, 143)) if polite else 137)


def _containers_stopped(world: World, task: Task, exit_code: int) -> None:
    if task.last_status == "STOPPED":
        return
    task.execution_stopped_at = world.now
    task.outcomes["app"] = ContainerExit(exit_code)
    for name in task.definition.spec.sidecars:
        task.outcomes[name] = ContainerExit(0)
    _deprovision(world, task)


def _deprovision(world: World, task: Task) -> None:
    if task.host is None:
        announce(world, task, "DEPROVISIONING")
    span = world.timing.ec2_cleanup if task.host else world.timing.deprovisioning
    world.clock.after(world.draw(span), _stopped, world, task)


def _stopped(world: World, task: Task) -> None:
    if task.last_status == "STOPPED":
        return
    task.stopped_at = world.now
    announce(world, task, "STOPPED")
    task.service.live.pop(task.id, None)
    world.on_change(task, TaskChange.STOPPED)
    world.clock.after(world.timing.memory, world.tasks.pop, task.id, None)
