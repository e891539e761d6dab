"""What nobody outside can know for sure: whether a request that reaches a service now would be answered."""

from simulation.core.state import Service, Task
from simulation.core.world import World
from simulation.scripting.failures import Phase


def serves(world: World, task: Task) -> bool:
    """Whether users are sent to this task's revision at this moment, and it would answer them."""
    return task.deployment.traffic > 0 and answers(world, task)


def answers(world: World, task: Task) -> bool:
    """Whether this task would answer a request at this moment.

    It is RUNNING with its software up and ready; where there are health checks it has passed them, and its software
    has not begun to fail them; where a load balancer sends the requests, its target is healthy, or the load balancer
    has nothing to choose by. A task that will crash later serves until then.
    """
    if task.last_status != "RUNNING" or task.execution_stopped_at is not None or task.started_at is None:
        return False
    if task.ready_at is None or world.now < task.ready_at:
        return False
    fate = task.fate
    failing = fate is not None and fate.ending.phase is Phase.UNHEALTHY and world.now < fate.until
    if fate is not None and failing and world.now >= task.started_at + (fate.after or 0):
        return False
    group = task.service.target_group
    if group is not None and not group.says and task.target != "healthy":
        return False
    return task.definition.spec.health_check is None or task.health == "HEALTHY"


def serving(world: World, service: Service) -> int:
    """How many tasks of the service would answer now, of whatever revision."""
    return sum(1 for task in service.live.values() if serves(world, task))
