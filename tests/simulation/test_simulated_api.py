"""The simulated API in process: the shapes, errors and pages of boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ParamValidationError
from botocore.model import ListShape, Shape, StructureShape

from simulation import CircuitBreaker, Failure, HealthCheck, ServiceSpec, Simulation, TargetGroup, TaskSpec, crash
from simulation.api.clients import service_model
from tests.simulation.scenes import described, scene


def unknown_members(value: Any, shape: Shape, path: str) -> list[str]:
    """What an answer has that the service model does not know, or has as another type."""
    if isinstance(shape, StructureShape):
        strange = [f"{path}.{name}" for name in value if name not in shape.members]
        known = ((name, v) for name, v in value.items() if name in shape.members)
        return strange + [u for name, v in known for u in unknown_members(v, shape.members[name], f"{path}.{name}")]
    if isinstance(shape, ListShape):
        return [u for v in value for u in unknown_members(v, shape.member, f"{path}[]")]
    types = {"string": str, "integer": int, "long": int, "boolean": bool, "double": float}
    allowed: list[str] = getattr(shape, "enum", None) or [value]
    fits = isinstance(value, types.get(shape.type_name, object)) and value in allowed
    return [] if fits else [f"{path} = {value!r}"]


def everything() -> Simulation:
    """A service with all that a service can have, in the middle of a deployment that is rolled back."""
    sim = scene(
        desired_count=2,
        target_group=TargetGroup(),
        circuit_breaker=CircuitBreaker(),
        tags={"loopbreaker:action": "stop"},
        task=TaskSpec(health_check=HealthCheck(), sidecars=("envoy",), environment={"MODE": "x"}, log_group="/web"),
    )
    sim.scaling.register("prod", "web", minimum=1, maximum=4)
    sim.run_until(400)
    sim.deploy("prod", "web", behaviour=crash(Failure.IMAGE_PULL), secrets={"TOKEN": "arn:aws:ssm:::parameter/token"})
    sim.advance(900)
    return sim


def test_answers_have_only_what_the_service_model_knows() -> None:
    """Every member of every answer exists in boto3's model with that type and, for an enum, that value."""
    sim = everything()
    ecs = sim.client("ecs")
    service = described(sim)
    deployments = [d["serviceDeploymentArn"] for d in
                   ecs.list_service_deployments(cluster="prod", service="web")["serviceDeployments"]]  # fmt: skip
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("ecs", "DescribeServices", {"cluster": "prod", "services": ["web"], "include": ["TAGS"]}),
        ("ecs", "DescribeTasks", {"cluster": "prod", "tasks": [task.id for task in sim.tasks("prod", "web")]}),
        ("ecs", "DescribeTaskDefinition", {"taskDefinition": service["taskDefinition"]}),
        ("ecs", "ListTagsForResource", {"resourceArn": service["serviceArn"]}),
        ("ecs", "ListServiceDeployments", {"cluster": "prod", "service": "web"}),
        ("ecs", "DescribeServiceDeployments", {"serviceDeploymentArns": deployments}),
        ("ecs", "DescribeServiceRevisions",
         {"serviceRevisionArns": [r["arn"] for r in service["currentServiceRevisions"]]}),
        ("ecs", "UpdateService", {"cluster": "prod", "service": "web", "desiredCount": 1}),
        ("application-autoscaling", "DescribeScalableTargets", {"ServiceNamespace": "ecs"}),
    ]  # fmt: skip
    for api, operation, params in requests:
        shape = service_model(api).operation_model(operation).output_shape
        assert shape is not None
        assert unknown_members(sim.call(api, operation, params), shape, operation) == []


def test_a_service_shows_its_revisions_and_tags() -> None:
    """Tags come only where asked for, and deployment, revision and task definition name each other."""
    sim = everything()
    ecs = sim.client("ecs")
    plain = ecs.describe_services(cluster="prod", services=["web", "nowhere"])
    assert "tags" not in plain["services"][0]
    assert [failure["reason"] for failure in plain["failures"]] == ["MISSING"]
    service = described(sim)
    assert service["tags"] == [{"key": "loopbreaker:action", "value": "stop"}]
    record = ecs.describe_service_deployments(serviceDeploymentArns=[service["currentServiceDeployment"]])
    deployment = record["serviceDeployments"][0]
    assert deployment["status"] == "ROLLBACK_SUCCESSFUL"
    assert deployment["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 3, "threshold": 3}
    source = deployment["sourceServiceRevisions"][0]["arn"]
    revisions = ecs.describe_service_revisions(serviceRevisionArns=[source, source + "x"])
    assert revisions["serviceRevisions"][0]["taskDefinition"] == service["taskDefinition"]
    assert revisions["failures"][0]["reason"] == "MISSING"


def test_task_definitions_differ_by_what_was_deployed() -> None:
    """Each revision is there to be described, by ARN, by number and by family for the newest."""
    sim = everything()
    ecs = sim.client("ecs")
    first, second = (ecs.describe_task_definition(taskDefinition=f"web:{n}")["taskDefinition"] for n in (1, 2))
    assert ecs.describe_task_definition(taskDefinition="web")["taskDefinition"] == second
    assert first["containerDefinitions"][0]["secrets"] == []
    assert second["containerDefinitions"][0]["secrets"] == [
        {"name": "TOKEN", "valueFrom": "arn:aws:ssm:::parameter/token"}
    ]


def test_health_status_needs_a_container_health_check() -> None:
    """DescribeTasks says UNKNOWN without one, and HEALTHY or UNHEALTHY with one; events never say it."""

    def health(sim: Simulation) -> set[str]:
        return {
            task["healthStatus"] for task in sim.client("ecs").describe_tasks(cluster="prod", tasks=arns(sim))["tasks"]
        }

    def arns(sim: Simulation) -> list[str]:
        listed: list[str] = sim.client("ecs").list_tasks(cluster="prod", serviceName="web")["taskArns"]
        return listed

    checked = TaskSpec(health_check=HealthCheck(interval=10))
    for spec, behaviour, expected in [
        (TaskSpec(), None, {"UNKNOWN"}),
        (checked, None, {"HEALTHY"}),
        (checked, crash(Failure.CONTAINER_HEALTH_CHECK), {"UNHEALTHY", "UNKNOWN"}),
    ]:
        sim = scene(task=spec, behaviour=behaviour)
        events = sim.run_until(110)
        assert health(sim) == expected
        assert not any("healthStatus" in event["detail"] for event in events)


def test_stopped_tasks_can_be_described_for_an_hour() -> None:
    """ListTasks and DescribeTasks know a stopped task for an hour, and then it is MISSING."""
    sim = scene()
    sim.run_until(200)
    sim.churn.blip("prod", "web")
    sim.advance(3600)
    ecs = sim.client("ecs")
    arns = ecs.list_tasks(cluster="prod", serviceName="web", desiredStatus="STOPPED")["taskArns"]
    assert ecs.describe_tasks(cluster="prod", tasks=arns)["tasks"][0]["stopCode"] == "EssentialContainerExited"
    sim.advance(100)
    assert ecs.describe_tasks(cluster="prod", tasks=arns)["failures"][0]["reason"] == "MISSING"
    assert ecs.list_tasks(cluster="prod", serviceName="web", desiredStatus="STOPPED")["taskArns"] == []


def test_lists_of_tasks_come_in_pages() -> None:
    """A page has at most 100 tasks or maxResults; boto3's paginator joins them, each task once."""
    sim = scene(desired_count=250)
    sim.run_until(10)
    ecs = sim.client("ecs")
    assert ecs.can_paginate("list_tasks")
    pages = list(ecs.get_paginator("list_tasks").paginate(cluster="prod", serviceName="web"))
    assert [len(page["taskArns"]) for page in pages] == [100, 100, 50]
    assert len({arn for page in pages for arn in page["taskArns"]}) == 250
    assert len(ecs.list_tasks(cluster="prod", maxResults=7)["taskArns"]) == 7


def test_a_pure_count_change_is_no_deployment() -> None:
    """UpdateService with a count keeps the deployment; with a task definition or by force it makes one."""
    sim = scene(desired_count=2)
    sim.run_until(300)
    ecs = sim.client("ecs")

    def update(**params: Any) -> str:
        service = ecs.update_service(cluster="prod", service="web", **params)["service"]
        return str(service["deployments"][0]["id"])

    first = described(sim)["deployments"][0]["id"]
    assert update(desiredCount=0) == update(desiredCount=2, taskDefinition="web:1") == first
    second = update(forceNewDeployment=True)
    assert second != first
    sim.deploy("prod", "web")
    assert update(taskDefinition="web:1") not in {first, second}


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("describe_services", {"cluster": "nowhere", "services": ["web"]}, "ClusterNotFoundException"),
        (
            "describe_services",
            {"cluster": "prod", "services": [f"s{n}" for n in range(11)]},
            "InvalidParameterException",
        ),
        ("describe_tasks", {"cluster": "prod", "tasks": [f"t{n}" for n in range(101)]}, "InvalidParameterException"),
        ("list_tasks", {"cluster": "prod", "serviceName": "nowhere"}, "ServiceNotFoundException"),
        ("list_tasks", {"cluster": "prod", "nextToken": "???"}, "InvalidParameterException"),
        ("update_service", {"cluster": "prod", "service": "nowhere", "desiredCount": 0}, "ServiceNotFoundException"),
        ("update_service", {"cluster": "prod", "service": "web", "desiredCount": -1}, "InvalidParameterException"),
        ("update_service", {"cluster": "prod", "service": "web", "taskDefinition": "web:9"}, "ClientException"),
        ("describe_task_definition", {"taskDefinition": "nothing"}, "ClientException"),
        ("list_tags_for_resource", {"resourceArn": "arn:aws:ecs:::service/x"}, "InvalidParameterException"),
        ("create_cluster", {"clusterName": "dev"}, "UnknownOperationException"),
    ],
)
def test_errors_have_the_codes_of_ecs(method: str, params: dict[str, Any], code: str) -> None:
    """A request that cannot be answered raises the ClientError that boto3 would raise."""
    with pytest.raises(ClientError) as caught:
        getattr(scene().client("ecs"), method)(**params)
    assert caught.value.response["Error"]["Code"] == code


def test_a_daemon_has_no_desired_count() -> None:
    """ECS refuses with these very words, and nothing changes."""
    sim = scene(strategy="DAEMON", launch_type="EC2", hosts=2)
    ecs = sim.client("ecs")
    with pytest.raises(ecs.exceptions.InvalidParameterException) as caught:
        ecs.update_service(cluster="prod", service="web", desiredCount=0)
    assert caught.value.response["Error"]["Message"].startswith(
        "The daemon scheduling strategy does not support a desired count for services."
    )
    assert described(sim)["desiredCount"] == 2


def test_parameters_are_checked_as_boto3_checks_them() -> None:
    """A misspelt or missing parameter never reaches the simulation."""
    sim = scene()
    with pytest.raises(ParamValidationError):
        sim.client("ecs").update_service(cluster="prod", service="web", desired=0)
    with pytest.raises(ParamValidationError):
        sim.client("ecs").describe_services(cluster="prod")
    with pytest.raises(AttributeError, match="no operation 'describe_everything'"):
        sim.client("ecs").describe_everything()
    assert sim.calls == []


def test_calls_are_recorded_and_can_fail() -> None:
    """A fault before a call means that it was not made; a fault after it means that only the answer was lost."""
    sim = scene(desired_count=2)
    ecs = sim.client("ecs")

    def lose(operation: str, params: dict[str, Any]) -> None:
        if operation == "UpdateService":
            raise ConnectTimeoutError(endpoint_url="https://ecs")

    sim.before_call = lose
    with pytest.raises(ConnectTimeoutError):
        ecs.update_service(cluster="prod", service="web", desiredCount=0)
    assert described(sim)["desiredCount"] == 2
    sim.before_call, sim.after_call = None, lose
    with pytest.raises(ConnectTimeoutError):
        ecs.update_service(cluster="prod", service="web", desiredCount=0)
    assert described(sim)["desiredCount"] == 0
    assert [operation for operation, _ in sim.calls].count("UpdateService") == 2
    assert sim.calls[0][1] == {"cluster": "prod", "service": "web", "desiredCount": 0}


def test_two_clusters_may_have_services_of_one_name() -> None:
    """A service is found by cluster and name, never by the name alone."""
    sim = scene(desired_count=2)
    sim.create_cluster("dev")
    sim.create_service(ServiceSpec(cluster="dev", name="web", desired_count=1))
    sim.run_until(10)
    ecs = sim.client("ecs")
    assert [len(ecs.list_tasks(cluster=c, serviceName="web")["taskArns"]) for c in ("prod", "dev")] == [2, 1]


def test_tags() -> None:
    """Tags of a service are added, replaced and removed by its ARN, and shown where they are asked for."""
    sim = scene(tags={"team": "a"})
    ecs, arn = sim.client("ecs"), described(sim)["serviceArn"]
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "b"}, {"key": "held", "value": "3"}])
    assert ecs.list_tags_for_resource(resourceArn=arn)["tags"] == described(sim)["tags"]
    assert sim.service("prod", "web").tags == {"team": "b", "held": "3"}
    ecs.untag_resource(resourceArn=arn, tagKeys=["held", "none"])
    assert sim.service("prod", "web").tags == {"team": "b"}


def test_tags_that_cannot_be() -> None:
    """A resource that is not there, a reserved key and a 51st tag are refused as ECS refuses them."""
    sim = scene()
    ecs, arn = sim.client("ecs"), described(sim)["serviceArn"]
    with pytest.raises(ClientError, match="cannot be found"):
        ecs.tag_resource(resourceArn=f"{arn}-2", tags=[{"key": "a", "value": "b"}])
    with pytest.raises(ClientError, match="reserved"):
        ecs.tag_resource(resourceArn=arn, tags=[{"key": "aws:x", "value": "b"}])
    with pytest.raises(ClientError, match="more than 50"):
        ecs.tag_resource(resourceArn=arn, tags=[{"key": str(n), "value": ""} for n in range(51)])


def test_an_older_botocore() -> None:
    """A client of an older botocore drops the members that it does not know, and its model does not have them."""
    sim = scene()
    new, old = sim.client("ecs"), sim.client("ecs", unknown=("currentServiceDeployment",))
    answers = [client.describe_services(cluster="prod", services=["web"])["services"][0] for client in (new, old)]
    shapes: list[Any] = [client.meta.service_model.shape_for("Service") for client in (new, old)]
    members = [shape.members for shape in shapes]
    for known in (answers, members):
        assert ["currentServiceDeployment" in one for one in known] == [True, False]
    assert "runningCount" in answers[1]
