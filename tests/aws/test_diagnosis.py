"""What is found out about a loop: read only, bounded, and never in the way of the message."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from loopbreaker.aws.diagnosis import BUDGET, Doctor, LogLines
from loopbreaker.aws.findings import Findings
from loopbreaker.aws.store import Table
from loopbreaker.model import Category, ServiceRef
from loopbreaker.remembering.record import Record
from loopbreaker.stories.notify import Library, notify
from loopbreaker.telling.diagnosis import NOTHING, Diagnosis, Difference
from loopbreaker.telling.messages import Message
from tests.aws.fake_clients import FakeClient, refusal
from tests.builders import SERVICE, T0, TASK_DEFINITION, incident, looping
from tests.schema import create_table
from tests.task_events import CLUSTER_ARN, arn

OLDER = arn("task-definition/web:6")
TASK = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(T0 + seconds, tz=UTC)


def definition(arn_: str, **container: Any) -> dict[str, Any]:
    web = {
        "name": "web",
        "image": f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:{arn_[-1]}",
        "environment": [{"name": "MODE", "value": f"planted-{arn_[-1]}"}],
        "secrets": [{"name": "KEY", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/key"}],
        "memory": 512,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "/ecs/web", "awslogs-stream-prefix": "p", "awslogs-region": "eu-west-1"},
        },
    }
    return {
        "taskDefinitionArn": arn_,
        "family": "web",
        "cpu": "256",
        "memory": "512",
        "requiresCompatibilities": ["FARGATE"],
        "registeredAt": at(-900),
        "registeredBy": "arn:aws:iam::123456789012:role/deploy",
        "containerDefinitions": [web | container],
    }


def deployment(revision: int, seconds: float, status: str = "SUCCESSFUL") -> dict[str, Any]:
    return {
        "serviceDeploymentArn": arn(f"service-deployment/prod/web/d{seconds:.0f}"),
        "targetServiceRevisionArn": arn(f"service-revision/prod/web/{revision}"),
        "status": status,
        "createdAt": at(seconds),
    }


class Account:
    """The clients of an account in which web:7 loops; each answer can be replaced."""

    def __init__(self, **changed: Any) -> None:
        ecs: dict[str, Any] = {
            "list_tasks": {"taskArns": [arn(f"task/prod/{TASK}"), arn("task/prod/older")]},
            "describe_tasks": {
                "tasks": [
                    {"taskArn": arn("task/prod/older"), "stoppedAt": at(10), "taskDefinitionArn": TASK_DEFINITION},
                    {
                        "taskArn": arn(f"task/prod/{TASK}"),
                        "stoppedAt": at(90),
                        "taskDefinitionArn": TASK_DEFINITION,
                        "launchType": "FARGATE",
                        "availabilityZone": "eu-west-1a",
                        "attachments": [{"details": [{"name": "subnetId", "value": "subnet-1"}]}],
                    },
                ]
            },
            "describe_task_definition": lambda **asked: {"taskDefinition": definition(asked["taskDefinition"])},
            "list_service_deployments": {
                "serviceDeployments": [deployment(7, -300), deployment(6, -90_000), deployment(7, -400, "STOPPED")]
            },
            "describe_service_revisions": {
                "serviceRevisions": [
                    {"serviceRevisionArn": arn("service-revision/prod/web/7"), "taskDefinition": TASK_DEFINITION},
                    {"serviceRevisionArn": arn("service-revision/prod/web/6"), "taskDefinition": OLDER},
                ]
            },
            "describe_services": {
                "services": [
                    {
                        "healthCheckGracePeriodSeconds": 60,
                        "loadBalancers": [{"targetGroupArn": "arn:tg"}],
                        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
                    }
                ]
            },
        }
        others: dict[str, Any] = {
            "logs": {
                "get_log_events": {"events": [{"message": "starting"}, {"message": "password=planted\nKeyError"}]}
            },
            "elbv2": {
                "describe_target_groups": {
                    "TargetGroups": [
                        {"HealthCheckIntervalSeconds": 30, "UnhealthyThresholdCount": 2, "HealthCheckPath": "/health"}
                    ]
                }
            },
            "ec2": {"describe_subnets": {"Subnets": [{"SubnetId": "subnet-1", "AvailableIpAddressCount": 0}]}},
        }
        for name, answer in changed.items():
            for answers in (ecs, *others.values()):
                if name in answers:
                    answers[name] = answer
        self.clients = {"ecs": FakeClient("ecs", **ecs)}
        self.clients |= {name: FakeClient(name, **answers) for name, answers in others.items()}

    def client(self, name: str) -> FakeClient:
        return self.clients[name]

    def calls(self) -> list[str]:
        return [name for client in self.clients.values() for name, _ in client.calls]


def look(account: Account, *, lines: bool = True, clock: Callable[[], float] = lambda: T0, **fields: Any) -> Diagnosis:
    return Doctor(account.client, clock, lines=lines).diagnose(SERVICE, incident(**fields))


def test_a_whole_diagnosis() -> None:
    """The failed task, its log, what changed since when and by whom, its size, what others may share."""
    found = look(Account())
    assert found.task_id == TASK
    assert (found.log_group, found.log_stream) == ("/ecs/web", f"p/web/{TASK}")
    assert found.lines == ("starting", "password=[masked]", "KeyError")
    assert found.compared_with == "web:6"
    assert found.changes == (
        Difference(
            "image of web",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:6",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:7",
        ),
        Difference("value of MODE in web", "one value", "another"),
    )
    # Two deployments of the same revision without another between: the first of them counts.
    assert found.deployed_at == T0 - 400
    assert found.deployed_by == "arn:aws:iam::123456789012:role/deploy"
    assert (found.vcpu, found.memory_mib, found.fargate) == (0.25, 512, True)
    assert found.shares[:4] == (
        "the registry 123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "the secret arn:aws:ssm:eu-west-1:123456789012:parameter/key",
        "the zone eu-west-1a",
        "the subnet subnet-1",
    )
    assert found.left_out == ()
    assert "planted" not in repr(found)


def test_it_only_reads() -> None:
    """Every call describes, lists or gets."""
    account = Account()
    for category in Category:
        look(account, category=category)
    assert all(name.startswith(("describe_", "list_", "get_")) for name in account.calls())


def test_no_log_is_read_unless_somebody_asks() -> None:
    """Logs hold secrets."""
    account = Account()
    assert look(account, lines=False).lines == ()
    assert "get_log_events" not in account.calls()
    assert [mode.wanted(tagged) for mode in LogLines for tagged in (False, True)] == [
        False,
        False,
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("category", "said"),
    [
        (Category.OUT_OF_MEMORY, "The memory limit of container web is 512 MiB."),
        (Category.ELB_HEALTH_CHECK, "A task is stopped 60 s after its start at the earliest"),
        (Category.NETWORK_ENI, "Free addresses: 0 in subnet-1."),
    ],
)
def test_the_arithmetic_beside_the_cause(category: Category, said: str) -> None:
    """Each cause that has one."""
    (sentence,) = look(Account(), category=category).sums
    assert sentence.startswith(said)


BREAKABLE = {
    "list_tasks": "the stopped task",
    "describe_tasks": "the stopped task",
    "describe_task_definition": "the task definition",
    "list_service_deployments": "what ran before",
    "describe_service_revisions": "what ran before",
    "describe_services": "the arithmetic",
    "describe_target_groups": "the arithmetic",
    "get_log_events": "the last log lines",
}


@pytest.mark.parametrize("call", BREAKABLE)
def test_a_part_that_is_refused_is_named_and_the_others_stand(call: str) -> None:
    """A missing permission costs the part that needs it, and no more."""
    broken = look(Account(**{call: refusal("AccessDeniedException", "Op")}), category=Category.ELB_HEALTH_CHECK)
    assert f"{BREAKABLE[call]}: Op: AccessDeniedException" in broken.left_out
    whole = look(Account(), category=Category.ELB_HEALTH_CHECK)
    kept = [name for name in ("task_id", "compared_with", "sums", "lines", "vcpu") if getattr(broken, name)]
    assert len(kept) >= (0 if call == "describe_task_definition" else 2)
    assert all(getattr(broken, name) == getattr(whole, name) for name in kept if name != "sums")


@pytest.mark.parametrize(
    "changed",
    [
        {"describe_tasks": {"tasks": [{}]}},
        {"list_tasks": {"taskArns": []}},
        {"describe_task_definition": {"taskDefinition": {}}},
        {"describe_task_definition": {}},
        {"list_service_deployments": {"serviceDeployments": []}},
        {"list_service_deployments": {"serviceDeployments": [{}]}},
        {"describe_service_revisions": {"serviceRevisions": [{}]}},
        {"describe_services": {"services": []}},
        {"get_log_events": {"events": [{}]}},
    ],
)
def test_an_answer_that_is_not_as_documented_stops_nothing(changed: dict[str, Any]) -> None:
    """Whatever AWS leaves out, a diagnosis comes, and the message can go."""
    assert isinstance(look(Account(**changed), category=Category.ELB_HEALTH_CHECK), Diagnosis)


def test_it_takes_no_longer_than_it_may() -> None:
    """Once the budget is spent no further part is begun, and each is named."""
    times = iter([0.0, 1.0, BUDGET + 2, BUDGET + 2, BUDGET + 2, BUDGET + 2, BUDGET + 2, BUDGET + 2])
    account = Account()
    found = look(account, clock=lambda: next(times))
    assert found.task_id == TASK
    assert [name.partition(":")[0] for name in found.left_out] == [
        "the task definition",
        "what ran before",
        "the arithmetic",
        "the last log lines",
        "what others may share",
    ]
    assert account.calls() == ["list_tasks", "describe_tasks"]


def test_log_lines_are_bounded_and_clean() -> None:
    """Twelve lines of at most 200 characters, whatever the container wrote."""
    events = [{"message": f"{n} \x1b[31m{'x' * 5000}\x00\n"} for n in range(50)]
    lines = look(Account(get_log_events={"events": events})).lines
    assert len(lines) == 12
    assert all(len(line) <= 200 and line.isprintable() for line in lines)


def test_a_container_without_awslogs_has_no_lines() -> None:
    """It is said, and no call is made."""
    bare = {"taskDefinition": definition(TASK_DEFINITION, logConfiguration={"logDriver": "splunk"})}
    account = Account(describe_task_definition=bare)
    found = look(account)
    assert found.log_group == ""
    assert found.left_out == (
        "the last log lines: the container does not write to CloudWatch Logs with a stream prefix",
    )


def test_a_container_that_wrote_nothing_is_no_riddle() -> None:
    """Its stream does not exist: said in words, not by the name of an error; another refusal is named as it is."""
    nothing = look(Account(get_log_events=refusal("ResourceNotFoundException", "GetLogEvents")))
    assert nothing.left_out == ("the last log lines: the container wrote nothing, or never started",)
    denied = look(Account(get_log_events=refusal("AccessDeniedException", "GetLogEvents")))
    assert denied.left_out == ("the last log lines: GetLogEvents: AccessDeniedException",)


def test_where_no_task_stopped_no_log_is_missed() -> None:
    """As where ECS finds no capacity: nobody is told that the container does not write its log."""
    assert look(Account(list_tasks={"taskArns": []})).left_out == (
        "the last log lines: ECS shows no task that stopped",
    )


# -- kept beside the incident -----------------------------------------------------------------------------


@pytest.fixture
def table() -> Any:
    with mock_aws():
        client = boto3.client("dynamodb")
        create_table(client, "loops")
        yield client


def test_a_diagnosis_is_kept_for_ninety_days(table: Any) -> None:
    """It is found again by its incident, and by no other."""
    findings = Findings(table, "loops", Table(table, "loops"))
    found = look(Account())
    findings.keep(SERVICE, incident(), found)
    assert findings.find(SERVICE, incident()) == found
    assert findings.find(SERVICE, incident(opened_at=T0 + 5)) == NOTHING
    (item,) = table.scan(TableName="loops")["Items"]
    assert int(item["expires_at"]["N"]) == int(T0 + 90 + 90 * 86_400)


def test_a_diagnosis_that_cannot_be_read_stops_no_message(table: Any) -> None:
    """It says so in place of what was found."""
    findings = Findings(table, "loops", Table(table, "loops"))
    table.put_item(
        TableName="loops",
        Item={"pk": {"S": SERVICE.key}, "sk": {"S": f"DIAGNOSIS#{incident().id}"}, "body": {"B": b"rubbish"}},
    )
    assert findings.find(SERVICE, incident()).left_out == ("the diagnosis could not be read: CodecError",)
    nowhere = Findings(table, "nowhere", Table(table, "nowhere"))
    assert "ResourceNotFoundException" in nowhere.find(SERVICE, incident()).left_out[0]
    assert nowhere.at_once(at=T0, window=600, most=9) == []


def test_a_message_has_what_was_found(table: Any) -> None:
    """From the loop that was found to the message about it."""
    store = Table(table, "loops")
    findings = Findings(table, "loops", store)
    findings.keep(SERVICE, incident(), look(Account()))
    sent = told_of(looping(), "looping", findings)
    assert "image of web" in sent.text
    assert "KeyError" in sent.text
    assert "planted" not in json.dumps([sent.text, sent.chat, sent.post, sent.detail])


def test_a_summary_says_what_the_services_share(table: Any) -> None:
    """Of those that began at once, their records and diagnoses are read."""
    store = Table(table, "loops")
    findings = Findings(table, "loops", store)
    for name in ("a", "b", "c"):
        service = ServiceRef(CLUSTER_ARN, name)
        store.gather(service, at=T0 + 90, window=600)
        record = looping()
        assert store.save(Record(service=service, verdict=record.verdict, incident=record.incident))
        findings.keep(service, incident(), Diagnosis(shares=("the registry docker.io",)))
    sent = told_of(looping(), "mass", findings)
    assert "3 services began to loop at once" in sent.subject
    assert "the registry docker.io (3 of 3)" in sent.text
    assert sent.detail["services"] == ["prod/a", "prod/b", "prod/c"]


def told_of(record: Record, kind: str, findings: Findings) -> Message:
    from loopbreaker.remembering.notice import NoticeKind
    from loopbreaker.remembering.owed import tell

    sent: list[Message] = []

    class Box:
        def publish(self, message: Message) -> None:
            sent.append(message)

    after = tell(record, NoticeKind(kind), at=T0 + 120, reason="why")
    notify(record, after, outlet=Box(), library=Library(shelf=findings, window=600))
    (message,) = sent
    return message
