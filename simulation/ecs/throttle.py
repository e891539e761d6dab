"""The service throttle: ECS slows down only services whose tasks never reach RUNNING.

Source: "Amazon ECS service throttle logic". The third failed start in a row is followed by 60 s of waiting,
each further one by twice as long, up to 27 minutes. Tasks already on their way when the wait began do not count again.
"""

from simulation.core.state import Service, Task, Throttle
from simulation.core.world import World
from simulation.delivery.statements import service_action

FREE_FAILURES = 2  # the first three starts come at once


def count_failed_start(world: World, task: Task) -> None:
    """Count a task that never reached RUNNING; where the service is throttled, say so and set its next start."""
    service = task.service
    throttle = service.throttle
    if task.created_at < throttle.counted_from:
        return
    throttle.failures += 1
    doublings = throttle.failures - FREE_FAILURES - 1
    if doublings < 0:
        return
    delay = min(world.timing.throttle_cap, world.timing.throttle_first * 2 ** min(doublings, 30))
    throttle.counted_from, throttle.open_at = world.now, world.now + delay
    world.say(service, "is unable to consistently start tasks successfully.")
    service_action(world, service, "WARN", "SERVICE_TASK_START_IMPAIRED")
    world.clock.at(throttle.open_at, world.on_stir, service)


def reset(world: World, service: Service) -> None:
    """Start again from nothing: a task ran, or a new task definition came."""
    service.throttle = Throttle(counted_from=world.now)
