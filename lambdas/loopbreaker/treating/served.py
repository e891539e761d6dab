"""Who is served: which tasks do what they are there for, as far as ECS and the load balancer let us know.

Whoever is HEALTHY by its container health check, or has a healthy target, serves. Where nothing is known of its
health, a task serves once it has been RUNNING for `serving_after`. In doubt a task is taken for one that serves.
"""

from collections.abc import Iterable

from loopbreaker.model import Category
from loopbreaker.treating.facts import RunningTask


def serving(
    tasks: Iterable[RunningTask], *, serving_after: float, causes: frozenset[Category], now: float
) -> tuple[RunningTask, ...]:
    """The tasks that serve at this moment.

    serving_after: seconds after which a task of unknown health is taken for one that serves.
    causes: why tasks of the service failed of late. A verdict of bad health is believed only where ECS acts on it by
        replacing tasks: a load balancer whose targets are all unhealthy sends them traffic all the same ("Health
        checks for Application Load Balancer target groups").
    """
    return tuple(task for task in tasks if _serves(task, serving_after=serving_after, causes=causes, now=now))


def _serves(task: RunningTask, *, serving_after: float, causes: frozenset[Category], now: float) -> bool:
    if task.last_status != "RUNNING" or task.started_at is None:
        return False
    if task.health == "HEALTHY" or task.target_health == "healthy":
        return True
    if task.target_health == "initial":
        # The load balancer sends it nothing before its first checks have passed.
        return False
    if Category.ELB_HEALTH_CHECK in causes and task.target_health == "unhealthy":
        return False
    if Category.CONTAINER_HEALTH_CHECK in causes and not task.target_health:
        # Before its first check has passed a task with a health check is UNKNOWN.
        return False
    return now - task.started_at > serving_after
