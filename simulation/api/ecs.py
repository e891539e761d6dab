"""The ECS operations: a request's parameters in, an answer or an `ApiError` out."""

from collections.abc import Callable

from simulation.api import answers, lookup, revisions, shapes
from simulation.api.answers import Answer
from simulation.api.lookup import ApiError, Params, invalid
from simulation.core.state import Service, ServiceDeployment, Stop, Task
from simulation.core.world import World
from simulation.ecs import deployments, shifting
from simulation.ecs.stopping import order
from simulation.scripting import services
from simulation.scripting.spec import CircuitBreaker

_SETTABLE = {"cluster", "service", "desiredCount", "taskDefinition", "forceNewDeployment", "deploymentConfiguration"}
_STOPPABLE = {"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"}
_MOST_TAGS = 50  # "Tag", Amazon ECS API reference
_NO_DAEMON_COUNT = (
    "The daemon scheduling strategy does not support a desired count for services. "
    "Remove the desired count value and try again"
)


class EcsApi:
    """What a client may ask the simulated ECS."""

    def __init__(self, world: World) -> None:
        self._world = world

    def operations(self) -> dict[str, Callable[[Params], Answer]]:
        """Each operation by its name."""
        return {
            "ListClusters": self._list_clusters,
            "ListServices": self._list_services,
            "DescribeServices": self._describe_services,
            "ListTasks": self._list_tasks,
            "DescribeTasks": self._describe_tasks,
            "DescribeTaskDefinition": self._describe_task_definition,
            "ListTagsForResource": self._list_tags,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "UpdateService": self._update_service,
            "StopTask": self._stop_task,
            "ListServiceDeployments": self._list_service_deployments,
            "DescribeServiceDeployments": self._describe_service_deployments,
            "DescribeServiceRevisions": self._describe_service_revisions,
            "StopServiceDeployment": self._stop_service_deployment,
            "ContinueServiceDeployment": self._continue_service_deployment,
        }

    # -- services -----------------------------------------------------------------------------------

    def _list_clusters(self, params: Params) -> Answer:
        listed, token = lookup.page([cluster.arn for cluster in self._world.clusters.values()], params)
        return {"clusterArns": listed} | ({"nextToken": token} if token else {})

    def _list_services(self, params: Params) -> Answer:
        home = lookup.cluster(self._world, params)
        arns = [s.arn for s in self._world.services.values() if s.cluster is home and s.status == "ACTIVE"]
        listed, token = lookup.page(arns, params, limit=10)  # "ListServices", maxResults
        return {"serviceArns": listed} | ({"nextToken": token} if token else {})

    def _describe_services(self, params: Params) -> Answer:
        home, names = lookup.cluster(self._world, params), params["services"]
        if not names:
            raise invalid("Services cannot be empty.")
        if len(names) > 10:
            raise invalid("Services cannot exceed 10 elements.")
        found, failures = [], []
        for name in names:
            service = self._world.services.get((home.name, lookup.last_part(name)))
            if service is None:
                arn = self._world.arn(f"service/{home.name}/{lookup.last_part(name)}")
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(answers.service(self._world, service, tags="TAGS" in params.get("include", ())))
        return {"services": found, "failures": failures}

    def _update_service(self, params: Params) -> Answer:
        service = lookup.service(self._world, lookup.cluster(self._world, params), params["service"])
        if service.status != "ACTIVE":
            raise ApiError("ServiceNotActiveException", "Service was not ACTIVE.")
        _refuse(service, params)
        definition = None
        if "taskDefinition" in params:
            definition = lookup.task_definition(self._world, params["taskDefinition"])
        _configure(service, params.get("deploymentConfiguration", {}))
        if "desiredCount" in params:
            services.scale(self._world, service, params["desiredCount"])
        current = service.primary.definition
        if params.get("forceNewDeployment") or (definition is not None and definition is not current):
            deployments.begin(self._world, service, definition or current)
        return {"service": answers.service(self._world, service)}

    def _list_tags(self, params: Params) -> Answer:
        return {"tags": answers.tag_list(self._tagged(params).tags)}

    def _tag(self, params: Params) -> Answer:
        tags = self._tagged(params).tags
        given = {tag["key"]: tag.get("value", "") for tag in params["tags"]}
        if any(key.lower().startswith("aws:") for key in given):
            raise invalid("Tag keys that begin with aws: are reserved.")
        if len({**tags, **given}) > _MOST_TAGS:
            raise invalid(f"A resource cannot have more than {_MOST_TAGS} tags.")
        tags.update(given)
        return {}

    def _untag(self, params: Params) -> Answer:
        tags = self._tagged(params).tags
        for key in params["tagKeys"]:
            tags.pop(key, None)
        return {}

    def _tagged(self, params: Params) -> Service:
        for service in self._world.services.values():
            if service.arn == params["resourceArn"]:
                return service
        raise invalid("The specified resource cannot be found.")

    def _describe_task_definition(self, params: Params) -> Answer:
        definition = lookup.task_definition(self._world, params["taskDefinition"])
        return {"taskDefinition": revisions.task_definition(self._world, definition), "tags": []}

    # -- tasks --------------------------------------------------------------------------------------

    def _list_tasks(self, params: Params) -> Answer:
        home = lookup.cluster(self._world, params)
        service = lookup.service(self._world, home, params["serviceName"]) if "serviceName" in params else None
        arns = [
            task.arn
            for task in self._world.tasks.values()
            if task.service.cluster is home
            and (service is None or task.service is service)
            and task.desired_status == params.get("desiredStatus", "RUNNING")
            and params.get("startedBy", task.deployment.id) == task.deployment.id
            and params.get("family", task.definition.family) == task.definition.family
            and params.get("launchType", task.service.spec.launch_type) == task.service.spec.launch_type
        ]
        listed, token = lookup.page(arns, params)
        return {"taskArns": listed} | ({"nextToken": token} if token else {})

    def _describe_tasks(self, params: Params) -> Answer:
        home, names = lookup.cluster(self._world, params), params["tasks"]
        if not names:
            raise invalid("Tasks cannot be empty.")
        if len(names) > 100:
            raise invalid("Tasks cannot exceed 100 elements.")
        found, failures = [], []
        for name in names:
            task = self._world.tasks.get(lookup.last_part(name))
            if task is None or task.service.cluster is not home:
                arn = self._world.arn(f"task/{home.name}/{lookup.last_part(name)}")
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(self._task(task))
        return {"tasks": found, "failures": failures}

    def _stop_task(self, params: Params) -> Answer:
        home = lookup.cluster(self._world, params)
        task = self._world.tasks.get(lookup.last_part(params["task"]))
        if task is None or task.service.cluster is not home:
            raise invalid("The referenced task was not found.")
        order(self._world, task, Stop("UserInitiated", params.get("reason", "Task stopped by user")))
        return {"task": self._task(task)}

    def _task(self, task: Task) -> Answer:
        return shapes.task(self._world, task, self._world.clock.moment, health=True)

    # -- service deployments ------------------------------------------------------------------------

    def _list_service_deployments(self, params: Params) -> Answer:
        service = lookup.service(self._world, lookup.cluster(self._world, params), params["service"])
        _only_rolling(service)
        moment, created = self._world.clock.moment, params.get("createdAt", {})
        records = [
            record
            for record in reversed(service.history)
            if record.status in params.get("status", (record.status,))
            and created.get("after", moment(record.created_at)) <= moment(record.created_at)
            and created.get("before", moment(record.created_at)) >= moment(record.created_at)
        ]
        listed, token = lookup.page(records, params)
        answer: Answer = {"serviceDeployments": [revisions.brief(self._world, record) for record in listed]}
        return answer | ({"nextToken": token} if token else {})

    def _describe_service_deployments(self, params: Params) -> Answer:
        arns = params["serviceDeploymentArns"]
        _at_most_20(arns)
        known = {arn: self._record(arn) for arn in arns}
        return {
            "serviceDeployments": [
                revisions.service_deployment(self._world, r) for r in known.values() if r is not None
            ],
            "failures": [{"arn": arn, "reason": "MISSING"} for arn, record in known.items() if record is None],
        }

    def _describe_service_revisions(self, params: Params) -> Answer:
        arns = params["serviceRevisionArns"]
        _at_most_20(arns)
        known = {r.target.revision_arn: r.target for s in self._world.services.values() for r in s.history}
        return {
            "serviceRevisions": [revisions.service_revision(self._world, known[arn]) for arn in arns if arn in known],
            "failures": [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known],
        }

    def _stop_service_deployment(self, params: Params) -> Answer:
        record = self._record(params["serviceDeploymentArn"])
        if record is None:
            raise ApiError("ServiceDeploymentNotFoundException", "Service deployment not found.")
        if params.get("stopType", "ROLLBACK") != "ROLLBACK":
            raise invalid("The stop type is not valid. Use ROLLBACK.")
        if record.status not in _STOPPABLE:
            raise ApiError("ConflictException", f"The service deployment is {record.status} and cannot be stopped.")
        if record.target.service.last_completed is None:
            raise invalid("The service deployment has no source service revision to roll back to.")
        deployments.stop(self._world, record.target.service, record)
        return {"serviceDeploymentArn": record.arn}

    def _continue_service_deployment(self, params: Params) -> Answer:
        record = self._record(params["serviceDeploymentArn"])
        if record is None:
            raise ApiError("ServiceDeploymentNotFoundException", "Service deployment not found.")
        if record.stage != shifting.PAUSED_AT or params["hookId"] != record.hook_id:
            raise invalid("The service deployment does not wait at this hook.")
        if params.get("action", "CONTINUE") == "ROLLBACK":
            deployments.stop(self._world, record.target.service, record)
        else:
            shifting.go_on(self._world, record)
        return {"serviceDeploymentArn": record.arn}

    def _record(self, arn: str) -> ServiceDeployment | None:
        records = (record for service in self._world.services.values() for record in service.history)
        return next((record for record in records if record.arn == arn), None)


def _refuse(service: Service, params: Params) -> None:
    """What ECS, or the simulation, does not let one update."""
    if not_simulated := sorted(params.keys() - _SETTABLE):
        raise invalid(f"Not simulated: {', '.join(not_simulated)}.")
    if service.spec.strategy == "DAEMON" and "desiredCount" in params:
        raise invalid(_NO_DAEMON_COUNT)
    if params.get("desiredCount", 0) < 0:
        raise invalid("desiredCount cannot be negative.")
    if service.spec.controller != "ECS" and ("taskDefinition" in params or params.get("forceNewDeployment")):
        controller = service.spec.controller
        raise invalid(f"Unable to update task definition on services with a {controller} deployment controller.")


def _configure(service: Service, configuration: Params) -> None:
    service.maximum_percent = configuration.get("maximumPercent", service.maximum_percent)
    service.minimum_percent = configuration.get("minimumHealthyPercent", service.minimum_percent)
    breaker = configuration.get("deploymentCircuitBreaker")
    if breaker is not None:
        threshold = breaker.get("thresholdConfiguration", {})
        service.circuit_breaker = CircuitBreaker(
            enable=breaker["enable"],
            rollback=breaker["rollback"],
            threshold_type=threshold.get("type", "BOUNDED_PERCENT"),
            threshold_value=threshold.get("value", 50),
            reset_on_healthy_task=breaker.get("resetOnHealthyTask", True),
        )


def _only_rolling(service: Service) -> None:
    if service.spec.controller != "ECS":
        raise ApiError("UnsupportedFeatureException", "The deployment controller does not support service deployments.")


def _at_most_20(arns: list[str]) -> None:
    if not 1 <= len(arns) <= 20:
        raise invalid("1 to 20 ARNs are allowed.")
