"""The arithmetic beside a cause: a limit beside a memory error, seconds to the kill beside seconds lived. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loopbreaker.telling.plain import span

Described = Mapping[str, Any]


def memory(definition: Described, container: str, before: Described | None) -> Iterator[str]:
    """The limit that counts for a container, and what it was."""
    limit = _limit(definition, container)
    if limit is None:
        return
    was = _limit(before, container) if before else None
    changed = f"; it was {was} MiB in the revision before" if was is not None and was != limit else ""
    yield f"The memory limit of container {container} is {limit} MiB{changed}."


def container_check(definition: Described, container: str, lived: float) -> Iterator[str]:
    """When a task can be stopped at the earliest (ECS API reference, HealthCheck, with its defaults)."""
    check = _container(definition, container).get("healthCheck")
    if not isinstance(check, Mapping):
        return
    start, interval, retries = check.get("startPeriod") or 0, check.get("interval") or 30, check.get("retries") or 3
    earliest = start + interval * retries
    before = f"start period of {start} s, then " if start else "no start period, "
    yield (
        f"A task is stopped {earliest} s after its start at the earliest ({before}{retries} failed checks "
        f"{interval} s apart); {_lived(lived)}."
    )


def balancer_check(grace: int, groups: Sequence[Described], lived: float) -> Iterator[str]:
    """The same for the health checks of load balancers: the strictest target group."""
    times = [
        (int(group["HealthCheckIntervalSeconds"]), int(group["UnhealthyThresholdCount"]), str(group["HealthCheckPath"]))
        for group in groups
        if {"HealthCheckIntervalSeconds", "UnhealthyThresholdCount", "HealthCheckPath"} <= group.keys()
    ]
    if not times:
        return
    interval, threshold, path = min(times, key=lambda one: one[0] * one[1])
    earliest = max(grace, interval * threshold)
    yield (
        f"A task is stopped {earliest} s after its start at the earliest (grace period {grace} s, {threshold} failed "
        f"checks of {path} {interval} s apart); {_lived(lived)}."
    )


def addresses(subnets: Sequence[Described]) -> Iterator[str]:
    """Free addresses of the subnets that the tasks may start in."""
    free = [f"{subnet['AvailableIpAddressCount']} in {subnet['SubnetId']}" for subnet in subnets]
    if free:
        yield f"Free addresses: {', '.join(sorted(free))}."


def _lived(seconds: float) -> str:
    return f"the longest lived {span(seconds)}" if seconds else "none ever ran"


def _limit(definition: Described, container: str) -> int | None:
    """The container's own limit, else the task's; None where there is none."""
    own = _container(definition, container).get("memory")
    limit = own if own else definition.get("memory")
    return int(limit) if limit and str(limit).isdigit() else None


def _container(definition: Described, name: str) -> Described:
    for container in definition.get("containerDefinitions") or ():
        if container.get("name") == name:
            found: Described = container
            return found
    return {}
