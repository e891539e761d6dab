"""Whether a stack of CloudFormation waits for a service, by what CloudFormation answers."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from loopbreaker.aws.ecs import LiveEcs
from loopbreaker.treating.facts import Facts
from simulation import ServiceSpec, Simulation, crash
from simulation.scripting.failures import Failure
from tests.aws.fake_clients import FakeClient, refusal
from tests.aws.test_ecs import ROLLOUT, STARTED, described_service, ecs, scaling
from tests.builders import SERVICE
from tests.task_events import arn

SERVICE_ARN = arn("service/prod/web")


def stack(status: str = "CREATE_COMPLETE", *, physical: str = SERVICE_ARN) -> dict[str, Any]:
    return {
        "StackName": "shop",
        "LogicalResourceId": "Service",
        "PhysicalResourceId": physical,
        "ResourceType": "AWS::ECS::Service",
        "Timestamp": STARTED,
        "ResourceStatus": status,
    }


NO_STACK = ClientError(
    {"Error": {"Code": "ValidationError", "Message": f"Stack for {SERVICE_ARN} does not exist"}},
    "DescribeStackResources",
)


@pytest.mark.parametrize(
    ("answer", "waits"),
    [
        ({"StackResources": [stack("CREATE_IN_PROGRESS")]}, True),
        ({"StackResources": [stack("UPDATE_IN_PROGRESS"), stack(physical="another")]}, True),
        ({"StackResources": [stack(), stack("CREATE_IN_PROGRESS", physical="another")]}, False),
        ({"StackResources": [stack("UPDATE_FAILED")]}, False),
        ({"StackResources": [stack(physical="another")]}, None),
        ({"StackResources": []}, None),
        (NO_STACK, False),
        (refusal("ValidationError", "DescribeStackResources"), None),
        (refusal("AccessDenied", "DescribeStackResources"), None),
        (refusal("Throttling", "DescribeStackResources"), None),
        (EndpointConnectionError(endpoint_url="https://cloudformation"), None),
    ],
    ids=str,
)
def test_whether_a_stack_waits_for_the_service(answer: Any, waits: bool | None) -> None:
    """It does while it is at work on this very service; what CloudFormation does not say is not known."""
    assert asked_of_stacks(answer).stack_waits is waits


def asked_of_stacks(answer: Any, **service: Any) -> Facts:
    """The facts of a service in the middle of a deployment whose owner asked for it to be stopped."""
    known: dict[str, Any] = {
        "tags": [{"key": "loopbreaker:action", "value": "stop"}],
        "currentServiceDeployment": ROLLOUT,
    }
    rollouts = {"serviceDeployments": [{"status": "IN_PROGRESS"}]}
    client = ecs(service=described_service(**(known | service)), describe_service_deployments=rollouts)
    stacks = FakeClient("cloudformation", describe_stack_resources=answer)
    found = LiveEcs(client, scaling(), lambda: None, stacks=lambda: stacks).read(SERVICE)
    assert isinstance(found, Facts)
    return found


def test_stacks_are_asked_of_those_alone_that_may_be_stopped_in_a_deployment() -> None:
    """Nobody else's stack is of interest."""
    waiting = {"StackResources": [stack("CREATE_IN_PROGRESS")]}
    assert asked_of_stacks(waiting, tags=[{"key": "loopbreaker:action", "value": "rollback"}]).stack_waits is None
    assert asked_of_stacks(waiting, tags=[]).stack_waits is None
    assert asked_of_stacks(waiting, currentServiceDeployment="").stack_waits is None


def test_the_simulated_stack_waits_as_cloudformation_does() -> None:
    """It waits for each deployment, and gives up after 36 hours; of what is in no stack it knows nothing."""
    sim = Simulation(seed=1)
    sim.create_cluster("prod")
    for name, stack_name in (("web", "shop"), ("job", "")):
        behaviour = crash(Failure.APP_CRASH)
        sim.create_service(ServiceSpec(cluster="prod", name=name, behaviour=behaviour, stack=stack_name))

    def status(name: str) -> str:
        own = sim.service("prod", name).arn
        answer = sim.client("cloudformation").describe_stack_resources(PhysicalResourceId=own)
        return str(answer["StackResources"][0]["ResourceStatus"])

    sim.run_until(600)
    assert status("web") == "CREATE_IN_PROGRESS"
    with pytest.raises(ClientError, match="does not exist"):
        status("job")
    sim.deploy("prod", "web")
    sim.run_until(700)
    assert status("web") == "UPDATE_IN_PROGRESS"
    sim.run_until(1800)
    assert status("web") == "UPDATE_COMPLETE"
    sim.deploy("prod", "web", behaviour=crash(Failure.IMAGE_PULL))
    sim.run_until(1800 + 36.1 * 3600)
    assert status("web") == "UPDATE_FAILED"
