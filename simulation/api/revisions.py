"""Service deployments, service revisions and task definitions as the API describes them."""

from simulation.api.answers import Answer, compute, deployment_configuration, load_balancers, revision_counts
from simulation.core.state import Deployment, ServiceDeployment, TaskDefinition
from simulation.core.world import World
from simulation.ecs import shifting


def service_deployment(world: World, record: ServiceDeployment) -> Answer:
    """`ServiceDeployment`."""
    service, moment = record.target.service, world.clock.moment
    answer: Answer = brief(world, record) | {
        "updatedAt": moment(record.updated_at),
        "sourceServiceRevisions": [revision_counts(source) for source in record.sources],
        "targetServiceRevision": revision_counts(record.target),
        "deploymentConfiguration": deployment_configuration(service),
        "deploymentCircuitBreaker": _circuit_breaker(record),
    }
    del answer["targetServiceRevisionArn"]
    answer |= _watched(record)
    if record.stopped_at is not None:
        answer["stoppedAt"] = moment(record.stopped_at)
    if record.rollback_to is not None and record.rollback_started_at is not None:
        answer["rollback"] = {
            "reason": record.rollback_reason,
            "startedAt": moment(record.rollback_started_at),
            "serviceRevisionArn": record.rollback_to.revision_arn,
        }
    return answer


def _watched(record: ServiceDeployment) -> Answer:
    """Its stage, the hook at which it waits, and the alarms that may end it."""
    alarms, answer = list(record.target.service.spec.alarms), Answer()
    if record.stage:
        answer["lifecycleStage"] = record.stage
    if record.hook_id:
        waiting = record.stage == shifting.PAUSED_AT and record.finished_at is None
        status = "AWAITING_ACTION" if waiting else "SUCCEEDED"
        answer["lifecycleHookDetails"] = [{"hookId": record.hook_id, "targetType": "PAUSE", "status": status}]
    if alarms:
        watching = "MONITORING" if record.finished_at is None else "MONITORING_COMPLETE"
        answer["alarms"] = {
            "status": "TRIGGERED" if record.alarmed else watching,
            "alarmNames": alarms,
            "triggeredAlarmNames": alarms if record.alarmed else [],
        }
    return answer


def _circuit_breaker(record: ServiceDeployment) -> Answer:
    service = record.target.service
    breaker = service.circuit_breaker
    if breaker is None or not breaker.enable:
        return {"status": "DISABLED", "failureCount": 0, "threshold": 0}
    watching = "MONITORING" if record.finished_at is None else "MONITORING_COMPLETE"
    return {
        "status": "TRIGGERED" if record.tripped else watching,
        "failureCount": record.failures,
        "threshold": breaker.threshold(service.wanted),
    }


def brief(world: World, record: ServiceDeployment) -> Answer:
    """`ServiceDeploymentBrief`."""
    service, moment = record.target.service, world.clock.moment
    answer: Answer = {
        "serviceDeploymentArn": record.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster.arn,
        "createdAt": moment(record.created_at),
        "startedAt": moment(record.created_at),
        "targetServiceRevisionArn": record.target.revision_arn,
        "status": record.status,
    }
    if record.finished_at is not None:
        answer["finishedAt"] = moment(record.finished_at)
    if record.status_reason:
        answer["statusReason"] = record.status_reason
    return answer


def service_revision(world: World, deployment: Deployment) -> Answer:
    """`ServiceRevision`."""
    service, spec = deployment.service, deployment.definition.spec
    answer: Answer = {
        "serviceRevisionArn": deployment.revision_arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster.arn,
        "taskDefinition": deployment.definition.arn,
        "launchType": service.spec.launch_type,
        "loadBalancers": load_balancers(world, service),
        "containerImages": [{"containerName": "app", "image": spec.image}],
        "guardDutyEnabled": False,
        "createdAt": world.clock.moment(deployment.created_at),
    }
    return answer | compute(service)


def task_definition(world: World, definition: TaskDefinition) -> Answer:
    """`TaskDefinition`: a container `app`, and the sidecars."""
    spec = definition.spec
    app: Answer = {
        "name": "app",
        "image": spec.image,
        "cpu": spec.cpu,
        "memory": spec.memory,
        "essential": True,
        "portMappings": [{"containerPort": spec.port, "hostPort": spec.port, "protocol": "tcp"}] if spec.port else [],
        "environment": [{"name": name, "value": value} for name, value in spec.environment.items()],
        "secrets": [{"name": name, "valueFrom": source} for name, source in spec.secrets.items()],
        "mountPoints": [],
        "volumesFrom": [],
        "stopTimeout": int(spec.stop_timeout),
    }
    if spec.log_group is not None:
        options = {"awslogs-group": spec.log_group, "awslogs-region": world.region, "awslogs-stream-prefix": "ecs"}
        app["logConfiguration"] = {"logDriver": "awslogs", "options": options}
    if spec.health_check is not None:
        app["healthCheck"] = {
            "command": ["CMD-SHELL", "/app/health"],
            "interval": int(spec.health_check.interval),
            "retries": spec.health_check.retries,
            "startPeriod": int(spec.health_check.start_period),
        }
    sidecars = [{"name": s, "image": f"public.ecr.aws/sidecars/{s}:1", "essential": True} for s in spec.sidecars]
    return {
        "taskDefinitionArn": definition.arn,
        "containerDefinitions": [app, *sidecars],
        "family": definition.family,
        "revision": definition.revision,
        "networkMode": "awsvpc",
        "volumes": [],
        "status": "ACTIVE",
        "requiresAttributes": [],
        "placementConstraints": [],
        "compatibilities": ["EC2", "FARGATE"],
        "cpu": str(spec.cpu),
        "memory": str(spec.memory),
        "registeredAt": world.clock.moment(definition.registered_at),
    }
