"""What people and tools do to a service: create, scale, deploy, delete. The API and the scenarios both come here."""

from dataclasses import replace
from typing import Any

from simulation.core.state import Cluster, Deployment, Host, Service, TaskDefinition
from simulation.core.world import World
from simulation.ecs import deployments
from simulation.scripting.behaviour import Behaviour
from simulation.scripting.failures import Failure
from simulation.scripting.spec import ServiceSpec, TaskSpec


def create_cluster(world: World, name: str, *, hosts: int = 0) -> Cluster:
    """Create a cluster with so many container instances, which only tasks of launch type EC2 need."""
    cluster = Cluster(name=name, arn=world.arn(f"cluster/{name}"))
    world.clusters[name] = cluster
    for _ in range(hosts):
        add_host(world, cluster)
    return cluster


def add_host(world: World, cluster: Cluster) -> Host:
    """Register a container instance; tasks that wait for a place get one."""
    arn = world.arn(f"container-instance/{cluster.name}/{world.hex(32)}")
    host = Host(number=cluster.hosts_ever, arn=arn, instance_id=f"i-0{world.hex(16)}")
    cluster.hosts_ever += 1
    cluster.hosts.append(host)
    stir_all(world, cluster)
    return host


def stir_all(world: World, cluster: Cluster) -> None:
    """Let the scheduler look at every service of the cluster."""
    for service in world.services.values():
        if service.cluster is cluster:
            world.on_stir(service)


def create(world: World, spec: ServiceSpec) -> Service:
    """Create a service; ValueError where the specification contradicts itself."""
    _check(world, spec)
    cluster, daemon = world.clusters[spec.cluster], spec.strategy == "DAEMON"
    service = Service(
        spec=spec,
        arn=world.arn(f"service/{spec.cluster}/{spec.name}"),
        cluster=cluster,
        desired=spec.desired_count,
        created_at=world.now,
        circuit_breaker=spec.circuit_breaker,
        minimum_percent=0 if daemon else spec.minimum_percent,
        maximum_percent=100 if daemon else spec.maximum_percent,
        tags=dict(spec.tags),
    )
    world.services[spec.cluster, spec.name] = service
    deployments.begin(world, service, register(world, spec.name, spec.task, spec.behaviour))
    return service


def _check(world: World, spec: ServiceSpec) -> None:
    what = f"service {spec.cluster}/{spec.name}"
    existing = world.services.get((spec.cluster, spec.name))
    if spec.cluster not in world.clusters:
        raise ValueError(f"{what}: no cluster {spec.cluster!r}; create it first")
    if existing is not None and existing.status != "INACTIVE":
        raise ValueError(f"{what}: exists already")
    if spec.strategy == "DAEMON" and spec.launch_type != "EC2":
        raise ValueError(f"{what}: a DAEMON service runs on EC2")
    _check_behaviour(what, spec, spec.task, spec.behaviour)


def _check_behaviour(what: str, spec: ServiceSpec, task: TaskSpec, behaviour: Behaviour) -> None:
    cause = behaviour.ending.cause if behaviour.ending else None
    if cause is Failure.ELB_HEALTH_CHECK and spec.target_group is None:
        raise ValueError(f"{what}: {cause.value} needs a target_group")
    if cause is Failure.CONTAINER_HEALTH_CHECK and task.health_check is None:
        raise ValueError(f"{what}: {cause.value} needs a task.health_check")


def register(world: World, family: str, spec: TaskSpec, behaviour: Behaviour) -> TaskDefinition:
    """Register a revision of a task definition, and how its software behaves."""
    revisions = world.definitions.setdefault(family, [])
    number = len(revisions) + 1
    arn = world.arn(f"task-definition/{family}:{number}")
    definition = TaskDefinition(arn=arn, family=family, revision=number, spec=spec, registered_at=world.now)
    revisions.append(definition)
    world.behaviours[arn] = behaviour
    return definition


def behave(world: World, service: Service, behaviour: Behaviour) -> None:
    """New tasks of the running revision behave like this from now on: not the software changed, but its world."""
    definition = service.primary.definition
    _check_behaviour(service.arn, service.spec, definition.spec, behaviour)
    world.behaviours[definition.arn] = behaviour


def deploy(world: World, service: Service, behaviour: Behaviour, changes: dict[str, Any]) -> Deployment:
    """Register the next revision, with `changes` to the fields of its TaskSpec, and deploy it."""
    spec = replace(service.primary.definition.spec, **changes)
    _check_behaviour(service.arn, service.spec, spec, behaviour)
    definition = register(world, service.primary.definition.family, spec, behaviour)
    return deployments.begin(world, service, definition)


def scale(world: World, service: Service, desired: int) -> None:
    """Set desiredCount; that is no deployment."""
    if desired > service.desired:
        deployments.grow_old(service, desired - service.desired)
    service.desired = desired
    world.on_stir(service)


def delete(world: World, service: Service) -> None:
    """Stop all tasks of a service and make it INACTIVE once they are gone."""
    service.status = "DRAINING"
    world.on_stir(service)
    world.clock.after(1, _deleted, world, service)


def _deleted(world: World, service: Service) -> None:
    if service.live:
        world.clock.after(10, _deleted, world, service)
    else:
        service.status = "INACTIVE"
