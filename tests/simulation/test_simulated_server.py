"""The simulation over HTTP, asked by a real boto3 client."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event as Signal
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from simulation import CircuitBreaker, Failure, ServiceSpec, Simulation, TargetGroup, Timing, constant, crash
from simulation.server import Server
from tests.simulation.scenes import Event, scene


def real_client(server: Server, name: str) -> Any:
    return boto3.client(
        name,  # type: ignore[call-overload]
        endpoint_url=server.url,
        region_name="eu-west-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def served() -> Iterator[Server]:
    """A service in the middle of a bad deployment, its time standing still."""
    sim = scene(desired_count=3, circuit_breaker=CircuitBreaker(), target_group=TargetGroup(), tags={"team": "web"})
    sim.scaling.register("prod", "web", minimum=1, maximum=5)
    sim.run_until(500)
    sim.deploy("prod", "web", behaviour=crash(Failure.APP_CRASH))
    sim.advance(300)
    with Server(sim, sink=lambda _: None, speed=1e-9) as server:
        yield server


def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_http_and_process_give_the_same_answers(served: Server) -> None:
    """A real boto3 client parses every answer to what the client in process gives, times and all."""
    sim = served.simulation
    service = sim.client("ecs").describe_services(cluster="prod", services=["web"])["services"][0]
    tasks = [task.arn for task in sim.tasks("prod", "web")]
    deployment = service["currentServiceDeployment"]
    revisions = [revision["arn"] for revision in service["currentServiceRevisions"]]
    yesterday = {"after": sim.utc_now - timedelta(seconds=400)}
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("ecs", "describe_services", {"cluster": "prod", "services": ["web", "nowhere"], "include": ["TAGS"]}),
        ("ecs", "list_tasks", {"cluster": "prod", "serviceName": "web", "maxResults": 2}),
        ("ecs", "describe_tasks", {"cluster": "prod", "tasks": tasks}),
        ("ecs", "describe_task_definition", {"taskDefinition": service["taskDefinition"]}),
        ("ecs", "list_tags_for_resource", {"resourceArn": service["serviceArn"]}),
        ("ecs", "list_service_deployments", {"cluster": "prod", "service": "web", "createdAt": yesterday}),
        ("ecs", "describe_service_deployments", {"serviceDeploymentArns": [deployment]}),
        ("ecs", "describe_service_revisions", {"serviceRevisionArns": revisions}),
        ("ecs", "update_service", {"cluster": "prod", "service": "web", "desiredCount": 4}),
        ("application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "ecs"}),
    ]
    for api, method, params in requests:
        here = getattr(sim.client(api), method)(**params)
        there = getattr(real_client(served, api), method)(**params)
        assert without_metadata(there) == without_metadata(here), method
        assert there["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(
    ("api", "method", "params"),
    [
        ("ecs", "describe_services", {"cluster": "nowhere", "services": ["web"]}),
        ("ecs", "update_service", {"cluster": "prod", "service": "nowhere", "desiredCount": 0}),
        ("ecs", "stop_service_deployment", {"serviceDeploymentArn": "arn:aws:ecs:::service-deployment/x"}),
        ("ecs", "create_cluster", {"clusterName": "dev"}),
        (
            "application-autoscaling",
            "register_scalable_target",
            {
                "ServiceNamespace": "ecs",
                "ResourceId": "service/prod/nowhere",
                "ScalableDimension": "ecs:service:DesiredCount",
            },
        ),
    ],
)
def test_http_and_process_give_the_same_errors(served: Server, api: str, method: str, params: dict[str, Any]) -> None:
    """Code, message and exception class are the same on both ways."""
    caught = []
    for client in (served.simulation.client(api), real_client(served, api)):
        with pytest.raises(ClientError) as error:
            getattr(client, method)(**params)
        caught.append((type(error.value).__name__, error.value.response["Error"], str(error.value)))
    assert caught[0] == caught[1]


def test_paging_works_over_http(served: Server) -> None:
    """boto3's paginator walks through all tasks."""
    pages = (
        real_client(served, "ecs")
        .get_paginator("list_tasks")
        .paginate(cluster="prod", PaginationConfig={"PageSize": 2})
    )
    arns = [arn for page in pages for arn in page["taskArns"]]
    assert len(arns) == len(set(arns)) >= 4


def test_a_request_that_is_no_request_is_answered_with_an_error(served: Server) -> None:
    """Wrong targets, bodies and parameters bring status 400 and a reason."""
    ecs = "AmazonEC2ContainerServiceV20141113"
    for target, body, code in [
        ("Nobody.DoIt", b"{}", "UnknownOperationException"),
        (f"{ecs}.DescribeServices", b"{", "SerializationException"),
        (f"{ecs}.DescribeServices", b"{}", "InvalidParameterException"),
    ]:
        request = urllib.request.Request(served.url, body, {"X-Amz-Target": target})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        assert caught.value.code == 400
        assert json.loads(caught.value.read())["__type"] == code
        caught.value.close()


def test_time_runs_by_itself_and_events_go_to_the_sink() -> None:
    """With a faster ECS a crash loop shows within a second, and its events carry the real time of day."""
    events: list[Event] = []
    stopped = Signal()

    def sink(event: Event) -> None:
        events.append(event)
        if event["detail"].get("lastStatus") == "STOPPED":
            stopped.set()

    def build(start: datetime) -> Simulation:
        sim = Simulation(start=start, timing=Timing().faster(200))
        sim.create_cluster("prod")
        sim.create_service(
            ServiceSpec(cluster="prod", name="web", behaviour=crash(Failure.APP_CRASH, after=constant(0.01)))
        )
        return sim

    with Server.from_now(build, sink=sink) as server:
        assert stopped.wait(5)
        assert real_client(server, "ecs").list_tasks(cluster="prod", serviceName="web", desiredStatus="STOPPED")[
            "taskArns"
        ]
    age = datetime.now(UTC) - datetime.fromisoformat(events[-1]["time"])
    assert timedelta(seconds=-1) < age < timedelta(seconds=10)


def test_what_the_sink_raises_is_not_lost() -> None:
    """The driver ends, and `stop` raises it again."""
    called = Signal()

    def sink(event: Event) -> None:
        called.set()
        raise RuntimeError("the table is gone")

    server = Server(scene(), sink=sink, speed=100)
    server.start()
    assert called.wait(5)
    with pytest.raises(RuntimeError, match="the table is gone"):
        server.stop()
