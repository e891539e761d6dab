"""Services and their deployments as the API describes them (members of the shapes in the ECS service model)."""

from typing import Any

from simulation.core.state import Deployment, Service
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
        "loadBalancers": load_balancers(world, service),
        "serviceRegistries": [],
        "status": service.status,
        "desiredCount": service.wanted,
        "runningCount": sum(1 for task in service.live.values() if task.last_status == "RUNNING"),
        "pendingCount": sum(_pending(deployment) for deployment in service.deployments),
        "launchType": spec.launch_type,
        "taskDefinition": primary.definition.arn,
        "deploymentConfiguration": deployment_configuration(service),
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
        **compute(service),
    }
    if service.target_group is not None:
        answer["healthCheckGracePeriodSeconds"] = int(service.target_group.grace)
    if by_ecs:
        answer["currentServiceDeployment"] = service.history[-1].arn
        answer["currentServiceRevisions"] = [revision_counts(d) for d in service.deployments]
    else:
        answer["taskSets"] = [_task_set(world, d) for d in service.deployments]
    if tags:
        answer["tags"] = tag_list(service.tags)
    return answer


def tag_list(tags: dict[str, str]) -> list[Answer]:
    """Tags as the API lists them."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def load_balancers(world: World, service: Service) -> list[Answer]:
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


def deployment_configuration(service: Service) -> Answer:
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


def compute(service: Service) -> Answer:
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
        **compute(deployment.service),
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
        "loadBalancers": load_balancers(world, service),
        "serviceRegistries": [],
        "scale": {"value": 100.0, "unit": "PERCENT"},
        "stabilityStatus": "STEADY_STATE" if stable else "STABILIZING",
        "stabilityStatusAt": world.clock.moment(deployment.updated_at),
        "tags": [],
        **compute(service),
    }


def revision_counts(deployment: Deployment) -> Answer:
    shifts = deployment.service.spec.shift is not None
    weight: Answer = {"requestedProductionTrafficWeight": float(deployment.traffic)} if shifts else {}
    return weight | {
        "arn": deployment.revision_arn,
        "requestedTaskCount": len(deployment.slots),
        "runningTaskCount": _running(deployment),
        "pendingTaskCount": _pending(deployment),
    }
