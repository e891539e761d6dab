"""`loopctl doctor` and `loopctl opt-in`: what is wrong with an installation, and how a service opts in."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from loopbreaker import VERSION
from loopbreaker.policy import Mode
from loopctl import doctor
from loopctl.cli import app
from loopctl.commands import doctor as command
from loopctl.doctor import Finding, Health, never
from loopctl.installation import Stack
from tests.aws.fake_clients import FakeClient
from tests.infra.test_permissions import ACT, DIAGNOSE, READ_ECS, ROLL_BACK
from tests.loopctl.json_schemas import check

NOW = datetime(2026, 11, 21, tzinfo=UTC)
URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/"
STACK = Stack(
    name="Loopbreaker",
    outputs={"TableName": "t", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:loops", "Mode": "stop"}
    | {"Version": VERSION, "EventQueueUrl": f"{URL}events"},
    resources={
        "AWS::Events::Rule": {"EventsTaskStops1": "stops", "ClockEachMinute2": "minute"},
        "AWS::SQS::Queue": {"EventsQueue1": f"{URL}events", "EventsPoison2": f"{URL}poison"},
        "AWS::CloudWatch::Alarm": {"AlarmsPoison1": "poison"},
    },
)


def bad(findings: Any) -> list[str]:
    return [finding.what for finding in findings if finding.health is Health.BAD]


def notes(findings: Any) -> list[str]:
    return [finding.what for finding in findings if finding.health is Health.NOTE]


def test_another_version_is_noted() -> None:
    """The stack's beside the command's."""
    old = Stack("Loopbreaker", STACK.outputs | {"Version": "0.0.9"})
    assert list(doctor.version(STACK)) == [Finding(Health.OK, f"stack Loopbreaker: version {VERSION}, mode stop")]
    assert "version 0.0.9" in notes(doctor.version(old))[0]


@pytest.mark.parametrize(("state", "wrong"), [("ENABLED", 0), ("DISABLED", 2)])
def test_a_disabled_rule_is_wrong(state: str, wrong: int) -> None:
    """Without it no loop is ever found."""
    events = FakeClient("events", describe_rule={"State": state})
    assert len(bad(doctor.rules(STACK, events))) == wrong


def test_the_last_event_is_told_and_its_absence_noted() -> None:
    """By the metric of the rules; the clock's ticks are none of ECS's events."""
    asked: list[str] = []

    def metric(**given: Any) -> dict[str, Any]:
        asked.append(given["Dimensions"][0]["Value"])
        return {"Label": "MatchedEvents", "Datapoints": points}

    cloudwatch = FakeClient("cloudwatch", get_metric_statistics=metric)
    points: list[dict[str, Any]] = []
    assert len(notes(doctor.last_event(STACK, cloudwatch, now=NOW))) == 1
    points += [{"Timestamp": NOW, "Sum": 2.0}, {"Timestamp": datetime(2026, 11, 20, tzinfo=UTC), "Sum": 1.0}]
    (found,) = doctor.last_event(STACK, cloudwatch, now=NOW)
    assert "2026-11-21 00:00 UTC" in found.what
    assert set(asked) == {"stops"}


@pytest.mark.parametrize(("held", "wrong", "noted"), [({"poison": 3}, 1, 0), ({"events": 3}, 0, 1), ({}, 0, 0)])
def test_a_failure_queue_is_empty(held: dict[str, int], wrong: int, noted: int) -> None:
    """The event queue may hold what is about to be worked off."""

    def attributes(*, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803
        return {"Attributes": {AttributeNames[0]: str(held.get(QueueUrl.removeprefix(URL), 0))}}

    found = list(doctor.queues(STACK, FakeClient("sqs", get_queue_attributes=attributes)))
    assert (len(bad(found)), len(notes(found))) == (wrong, noted)


def test_who_is_told_has_confirmed() -> None:
    """A pending mail address hears nothing; a topic without anybody is noted."""

    def sns(*subscriptions: dict[str, str]) -> FakeClient:
        return FakeClient("sns", list_subscriptions_by_topic={"Subscriptions": [*subscriptions]})

    mail = {"Protocol": "email", "Endpoint": "ops@example.com"}
    confirmed = mail | {"SubscriptionArn": "arn:aws:sns:eu-west-1:123456789012:loops:1"}
    assert bad(doctor.subscriptions(STACK, sns(confirmed))) == []
    assert bad(doctor.subscriptions(STACK, sns(mail | {"SubscriptionArn": "PendingConfirmation"})))[0].startswith(
        "email ops@example.com: pending"
    )
    assert len(notes(doctor.subscriptions(STACK, sns()))) == 1


def test_who_left_is_missed() -> None:
    """SNS lets everybody leave by a link, and the deployed configuration knows nothing of it."""
    outputs = STACK.outputs | {"Recipients": "mail ops@example.com, https https://example.com/x, Slack C0123456789"}
    there = {"Protocol": "https", "Endpoint": "https://example.com/x", "SubscriptionArn": "arn:aws:sns:x"}
    sns = FakeClient("sns", list_subscriptions_by_topic={"Subscriptions": [there]})
    (missing,) = bad(doctor.subscriptions(replace(STACK, outputs=outputs), sns))
    assert missing.startswith("mail ops@example.com: was deployed as a recipient and is not subscribed any more")
    assert "--protocol email --notification-endpoint ops@example.com" in missing


def test_a_ringing_alarm_is_wrong() -> None:
    """With its description, which says what to do."""
    ringing = {"AlarmName": "poison", "StateValue": "ALARM", "AlarmDescription": "Look at detect."}
    cloudwatch = FakeClient("cloudwatch", describe_alarms={"MetricAlarms": [ringing]})
    assert bad(doctor.alarms(STACK, cloudwatch)) == ["alarm poison: Look at detect."]


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("refused", ["", "ecs:DescribeTasks", "ecs:UpdateService"])
def test_what_a_policy_above_the_stack_forbids_is_wrong(mode: Mode, refused: str) -> None:
    """Without facts nothing is done, and without leave to act nobody is helped: known before the night comes.

    What a mode never does is not missed in it.
    """
    stack = replace(
        STACK,
        where="arn:aws:ecs:eu-west-1:123456789012",
        outputs=STACK.outputs | {"Mode": mode.value},
        resources={"AWS::Lambda::Function": {"RespondFunction1": "respond-1"}},
    )
    role = "arn:aws:iam::123456789012:role/respond"
    looked_at: set[str] = set()

    def simulate(**given: Any) -> dict[str, Any]:
        assert given["PolicySourceArn"] == role
        looked_at.update(given["ActionNames"])
        (resource,) = given["ResourceArns"]
        decisions = {name: "explicitDeny" if name == refused else "allowed" for name in given["ActionNames"]}
        return {
            "EvaluationResults": [
                {"EvalActionName": name, "EvalDecision": decision, "EvalResourceName": resource}
                for name, decision in decisions.items()
            ]
        }

    functions = FakeClient("lambda", get_function_configuration={"Role": role})
    found = list(doctor.permissions(stack, functions, FakeClient("iam", simulate_principal_policy=simulate)))
    (finding,) = found
    missed = refused == "ecs:DescribeTasks" or (refused == "ecs:UpdateService" and mode is Mode.STOP)
    assert (finding.health is Health.BAD) is missed
    assert not missed or f"{refused} (explicitDeny)" in finding.what
    of_ecs = READ_ECS | DIAGNOSE | {Mode.ALERT: set(), Mode.ROLLBACK: ROLL_BACK, Mode.STOP: ROLL_BACK | ACT}[mode]
    assert looked_at == of_ecs, "all that the template lets respond do to ECS, and nothing else"


@pytest.mark.parametrize(
    ("service", "asked", "mode", "told"),
    [
        ({"schedulingStrategy": "DAEMON", "loadBalancers": [{}]}, Mode.STOP, Mode.STOP, "DAEMON"),
        ({"deploymentController": {"type": "CODE_DEPLOY"}}, Mode.ROLLBACK, Mode.STOP, "CODE_DEPLOY"),
        ({"resourceManagementType": "ECS"}, Mode.ROLLBACK, Mode.STOP, "Express"),
        ({"loadBalancers": [{}]}, Mode.STOP, Mode.ROLLBACK, "the stack does at most rollback"),
        ({}, Mode.STOP, Mode.STOP, "counts as serving"),
    ],
)
def test_who_opted_in_in_vain_is_told_why(service: dict[str, Any], asked: Mode, mode: Mode, told: str) -> None:
    """Before the night comes on which it would have mattered."""
    (why,) = never(service, asked, mode)
    assert told in why


def test_nothing_speaks_against_an_ordinary_service() -> None:
    """With a load balancer, controlled by ECS, in a stack that may."""
    assert list(never({"loadBalancers": [{"targetGroupArn": "x"}]}, Mode.STOP, Mode.STOP)) == []


@pytest.mark.parametrize(("health", "status"), [("ok", 0), ("note", 0), ("bad", 1)])
def test_what_is_wrong_ends_in_1(health: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A note is no fault; programs read one object a finding."""
    monkeypatch.setattr(command, "account", lambda **_: nullcontext(SimpleNamespace(session=None)))
    monkeypatch.setattr(command, "_findings", lambda _session, _name: iter([("ok", "3 rules"), (health, "a queue")]))
    plain = CliRunner().invoke(app, ["doctor"])
    assert (plain.exit_code, plain.stdout.splitlines()[0]) == (status, "ok    3 rules")
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == status
    assert [found["health"] for found in check("doctor", result.stdout)] == ["ok", health]


@pytest.fixture
def ecs() -> Any:
    with mock_aws():
        client = boto3.client("ecs", region_name="eu-west-1")
        client.create_cluster(clusterName="prod")
        container: Any = {"name": "web", "image": "web", "memory": 128}
        client.register_task_definition(family="web", containerDefinitions=[container])
        tags = [{"key": "loopbreaker:action", "value": "stopp"}]
        client.create_service(cluster="prod", serviceName="web", taskDefinition="web", desiredCount=1, tags=tags)
        yield client


def test_a_tag_that_is_not_understood_is_found_before_it_matters(ecs: Any) -> None:
    """Of every service of the Region."""
    (problem,) = bad(doctor.services(STACK, ecs))
    assert problem.startswith("prod/web: tag loopbreaker:action is ")
    assert problem.endswith("has to be one of alert, rollback, stop, ignore")


def test_what_holds_of_many_services_is_said_once(ecs: Any) -> None:
    """A dozen of which nobody knows whether they serve are one line, with the first names and how many more."""
    for number in range(12):
        tags: Any = [{"key": "loopbreaker:action", "value": "stop"}]
        ecs.create_service(cluster="prod", serviceName=f"s{number:02}", taskDefinition="web", desiredCount=1, tags=tags)
    said = [note for note in notes(doctor.services(STACK, ecs)) if "counts as serving" in note]
    assert len(said) == 1
    assert said[0].startswith("prod/s00, prod/s01, ")
    assert " and 2 more: no load balancer" in said[0]


def test_opting_in_is_printed_for_every_tool(ecs: Any) -> None:
    """With the ARN of the service, and nothing is changed."""
    result = CliRunner().invoke(app, ["opt-in", "prod/web", "stop", "--recovery", "probe", "--region", "eu-west-1"])
    assert result.exit_code == 0
    arn = ecs.describe_services(cluster="prod", services=["web"])["services"][0]["serviceArn"]
    tags = "key=loopbreaker:action,value=stop key=loopbreaker:recovery,value=probe"
    assert f"aws ecs tag-resource --resource-arn {arn} --tags {tags} --region eu-west-1\n" in result.stdout
    assert '"loopbreaker:action" = "stop"' in result.stdout
    assert 'cdk.Tags.of(service).add("loopbreaker:recovery", "probe")' in result.stdout
    assert "counts as serving" in result.stderr
    assert ecs.list_tags_for_resource(resourceArn=arn)["tags"][0]["value"] == "stopp"


def test_opting_in_may_be_done_at_once(ecs: Any) -> None:
    """With --apply; an unknown service is refused."""
    region = ["--region", "eu-west-1"]
    assert CliRunner().invoke(app, ["opt-in", "prod/web", "rollback", "--apply", *region]).exit_code == 0
    arn = ecs.describe_services(cluster="prod", services=["web"])["services"][0]["serviceArn"]
    tags = ecs.list_tags_for_resource(resourceArn=arn)["tags"]
    assert {tag["key"]: tag["value"] for tag in tags} == {"loopbreaker:action": "rollback"}
    missing = CliRunner().invoke(app, ["opt-in", "prod/none", "stop", *region])
    assert (missing.exit_code, "there is no such service" in missing.stderr) == (1, True)
