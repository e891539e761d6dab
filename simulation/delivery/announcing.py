"""Each step of a task's life: the state, the version, and the event that tells of it."""

from simulation.api import shapes
from simulation.core.state import Task
from simulation.core.world import World


def announce(world: World, task: Task, status: str) -> None:
    """Put the task into a state and emit `ECS Task State Change`, where anybody listens to that state."""
    task.last_status = status
    task.version += 1
    task.updated_at = world.now
    if world.wants_status(status):
        world.emit("ECS Task State Change", [task.arn], shapes.task(world, task, world.clock.iso))
