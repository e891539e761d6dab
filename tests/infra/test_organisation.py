"""The hub of an organisation and its spokes, compared with literals: who may send, who may read, what is watched."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.asset import LAMBDAS  # first: infra chooses the Node that aws_cdk starts
from infra.config import ConfigError, StackConfig
from infra.organisation import HubStack
from infra.stack import Loopbreaker, LoopbreakerStack
from loopbreaker.policy import Mode
from release import organisation
from tests.infra.conftest import FLAGS
from tests.infra.resources import as_list, of_type, statements, watched_by
from tests.infra.test_app import run_app

# isort: split
import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from cdk_nag import AwsSolutionsChecks

Json = dict[str, Any]

ORGANISATION = "o-a1b2c3d4e5"
BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/loopbreaker-hub"
ROOT_OF_ACCOUNT = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::", {"Ref": "AWS::AccountId"}, ":root"]]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    """The hub, a spoke, and a spoke in a stack of somebody else; cdk-nag looks at all."""
    folder = tmp_path_factory.mktemp("organisation")
    app = cdk.App(context=FLAGS, outdir=str(folder), analytics_reporting=False)
    hub = StackConfig(mail=("ops@example.com",), organisation=ORGANISATION)
    HubStack(app, "LoopbreakerHub", config=hub, package=LAMBDAS)
    spoke = StackConfig(action=Mode.STOP, hub=BUS)
    LoopbreakerStack(app, "Spoke", config=spoke, package=LAMBDAS)
    LoopbreakerStack(app, "Alone", config=StackConfig(action=Mode.STOP), package=LAMBDAS)
    theirs = cdk.Stack(app, "Theirs")
    Loopbreaker(theirs, "My-Loops", config=spoke, code=lambda_.Code.from_asset(str(LAMBDAS)))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
    return {
        name: json.loads((folder / f"{name}.template.json").read_text())
        for name in ("LoopbreakerHub", "Spoke", "Alone", "Theirs")
    }


@pytest.fixture(scope="module")
def hub(made: dict[str, Json]) -> Json:
    return made["LoopbreakerHub"]


def test_only_accounts_of_the_organisation_may_send(hub: Json) -> None:
    """Any of them, nothing but events, to this bus alone."""
    ((_, policy),) = of_type(hub, "AWS::Events::EventBusPolicy").items()
    (bus,) = of_type(hub, "AWS::Events::EventBus")
    assert policy == {
        "EventBusName": {"Ref": bus},
        "StatementId": "Organisation",
        "Statement": {
            "Sid": "Organisation",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "events:PutEvents",
            "Resource": {"Fn::GetAtt": [bus, "Arn"]},
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": ORGANISATION}},
        },
    }


def test_nobody_else_is_let_in_anywhere(made: dict[str, Json]) -> None:
    """An allowance for everybody has the condition of the organisation; all others name an account or a service."""
    for template in (*made.values(), organisation.template()):
        for statement in allowances(template):
            who = statement.get("Principal")
            if who in ("*", {"AWS": "*"}):
                condition = statement["Condition"]["StringEquals"]["aws:PrincipalOrgID"]
                assert condition in (ORGANISATION, {"Ref": "Organisation"})


def allowances(value: Any) -> Iterator[Json]:
    """Every statement of a policy that allows something."""
    match value:
        case {"Effect": "Allow"}:
            yield value
        case dict():
            for part in value.values():
                yield from allowances(part)
        case list():
            for part in value:
                yield from allowances(part)


def test_the_key_of_the_topic_serves_its_publishers_alone(hub: Json) -> None:
    """The account itself and its alarms; gather by its role."""
    ((key, properties),) = of_type(hub, "AWS::KMS::Key").items()
    own, alarms = properties["KeyPolicy"]["Statement"]
    assert (own["Action"], own["Principal"], own.get("Condition")) == ("kms:*", {"AWS": ROOT_OF_ACCOUNT}, None)
    assert alarms == {
        "Sid": "Alarms",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    (granted,) = [s for s in statements(hub, "gather") if "kms:Decrypt" in as_list(s["Action"])]
    assert granted["Resource"] == {"Fn::GetAtt": [key, "Arn"]}


def test_the_hub_may_do_nothing_in_any_account(hub: Json) -> None:
    """Its function reads its queue, writes its table, publishes to its topic; it never hears of ECS."""
    allowed = {action for statement in statements(hub, "gather") for action in as_list(statement["Action"])}
    assert allowed == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "sns:Publish",
        "kms:Decrypt",
        "kms:GenerateDataKey*",
    }
    assert all(statement["Resource"] != "*" for statement in statements(hub, "gather"))


def test_two_functions_at_once_tell(hub: Json) -> None:
    """Each makes pauses, so that together they stay below what SNS takes for one mail address."""
    (mapping,) = of_type(hub, "AWS::Lambda::EventSourceMapping").values()
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_every_queue_in_which_news_may_end_is_watched(made: dict[str, Json]) -> None:
    """Of the hub and of a spoke: what is not told rings."""
    watched = {id_ for template in made.values() for _, id_ in watched_by(template)}
    for template in (made["LoopbreakerHub"], made["Spoke"]):
        ends = [id_ for id_, queue in of_type(template, "AWS::SQS::Queue").items() if "RedrivePolicy" not in queue]
        assert set(ends) <= watched


def test_a_spoke_forwards_its_own_changes_and_alarms(made: dict[str, Json]) -> None:
    """By a role that may do this alone; what the hub does not take ends in a queue; nothing of others is passed on."""
    spoke = made["Spoke"]
    rules = {k: v for k, v in of_type(spoke, "AWS::Events::Rule").items() if k.startswith("Forwarding")}
    assert len(rules) == 2
    (queue,) = [id_ for id_ in of_type(spoke, "AWS::SQS::Queue") if "Unforwarded" in id_]
    (role,) = [id_ for id_ in of_type(spoke, "AWS::IAM::Role") if id_.startswith("ForwardingRole")]
    for rule in rules.values():
        assert rule["EventPattern"]["account"] == [{"Ref": "AWS::AccountId"}]
        (target,) = rule["Targets"]
        assert target["Arn"] == BUS
        assert target["RoleArn"] == {"Fn::GetAtt": [role, "Arn"]}
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [queue, "Arn"]}}
    (policy,) = [v for k, v in of_type(spoke, "AWS::IAM::Policy").items() if k.startswith("ForwardingRole")]
    assert policy["PolicyDocument"]["Statement"] == [{"Action": "events:PutEvents", "Effect": "Allow", "Resource": BUS}]


@pytest.mark.parametrize(
    ("stack", "prefix"), [("Spoke", "-Alarms"), ("Theirs", "-MyLoopsAlarms")], ids=["app", "construct"]
)
def test_a_spoke_forwards_the_alarms_of_the_installation_alone(made: dict[str, Json], stack: str, prefix: str) -> None:
    """A stack of somebody else has alarms of its own; those of ours have names that begin so."""
    rules = of_type(made[stack], "AWS::Events::Rule").values()
    patterns = [rule.get("EventPattern", {}) for rule in rules]
    (pattern,) = [one for one in patterns if one.get("source") == ["aws.cloudwatch"]]
    assert pattern["detail"] == {"state": {"value": ["ALARM"]}}
    (resource,) = pattern["resources"]
    assert resource["prefix"]["Fn::Join"][1][-2:] == [{"Ref": "AWS::StackName"}, prefix]
    alarms = of_type(made[stack], "AWS::CloudWatch::Alarm")
    assert all(id_.startswith(prefix.removeprefix("-")) for id_ in alarms)


def test_a_hub_takes_nothing_from_a_spoke(made: dict[str, Json]) -> None:
    """Everything is there as without a hub, so that with the hub away an account protects itself all the same."""
    alone, spoke = kinds(made["Alone"]), kinds(made["Spoke"])
    assert not alone - spoke
    assert spoke - alone == {
        "AWS::Events::Rule": 2,
        "AWS::SQS::Queue": 1,
        "AWS::SQS::QueuePolicy": 1,
        "AWS::IAM::Role": 1,
        "AWS::IAM::Policy": 1,
        "AWS::CloudWatch::Alarm": 3,
    }


def kinds(template: Json) -> Counter[str]:
    return Counter(resource["Type"] for resource in template["Resources"].values())


def test_the_template_of_an_organisation_is_whole() -> None:
    """The hub and the StackSet of its spokes, with the parameters that the spokes' template takes."""
    made = organisation.template()
    (spokes,) = of_type(made, "AWS::CloudFormation::StackSet").values()
    assert spokes["PermissionModel"] == "SERVICE_MANAGED"
    assert spokes["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    assert spokes["Capabilities"] == ["CAPABILITY_IAM"]
    (bus,) = of_type(made, "AWS::Events::EventBus")
    given = {item["ParameterKey"]: item["ParameterValue"] for item in spokes["Parameters"]}
    assert given["Hub"] == {"Fn::GetAtt": [bus, "Arn"]}
    assert given.keys() == {"Hub", "CodeBucket", "CodeKey", "BucketPerRegion"}
    ids = [*made["Parameters"], *made["Resources"]]
    assert len(ids) == len(set(ids))
    text = json.dumps(made)
    assert all(f'{{"Ref": "{name}"}}' in text or f"${{{name}}}" in text for name in made["Parameters"])
    assert "cdk" not in text.lower()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"organisation": "acme"}, "organisation=acme: is not the id of an organisation, such as o-a1b2c3d4e5"),
        ({"hub": "loopbreaker-hub"}, "hub=loopbreaker-hub: is not the ARN of an event bus: see the output HubBusArn"),
        (
            {"organisation": ORGANISATION, "hub": BUS, "action": "stop"},
            "organisation makes a hub, which acts on nothing: leave out action, hub, or organisation",
        ),
    ],
)
def test_a_wrong_organisation_is_said(given: Json, says: str) -> None:
    """With what is meant, and where to find it."""
    with pytest.raises(ConfigError) as error:
        StackConfig.from_context(given)
    assert says in str(error.value)


def test_the_app_makes_the_hub_where_it_is_asked_to(tmp_path: Path) -> None:
    """By `-c organisation=`, and nothing beside it."""
    done = run_app(tmp_path, organisation=ORGANISATION, mail="ops@example.com")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.glob("*.template.json")] == ["LoopbreakerHub.template.json"]
