"""What loops now, from what ECS still shows: the tasks that stopped within the last hour, and each service's messages.

Reads only: ListClusters, ListServices, ListTasks, DescribeServices, DescribeTasks, and of a suspect what the stack asks
too. The same core judges; what may not be read is named.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from loopbreaker.judging.ending import quiet_at
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Policy
from loopbreaker.remembering.incident import Incident
from loopbreaker.seeing.fields import MalformedEventError
from loopbreaker.stories.ports import Ecs
from loopbreaker.stories.rehearsal import OnlyReads
from loopbreaker.telling.prices import Burn, burn
from loopbreaker.treating.facts import Facts, Unknown
from loopctl import observed
from loopctl.faults import said
from loopctl.replay import Replay

Json = dict[str, Any]
Told = Callable[[str], None]

# DescribeServices takes 10 services, DescribeTasks 100 tasks (ECS API reference).
_SERVICES, _TASKS = 10, 100


@dataclass(frozen=True, slots=True)
class Looping:
    """A service that loops now."""

    service: ServiceRef
    incident: Incident
    burn: Burn


@dataclass(frozen=True, slots=True)
class Survey:
    """One Region: what loops, how many services were looked at, and what could not be read, with the reason."""

    region: str
    clusters: int
    services: int
    looping: tuple[Looping, ...]
    unread: tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    """What was read so far. `sizes`: of the last task seen of each service."""

    clusters: int = 0
    services: int = 0
    events: list[Json] = field(default_factory=list)
    sizes: dict[ServiceRef, observed.Size] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def survey(ecs: Any, facts: Ecs, *, region: str, policy: Policy, now: float, told: Told = lambda _: None) -> Survey:
    """Looks at every service of a Region. `ecs` is the client, `facts` what the stack asks of one service.

    `told` hears of each cluster before it is read. Raises ClientError and BotoCoreError where not even the clusters
    can be listed.
    """
    seen = _Seen()
    for cluster in _listed(ecs, "list_clusters", "clusterArns"):
        seen.clusters += 1
        told(cluster.rsplit("/", 1)[-1])
        _read(seen, ecs, cluster)
    # Asked once of each service, whatever the virtual time.
    run = Replay(policy, ecs=OnlyReads(cache(facts.read), "only looking"))
    for event in sorted(seen.events, key=lambda event: str(event["time"])):
        try:
            for _ in run.feed(event):
                pass
        except MalformedEventError as error:
            seen.unread.append(f"an answer of ECS: {error}")
    for _ in run.finish(now):
        pass
    looping = (
        Looping(service, incident, _burn(service, incident, seen))
        for service, incident in run.looping()
        if _goes_on(incident, facts.read(service), policy=policy, now=now)
    )
    worst = sorted(looping, key=lambda one: (-(one.burn.per_hour or 0), one.service))
    return Survey(region, seen.clusters, seen.services, tuple(worst), tuple(seen.unread))


def _read(seen: _Seen, ecs: Any, cluster: str) -> None:
    try:
        services = list(_listed(ecs, "list_services", "serviceArns", cluster=cluster))
        seen.services += len(services)
        for batch in _batches(services, _SERVICES):
            answer = ecs.describe_services(cluster=cluster, services=batch)
            for service in answer["services"]:
                seen.events += observed.of_service(service)
        stopped = list(_listed(ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus="STOPPED"))
        for batch in _batches(stopped, _TASKS):
            for task in ecs.describe_tasks(cluster=cluster, tasks=batch)["tasks"]:
                _note(seen, task)
    except (ClientError, BotoCoreError) as error:
        seen.unread.append(f"cluster {cluster.rsplit('/', 1)[-1]}: {said(error)}")


def _note(seen: _Seen, task: Json) -> None:
    kind, _, name = task.get("group", "").partition(":")
    if task.get("lastStatus") != "STOPPED" or kind != "service":
        return
    seen.events.append(observed.of_task(task))
    seen.sizes[ServiceRef(task["clusterArn"], name)] = observed.size_of(task)


def _goes_on(incident: Incident, facts: Facts | Unknown, *, policy: Policy, now: float) -> bool:
    """Not where it has been quiet and all of its tasks run: nobody knows whether they are well, but none fails now."""
    running = 0 if isinstance(facts, Unknown) else sum(task.last_status == "RUNNING" for task in facts.tasks)
    return now < quiet_at(incident, policy) or isinstance(facts, Unknown) or running < facts.desired_count


def _burn(service: ServiceRef, incident: Incident, seen: _Seen) -> Burn:
    size = seen.sizes.get(service, observed.Size())
    return burn(
        restarts=incident.failed_tasks,
        seconds=incident.last_failure_at - incident.first_failure_at,
        category=incident.category,
        vcpu=size.vcpu,
        gib=size.gib,
        fargate=size.fargate,
    )


def _listed(ecs: Any, operation: str, key: str, **parameters: str) -> Iterator[str]:
    # ListServices gives ten at a time where nobody asks for more (ECS API reference).
    for page in ecs.get_paginator(operation).paginate(**parameters, PaginationConfig={"PageSize": 100}):
        yield from page[key]


def _batches(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
