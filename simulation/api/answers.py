"""Services and their deployments as the API describes them (members of the shapes in the ECS service model)."""

from typing import Any

from simulation.core.state import Deployment, Service, ServiceDeployment, TaskDefinition
from simulation.core.world import World
from simulation.ecs import shifting

Answer = dict[str, Any]


def service(world: World, service: Service, *, tags: bool = False) -> Answer:
    """`Service`, with its tags where the caller asked for them."""
    spec, primary, moment = service.spec, service.primary, world.clock.moment
    by_ecs = spec.controller == "ECS"
    answer: Answer = {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster.arn,
        "loadBalancers": _load_balancers(world, service),
        "serviceRegistries": [],
        "status": service.status,
        "desiredCount": service.wanted,
        "runningCount": sum(1 for task in service.live.values() if task.last_status == "RUNNING"),
        "pendingCount": sum(_pending(deployment) for deployment in service.deployments),
        "launchType": spec.launch_type,
        "taskDefinition": primary.definition.arn,
        "deploymentConfiguration": _deployment_configuration(service),
        "deployments": [_deployment(world, d) for d in service.deployments] if by_ecs else [],
        "events": [{"id": id_, "createdAt": moment(at), "message": text} for id_, at, text in service.messages],
        "createdAt": moment(service.created_at),
        "placementConstraints": [],
        "placementStrategy": [],
        "schedulingStrategy": spec.strategy,
        "deploymentController": {"type": spec.controller},
        "enableECSManagedTags": True,
        "propagateTags": "SERVICE",
        "enableExecuteCommand": False,
        "availabilityZoneRebalancing": "ENABLED" if spec.strategy == "REPLICA" else "DISABLED",
        "resourceManagementType": "ECS" if spec.managed_by_ecs else "CUSTOMER",
        **_compute(service),
    }
    if service.target_group is not None:
        answer["healthCheckGracePeriodSeconds"] = int(service.target_group.grace)
    if by_ecs:
        answer["currentServiceDeployment"] = service.history[-1].arn
        answer["currentServiceRevisions"] = [_revision_counts(d) for d in service.deployments]
    else:
        answer["taskSets"] = [_task_set(world, d) for d in service.deployments]
    if tags:
        answer["tags"] = tag_list(service.tags)
    return answer


def tag_list(tags: dict[str, str]) -> list[Answer]:
    """Tags as the API lists them."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def _load_balancers(world: World, service: Service) -> list[Answer]:
    group, port = service.target_group, service.primary.definition.spec.port
    if group is None:
        return []
    answer: Answer = {
        "targetGroupArn": world.target_group_arn(group.name),
        "containerName": "app",
        "containerPort": port or 80,
    }
    if group.alternate:
        answer["advancedConfiguration"] = {"alternateTargetGroupArn": world.target_group_arn(group.alternate)}
    return [answer]


def _deployment_configuration(service: Service) -> Answer:
    answer: Answer = {"maximumPercent": service.maximum_percent, "minimumHealthyPercent": service.minimum_percent}
    breaker = service.circuit_breaker
    if service.spec.controller == "ECS":
        answer |= _strategy(service)
        answer["deploymentCircuitBreaker"] = {
            "enable": bool(breaker and breaker.enable),
            "rollback": bool(breaker and breaker.enable and breaker.rollback),
        }
    if breaker is not None and breaker.enable:
        answer["deploymentCircuitBreaker"] |= {
            "resetOnHealthyTask": breaker.reset_on_healthy_task,
            "thresholdConfiguration": {"type": breaker.threshold_type, "value": breaker.threshold_value},
        }
    return answer


def _strategy(service: Service) -> Answer:
    """How the revisions of the service follow each other, and what else decides over a deployment."""
    spec, shift = service.spec, service.spec.shift
    answer: Answer = {"strategy": "ROLLING", "bakeTimeInMinutes": 0}
    if shift is not None:
        answer = {"strategy": shift.strategy, "bakeTimeInMinutes": int(shift.bake // 60)}
        bake = int(shift.step_bake // 60)
        if shift.strategy == "CANARY":
            answer["canaryConfiguration"] = {
                "canaryPercent": float(shift.step_percent),
                "canaryBakeTimeInMinutes": bake,
            }
        if shift.strategy == "LINEAR":
            answer["linearConfiguration"] = {"stepPercent": float(shift.step_percent), "stepBakeTimeInMinutes": bake}
    if spec.early_success is not None:
        answer["earlySuccessCriteria"] = {
            "enable": True,
            "healthyPercent": spec.early_success.healthy_percent,
            "sourceServiceRevisionCleanup": "DEFERRED" if spec.early_success.deferred else "BLOCKING",
        }
    if spec.pauses:
        answer["lifecycleHooks"] = [{"targetType": "PAUSE", "lifecycleStages": [shifting.PAUSED_AT]}]
    if spec.alarms:
        answer["alarms"] = {"alarmNames": list(spec.alarms), "enable": True, "rollback": True}
    return answer


def _compute(service: Service) -> Answer:
    """What runs on Fargate has a platform and a network of its own."""
    if service.spec.launch_type == "EC2":
        return {}
    network = {"subnets": ["subnet-0a", "subnet-0b"], "securityGroups": ["sg-0a"], "assignPublicIp": "DISABLED"}
    return {
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "networkConfiguration": {"awsvpcConfiguration": network},
    }


def _running(deployment: Deployment) -> int:
    return sum(1 for task in deployment.tasks() if task.last_status == "RUNNING")


def _pending(deployment: Deployment) -> int:
    return sum(1 for task in deployment.tasks() if task.last_status != "RUNNING")


def _deployment(world: World, deployment: Deployment) -> Answer:
    return {
        "id": deployment.id,
        "status": "PRIMARY" if deployment.primary else "ACTIVE",
        "taskDefinition": deployment.definition.arn,
        "desiredCount": len(deployment.slots),
        "pendingCount": _pending(deployment),
        "runningCount": _running(deployment),
        "failedTasks": deployment.failed_tasks,
        "createdAt": world.clock.moment(deployment.created_at),
        "updatedAt": world.clock.moment(deployment.updated_at),
        "launchType": deployment.service.spec.launch_type,
        **_rollout(deployment),
        **_compute(deployment.service),
    }


def _rollout(deployment: Deployment) -> Answer:
    """`rolloutState` is documented of rolling updates only."""
    if deployment.service.spec.shift is not None:
        return {}
    return {"rolloutState": deployment.rollout_state, "rolloutStateReason": deployment.rollout_reason}


def _task_set(world: World, deployment: Deployment) -> Answer:
    service = deployment.service
    stable = len(service.deployments) == 1 and deployment.fit_slots() == len(deployment.slots)
    return {
        "id": deployment.id,
        "taskSetArn": world.arn(f"task-set/{service.cluster.name}/{service.name}/{deployment.id}"),
        "serviceArn": service.arn,
        "clusterArn": service.cluster.arn,
        "status": "PRIMARY" if deployment.primary else "ACTIVE",
        "taskDefinition": deployment.definition.arn,
        "computedDesiredCount": len(deployment.slots),
        "pendingCount": _pending(deployment),
        "runningCount": _running(deployment),
        "createdAt": world.clock.moment(deployment.created_at),
        "updatedAt": world.clock.moment(deployment.updated_at),
        "launchType": service.spec.launch_type,
        "loadBalancers": _load_balancers(world, service),
        "serviceRegistries": [],
        "scale": {"value": 100.0, "unit": "PERCENT"},
        "stabilityStatus": "STEADY_STATE" if stable else "STABILIZING",
        "stabilityStatusAt": world.clock.moment(deployment.updated_at),
        "tags": [],
        **_compute(service),
    }


def _revision_counts(deployment: Deployment) -> Answer:
    shifts = deployment.service.spec.shift is not None
    weight: Answer = {"requestedProductionTrafficWeight": float(deployment.traffic)} if shifts else {}
    return weight | {
        "arn": deployment.revision_arn,
        "requestedTaskCount": len(deployment.slots),
        "runningTaskCount": _running(deployment),
        "pendingTaskCount": _pending(deployment),
    }


def service_deployment(world: World, record: ServiceDeployment) -> Answer:
    """`ServiceDeployment`."""
    service, moment = record.target.service, world.clock.moment
    answer: Answer = brief(world, record) | {
        "updatedAt": moment(record.updated_at),
        "sourceServiceRevisions": [_revision_counts(source) for source in record.sources],
        "targetServiceRevision": _revision_counts(record.target),
        "deploymentConfiguration": _deployment_configuration(service),
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
        "loadBalancers": _load_balancers(world, service),
        "containerImages": [{"containerName": "app", "image": spec.image}],
        "guardDutyEnabled": False,
        "createdAt": world.clock.moment(deployment.created_at),
    }
    return answer | _compute(service)


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
