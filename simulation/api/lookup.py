"""Finding what a request names, by name or ARN, and the errors ECS answers with where there is no such thing."""

from collections.abc import Sequence
from typing import Any

from simulation.core.state import Cluster, Service, TaskDefinition
from simulation.core.world import World

Params = dict[str, Any]


class ApiError(Exception):
    """An error answer: its code, such as `ServiceNotFoundException`, and its message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


def invalid(message: str) -> ApiError:
    """The error for a parameter that cannot be."""
    return ApiError("InvalidParameterException", message)


def last_part(name_or_arn: str) -> str:
    """`web` of `web` and of `arn:aws:ecs:eu-west-1:123456789012:service/prod/web`."""
    return name_or_arn.rsplit("/", 1)[-1]


def cluster(world: World, params: Params) -> Cluster:
    """The cluster of a request, `default` where it names none."""
    found = world.clusters.get(last_part(params.get("cluster", "default")))
    if found is None:
        raise ApiError("ClusterNotFoundException", "Cluster not found.")
    return found


def service(world: World, home: Cluster, name_or_arn: str) -> Service:
    """The service of that name in the cluster, deleted ones included."""
    found = world.services.get((home.name, last_part(name_or_arn)))
    if found is None:
        raise ApiError("ServiceNotFoundException", "Service not found.")
    return found


def task_definition(world: World, name_or_arn: str) -> TaskDefinition:
    """A revision by ARN or `family:revision`; the newest one for a family alone."""
    family, _, revision = last_part(name_or_arn).partition(":")
    revisions = world.definitions.get(family, [])
    found = [d for d in revisions if not revision or str(d.revision) == revision]
    if not found:
        raise ApiError("ClientException", "Unable to describe task definition.")
    return found[-1]


def page(items: Sequence[Any], params: Params, *, limit: int = 100) -> tuple[list[Any], str | None]:
    """One page of `items`, and the token of the next where there is one; the token is where that page begins."""
    token = params.get("nextToken", "0")
    if not token.isdecimal():
        raise invalid("Invalid token.")
    begin = int(token)
    end = begin + min(params.get("maxResults", limit), limit)
    return list(items[begin:end]), str(end) if end < len(items) else None
