"""Facts as ECS describes them, and the calls that act."""

from collections.abc import Callable
from datetime import UTC, datetime
from math import inf
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.session import Session

from loopbreaker.aws.ecs import LiveEcs, unreadable
from loopbreaker.model import daemon
from loopbreaker.remembering.trip import Scaling
from loopbreaker.treating.facts import Answer, Deployment, Facts, Refusal, RunningTask, ServiceDeployment, Unknown
from tests.aws.fake_clients import FakeClient, refusal
from tests.builders import DEPLOYMENT, OLDER_DEPLOYMENT, SERVICE, T0, TASK_DEFINITION
from tests.task_events import CLUSTER_ARN, arn

STARTED = datetime.fromtimestamp(T0, UTC)


def at(seconds: float) -> datetime:
    """So long after the first happening."""
    return datetime.fromtimestamp(T0 + seconds, UTC)


def task_arn(number: int) -> str:
    return arn(f"task/prod/{number:032x}")


def described_service(**fields: Any) -> dict[str, Any]:
    """One element of `services` in the answer of DescribeServices."""
    known: dict[str, Any] = {
        "serviceArn": arn("service/prod/web"),
        "status": "ACTIVE",
        "desiredCount": 3,
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "tags": [{"key": "loopbreaker:action", "value": "stop"}, {"key": "team"}],
        "deployments": [
            {
                "id": DEPLOYMENT,
                "status": "PRIMARY",
                "taskDefinition": TASK_DEFINITION,
                "runningCount": 2,
                "rolloutState": "IN_PROGRESS",
                "createdAt": datetime.fromtimestamp(T0, tz=UTC),
            },
            {"id": OLDER_DEPLOYMENT, "status": "ACTIVE"},
        ],
    }
    return known | fields


def described_task(number: int = 1, **fields: Any) -> dict[str, Any]:
    known = {
        "taskArn": task_arn(number),
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "healthStatus": "HEALTHY",
        "createdAt": STARTED,
        "startedAt": STARTED,
        "startedBy": DEPLOYMENT,
    }
    return known | fields


def ecs(*tasks: dict[str, Any], service: dict[str, Any] | None = None, **answers: Any) -> FakeClient:
    known: dict[str, Any] = {
        "describe_services": {"services": [service or described_service()]},
        "list_tasks": {"taskArns": [task["taskArn"] for task in tasks]},
        "describe_tasks": {"tasks": list(tasks)},
    }
    return FakeClient("ecs", **(known | answers))


def scaling(*targets: dict[str, Any], **answers: Any) -> FakeClient:
    known: dict[str, Any] = {"describe_scalable_targets": {"ScalableTargets": list(targets)}}
    return FakeClient("application-autoscaling", **(known | answers))


def target(**fields: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/prod/web",
        "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": 1,
        "MaxCapacity": 9,
        "RoleARN": "arn:aws:iam::123456789012:role/scaling",
        "CreationTime": STARTED,
    }
    return known | fields


def fleet(client: FakeClient, targets: FakeClient | None = None, balancer: FakeClient | None = None) -> LiveEcs:
    """The adapter over these clients; one that asks for a load balancer which is not there fails the test."""

    def balancing() -> FakeClient:
        assert balancer is not None
        return balancer

    return LiveEcs(client, targets or scaling(), balancing)


def read(client: FakeClient, targets: FakeClient | None = None) -> Facts | Unknown:
    return fleet(client, targets).read(SERVICE)


def facts(client: FakeClient, targets: FakeClient | None = None) -> Facts:
    found = read(client, targets)
    assert isinstance(found, Facts)
    return found


# -- reading ----------------------------------------------------------------------------------------------


def test_a_managed_daemon_is_not_asked_about() -> None:
    """It is no service: what is unknown never leads to action."""
    client = ecs(described_task(7))
    assert isinstance(fleet(client).read(daemon(CLUSTER_ARN, "agent")), Unknown)
    assert client.calls == []


def test_the_grace_period_is_a_fact() -> None:
    """In seconds; none where ECS names none."""
    assert facts(ecs(service=described_service(healthCheckGracePeriodSeconds=300))).grace == 300
    assert facts(ecs(service=described_service())).grace == 0


def test_the_facts_of_a_service() -> None:
    """Everything that a decision rests on, in our own words."""
    assert facts(ecs(described_task(7)), scaling(target())) == Facts(
        exists=True,
        desired_count=3,
        strategy="REPLICA",
        controller="ECS",
        managed_by_ecs=False,
        tags={"loopbreaker:action": "stop", "team": ""},
        deployments=(
            Deployment(
                id=DEPLOYMENT,
                status="PRIMARY",
                task_definition=TASK_DEFINITION,
                running=2,
                rollout="IN_PROGRESS",
                created_at=T0,
            ),
            Deployment(id=OLDER_DEPLOYMENT, status="ACTIVE", task_definition="", running=0, rollout="", created_at=inf),
        ),
        tasks=(
            RunningTask(
                last_status="RUNNING", health="HEALTHY", started_at=T0, deployment_id=DEPLOYMENT, created_at=T0
            ),
        ),
        scaling=Scaling(
            minimum=1,
            maximum=9,
            dynamic_in_suspended=False,
            dynamic_out_suspended=False,
            scheduled_suspended=False,
        ),
    )


ROLLOUT = arn("service-deployment/prod/web/abc")


def described_rollout(**fields: Any) -> dict[str, Any]:
    """The answer of DescribeServiceDeployments about one service deployment."""
    known: dict[str, Any] = {
        "serviceDeploymentArn": ROLLOUT,
        "status": "IN_PROGRESS",
        "sourceServiceRevisions": [{"arn": "a", "runningTaskCount": 2}, {"arn": "b"}],
        "deploymentCircuitBreaker": {"status": "MONITORING", "failureCount": 2, "threshold": 3},
    }
    return {"serviceDeployments": [known | fields]}


def rolling(answer: dict[str, Any]) -> FakeClient:
    service = described_service(currentServiceDeployment=ROLLOUT)
    return ecs(service=service, describe_service_deployments=answer)


def test_the_service_deployment_under_way() -> None:
    """What runs of the revisions that it replaces, and how far ECS's own breaker is."""
    client = rolling(described_rollout())
    assert facts(client).rollout == ServiceDeployment(
        arn=ROLLOUT, status="IN_PROGRESS", sources=(2, 0), breaker="MONITORING", failures=2, threshold=3
    )
    assert ("describe_service_deployments", {"serviceDeploymentArns": [ROLLOUT]}) in client.calls


def test_the_first_deployment_of_a_service_replaces_nothing() -> None:
    """What ECS leaves out has its default: no source, no breaker."""
    bare = {"serviceDeployments": [{"status": "PENDING"}]}
    assert facts(rolling(bare)).rollout == ServiceDeployment(
        arn=ROLLOUT, status="PENDING", sources=(), breaker="DISABLED", failures=0, threshold=0, began_at=inf
    )


@pytest.mark.parametrize(
    ("fields", "began"),
    [
        ({"createdAt": at(1)}, T0 + 1),
        ({"createdAt": at(1), "startedAt": at(2)}, T0 + 2),
        ({"startedAt": at(2), "rollback": {"startedAt": at(3)}}, T0 + 3),
        ({"startedAt": at(2), "rollback": {}}, T0 + 2),
    ],
)
def test_since_when_a_service_deployment_is_under_way(fields: dict[str, Any], began: float) -> None:
    """A rollback is waited for anew."""
    found = facts(rolling(described_rollout(**fields))).rollout
    assert found is not None
    assert found.began_at == began


@pytest.mark.parametrize(
    ("configuration", "rolls"), [({}, True), ({"strategy": "ROLLING"}, True), ({"strategy": "CANARY"}, False)]
)
def test_whether_deployments_roll(configuration: dict[str, Any], rolls: bool) -> None:
    """Others run two revisions side by side, and may wait for days before the traffic moves."""
    assert facts(ecs(service=described_service(deploymentConfiguration=configuration))).rolls is rolls


@pytest.mark.parametrize(
    "answer", [described_rollout(status=status) for status in ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL")]
)
def test_a_service_deployment_that_has_ended_is_none(answer: dict[str, Any]) -> None:
    """ECS names the last one for a while."""
    assert facts(rolling(answer)).rollout is None
    assert facts(rolling({"serviceDeployments": []})).rollout is None
    assert facts(ecs()).rollout is None


def test_what_ecs_leaves_out_has_its_default() -> None:
    """A service without controller, strategy, tags, deployments and tasks is an ordinary one."""
    bare = {"status": "ACTIVE", "desiredCount": 1}
    assert facts(ecs(service=bare)) == Facts(exists=True, desired_count=1, tags={})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"schedulingStrategy": "DAEMON"}, ("DAEMON", "ECS", False)),
        ({"deploymentController": {"type": "CODE_DEPLOY"}}, ("REPLICA", "CODE_DEPLOY", False)),
        ({"resourceManagementType": "ECS"}, ("REPLICA", "ECS", True)),
        ({"resourceManagementType": "CUSTOMER"}, ("REPLICA", "ECS", False)),
    ],
)
def test_services_that_are_not_to_be_touched(fields: dict[str, Any], expected: tuple[str, str, bool]) -> None:
    """DAEMON, other controllers and Express services are known by what DescribeServices says of them."""
    found = facts(ecs(service=described_service(**fields)))
    assert (found.strategy, found.controller, found.managed_by_ecs) == expected


def test_the_service_is_asked_for_by_its_cluster_with_its_tags() -> None:
    """The name alone is not enough, and tags come only when asked for."""
    client = ecs()
    read(client)
    assert client.calls[0] == (
        "describe_services",
        {"cluster": CLUSTER_ARN, "services": ["web"], "include": ["TAGS"]},
    )


@pytest.mark.parametrize(
    "answers",
    [
        {"describe_services": {"services": [], "failures": [{"reason": "MISSING"}]}},
        {"describe_services": {"services": [described_service(status="DRAINING")]}},
        {"describe_services": {"services": [described_service(status="INACTIVE")]}},
        {"describe_services": refusal("ClusterNotFoundException")},
        {"list_tasks": refusal("ServiceNotFoundException", "ListTasks")},
    ],
)
def test_a_service_that_is_gone_does_not_exist(answers: dict[str, Any]) -> None:
    """Missing, being deleted, deleted, or its cluster gone: all the same."""
    assert read(ecs(**answers)) == Facts(exists=False)


@pytest.mark.parametrize(
    ("client", "targets", "why"),
    [
        (ecs(describe_services=refusal("ThrottlingException")), scaling(), "DescribeServices: ThrottlingException"),
        (ecs(list_tasks=refusal("AccessDeniedException", "ListTasks")), scaling(), "ListTasks: AccessDeniedException"),
        (
            ecs(),
            scaling(describe_scalable_targets=refusal("ValidationException", "DescribeScalableTargets")),
            "DescribeScalableTargets: ValidationException",
        ),
        (
            ecs(describe_services=ReadTimeoutError(endpoint_url="https://ecs")),
            scaling(),
            'Read timeout on endpoint URL: "https://ecs"',
        ),
    ],
)
def test_what_could_not_be_read_is_unknown(client: FakeClient, targets: FakeClient, why: str) -> None:
    """Throttled, denied or not reached: the reason names the call, and nothing half-read is taken for the facts."""
    assert read(client, targets) == Unknown(why)


def test_all_tasks_are_read_page_by_page() -> None:
    """More than 100 tasks come in several pages, and each page is described on its own."""
    pages = {
        None: {"taskArns": [task_arn(n) for n in range(100)], "nextToken": "more"},
        "more": {"taskArns": [], "nextToken": "last"},
        "last": {"taskArns": [task_arn(100)]},
    }
    client = ecs(
        list_tasks=lambda nextToken=None, **_: pages[nextToken],  # noqa: N803
        describe_tasks=lambda tasks, **_: {"tasks": [described_task() | {"taskArn": task} for task in tasks]},
    )
    assert len(facts(client).tasks) == 101
    listed = [parameters for name, parameters in client.calls if name == "list_tasks"]
    assert all(p["serviceName"] == "web" and p["desiredStatus"] == "RUNNING" for p in listed)
    described = [len(parameters["tasks"]) for name, parameters in client.calls if name == "describe_tasks"]
    assert described == [100, 1]


def test_a_task_that_ecs_is_about_to_stop_is_none() -> None:
    """Between ListTasks and DescribeTasks a task may be told to stop; a task that has not started has no age."""
    stopping = described_task(1, desiredStatus="STOPPED")
    pending = {"taskArn": task_arn(2), "lastStatus": "PENDING", "desiredStatus": "RUNNING"}
    (found,) = facts(ecs(stopping, pending)).tasks
    assert found == RunningTask(last_status="PENDING", health="UNKNOWN", started_at=None, deployment_id="")


def test_the_flags_of_scaling() -> None:
    """Each of the three flags is read as it is."""
    for name, field in (
        ("DynamicScalingInSuspended", "dynamic_in_suspended"),
        ("DynamicScalingOutSuspended", "dynamic_out_suspended"),
        ("ScheduledScalingSuspended", "scheduled_suspended"),
    ):
        found = facts(ecs(), scaling(target(SuspendedState={name: True}))).scaling
        assert found is not None
        flags = {f: getattr(found, f) for f in ("dynamic_in_suspended", "dynamic_out_suspended", "scheduled_suspended")}
        assert [f for f, suspended in flags.items() if suspended] == [field]
    assert facts(ecs(), scaling()).scaling is None


def test_scaling_is_asked_for_by_cluster_and_service() -> None:
    """The resource id of Application Auto Scaling names the cluster and the service, not their ARNs."""
    targets = scaling()
    read(ecs(), targets)
    assert targets.calls == [
        (
            "describe_scalable_targets",
            {
                "ServiceNamespace": "ecs",
                "ResourceIds": ["service/prod/web"],
                "ScalableDimension": "ecs:service:DesiredCount",
            },
        )
    ]


# -- acting -----------------------------------------------------------------------------------------------


def test_setting_the_count_tells_which_deployment_it_hit() -> None:
    """The id of the PRIMARY deployment in the answer shows whether somebody deployed meanwhile."""
    answer = {
        "service": described_service(deployments=[{"id": "a", "status": "ACTIVE"}, {"id": "b", "status": "PRIMARY"}])
    }
    client = FakeClient("ecs", update_service=answer)
    assert fleet(client).set_desired_count(SERVICE, 0) == Answer(deployment_id="b")
    assert client.calls == [("update_service", {"cluster": CLUSTER_ARN, "service": "web", "desiredCount": 0})]


@pytest.mark.parametrize("service", [described_service(deployments=[]), {"serviceName": "web"}])
def test_an_answer_without_a_deployment_names_none(service: dict[str, Any]) -> None:
    """No deployment is like another deployment: not the one that was meant."""
    client = FakeClient("ecs", update_service={"service": service})
    assert fleet(client).set_desired_count(SERVICE, 2) == Answer()


def test_suspending_names_the_flags_and_nothing_else() -> None:
    """Bounds that are not named stay as they are."""
    targets = FakeClient("application-autoscaling", register_scalable_target={})
    flags = Scaling(minimum=1, dynamic_in_suspended=True, dynamic_out_suspended=False, scheduled_suspended=True)
    assert fleet(ecs(), targets).set_suspended(SERVICE, flags) == Answer()
    ((_, parameters),) = targets.calls
    assert parameters == {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/prod/web",
        "ScalableDimension": "ecs:service:DesiredCount",
        "SuspendedState": {
            "DynamicScalingInSuspended": True,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": True,
        },
    }


def test_rolling_back_stops_the_service_deployment() -> None:
    """The one stop type that ECS takes."""
    client = FakeClient("ecs", stop_service_deployment={"serviceDeploymentArn": ROLLOUT})
    assert fleet(client).roll_back(ROLLOUT) == Answer()
    expected = {"serviceDeploymentArn": ROLLOUT, "stopType": "ROLLBACK"}
    assert client.calls == [("stop_service_deployment", expected)]


FLAGS = Scaling(minimum=1, dynamic_in_suspended=True, dynamic_out_suspended=True, scheduled_suspended=True)
CALLS: dict[str, Callable[[LiveEcs], Answer | Refusal]] = {
    "update_service": lambda fleet: fleet.set_desired_count(SERVICE, 0),
    "stop_service_deployment": lambda fleet: fleet.roll_back(ROLLOUT),
    "register_scalable_target": lambda fleet: fleet.set_suspended(SERVICE, FLAGS),
}


def acting(call: str, fault: Exception) -> Answer | Refusal:
    """What the call answers where AWS answers with a fault."""
    answers: dict[str, Any] = {call: fault}
    refusing = fleet(FakeClient("ecs", **answers), FakeClient("application-autoscaling", **answers))
    return CALLS[call](refusing)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidParameterException", "ConflictException"])
def test_a_call_that_aws_refuses_is_a_refusal(call: str, code: str) -> None:
    """It would be refused again, however often asked: the story is told why."""
    assert acting(call, refusal(code, "Call")) == Refusal(why=f"Call: {code}")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "fault",
    [
        refusal("ThrottlingException", "Call"),
        refusal("ConcurrentUpdateException", "Call"),
        refusal("ServerException", "Call"),
        refusal("SomethingNew", "Call", status=500),
        ReadTimeoutError(endpoint_url="https://ecs"),
    ],
)
def test_what_passes_by_itself_is_tried_again(call: str, fault: Exception) -> None:
    """Throttling, a fault of AWS and a lost connection are exceptions: the step is saved, and taken again later."""
    with pytest.raises(type(fault)):
        acting(call, fault)


# -- targets ----------------------------------------------------------------------------------------------

GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/1"


def with_address(number: int, address: str) -> dict[str, Any]:
    """A task with a network interface of its own."""
    interface = {
        "type": "ElasticNetworkInterface",
        "status": "ATTACHED",
        "details": [{"name": "subnetId", "value": "subnet-1"}, {"name": "privateIPv4Address", "value": address}],
    }
    return described_task(number, attachments=[interface])


def balancer(**states: str) -> FakeClient:
    """A load balancer whose targets have these states; a name `a1` stands for the address 10.0.0.1."""
    targets = [
        {"Target": {"Id": name.replace("a", "10.0.0."), "Port": 80}, "TargetHealth": {"State": state}}
        for name, state in states.items()
    ]
    return FakeClient("elbv2", describe_target_health={"TargetHealthDescriptions": targets})


def test_the_health_of_targets() -> None:
    """A task is as healthy as its target; one that is no target yet, or has no address of its own, may well serve."""
    service = described_service(loadBalancers=[{"targetGroupArn": GROUP, "containerName": "app", "containerPort": 80}])
    tasks = [with_address(1, "10.0.0.1"), with_address(2, "10.0.0.2"), with_address(3, "10.0.0.3"), described_task(4)]
    client = ecs(*tasks, service=service)
    found = fleet(client, balancer=balancer(a1="healthy", a2="unhealthy")).read(SERVICE)
    assert isinstance(found, Facts)
    assert [task.target_health for task in found.tasks] == ["healthy", "unhealthy", "", ""]


def test_one_healthy_target_of_several_is_enough() -> None:
    """A task behind two target groups serves while one of its targets is healthy."""
    other = GROUP.replace("web", "admin")
    service = described_service(loadBalancers=[{"targetGroupArn": GROUP}, {"targetGroupArn": other}])

    def health(*, TargetGroupArn: str) -> dict[str, Any]:  # noqa: N803 - the API's name
        state = "unhealthy" if TargetGroupArn == other else "healthy"
        return {"TargetHealthDescriptions": [{"Target": {"Id": "10.0.0.1"}, "TargetHealth": {"State": state}}]}

    elb = FakeClient("elbv2", describe_target_health=health)
    found = fleet(ecs(with_address(1, "10.0.0.1"), service=service), balancer=elb).read(SERVICE)
    assert isinstance(found, Facts)
    assert found.tasks[0].target_health == "healthy"


def test_targets_that_cannot_be_read() -> None:
    """A refused look at the targets makes the facts unknown: nothing is done on half of them."""
    service = described_service(loadBalancers=[{"targetGroupArn": GROUP}])
    elb = FakeClient("elbv2", describe_target_health=refusal("AccessDenied", "DescribeTargetHealth"))
    found = fleet(ecs(with_address(1, "10.0.0.1"), service=service), balancer=elb).read(SERVICE)
    assert found == Unknown(why="DescribeTargetHealth: AccessDenied")


def test_an_sdk_that_is_too_old_is_no_witness() -> None:
    """Where the SDK drops what a decision needs, everything is unknown, and what is unknown leads to no action."""
    client: Any = Session().create_client(
        "ecs", region_name="eu-west-1", aws_access_key_id="k", aws_secret_access_key="s"
    )
    assert unreadable(client) == ""
    members = client.meta.service_model.shape_for("Service").members
    old = SimpleNamespace(
        meta=SimpleNamespace(
            service_model=SimpleNamespace(
                shape_for=lambda _: SimpleNamespace(members={k: v for k, v in members.items() if k[0] != "c"})
            )
        )
    )
    why = unreadable(old)
    assert why.endswith("it does not know currentServiceDeployment")
    found = LiveEcs(ecs(described_task()), scaling(), lambda: None, blind=why).read(SERVICE)
    assert found == Unknown(why=why)
