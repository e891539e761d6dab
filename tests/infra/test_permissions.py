"""What each function may do, compared with literals: a permission that appears or goes is a change to be seen."""

from typing import Any

import pytest

from infra.botocore_data import OPERATIONS
from tests.infra.resources import as_list, functions, of_type, statements

Json = dict[str, Any]

LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
STREAM = {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"}
SEND = {"sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"}
RECEIVE = {
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
}
READ_ECS = {
    "ecs:DescribeServices",
    "ecs:ListTasks",
    "ecs:DescribeTasks",
    "ecs:DescribeServiceDeployments",
    "application-autoscaling:DescribeScalableTargets",
    "elasticloadbalancing:DescribeTargetHealth",
}
DIAGNOSE = {
    "ecs:ListServiceDeployments",
    "ecs:DescribeServiceRevisions",
    "ecs:DescribeTaskDefinition",
    "elasticloadbalancing:DescribeTargetGroups",
    "ec2:DescribeSubnets",
}
ROLL_BACK = {"ecs:StopServiceDeployment"}
ACT = {
    "ecs:UpdateService",
    "ecs:TagResource",
    "ecs:UntagResource",
    "application-autoscaling:RegisterScalableTarget",
    "cloudformation:DescribeStackResources",
}
ALERT = {
    "detect": LOGS | RECEIVE | {"dynamodb:GetItem", "dynamodb:PutItem"},
    "respond": LOGS
    | STREAM
    | SEND
    | READ_ECS
    | DIAGNOSE
    | {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query"},
    "sweep": LOGS
    | {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "tag:GetResources"}
    | {"cloudwatch:ListMetrics", "cloudwatch:GetMetricData"}
    | {"ecs:ListClusters", "ecs:ListServices", "ecs:DescribeServices"},
    "draw": LOGS | {"dynamodb:GetItem", "dynamodb:Query"},
    "notify": LOGS
    | STREAM
    | SEND
    | {"sns:Publish", "kms:Decrypt", "kms:GenerateDataKey*", "events:PutEvents"}
    | {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"},
}
EXPECTED = {
    "alert": ALERT,
    "rollback": {**ALERT, "respond": ALERT["respond"] | ROLL_BACK},
    "stop": {**ALERT, "respond": ALERT["respond"] | ROLL_BACK | ACT},
}
UNLIMITED = {
    "dynamodb:ListStreams",
    "tag:GetResources",
    "cloudwatch:ListMetrics",
    "cloudwatch:GetMetricData",
    "ecs:ListClusters",
    "ecs:ListServices",
    "ecs:ListTasks",
    "application-autoscaling:DescribeScalableTargets",
    "elasticloadbalancing:DescribeTargetHealth",
    "ecs:DescribeTaskDefinition",
    "elasticloadbalancing:DescribeTargetGroups",
    "ec2:DescribeSubnets",
    "cloudformation:DescribeStackResources",
}
"""Actions that AWS does not let anybody limit to a resource."""


def actions(template: Json, function: str) -> set[str]:
    return {action for statement in statements(template, function) for action in as_list(statement["Action"])}


@pytest.mark.parametrize("mode", ["alert", "rollback", "stop"])
@pytest.mark.parametrize("function", ["detect", "respond", "sweep", "notify", "draw"])
def test_each_function_may_do_exactly_what_is_written_here(
    templates: dict[str, Json], mode: str, function: str
) -> None:
    """No function has an action more or less than its literal, in either mode."""
    assert actions(templates[mode], function) == EXPECTED[mode][function]


def test_in_mode_alert_nothing_may_change_ecs_or_scaling(template: Json) -> None:
    """Mode `alert` is an absent permission: every action on ECS and Auto Scaling, anywhere in the template, reads."""
    policies = of_type(template, "AWS::IAM::Policy").values()
    granted = {
        action
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
    }
    ours = {action for action in granted if action.split(":")[0] in {"ecs", "application-autoscaling", "*"}}
    assert ours
    assert all(action.split(":")[1].startswith(("Describe", "List")) for action in ours)
    others = {action for action in granted if action.split(":")[0] in {"ec2", "elasticloadbalancing"}}
    assert all(action.split(":")[1].startswith("Describe") for action in others)


def test_roles_have_no_policy_but_their_own(template: Json) -> None:
    """No managed or inline policy adds to the statements that are compared with literals."""
    for role in of_type(template, "AWS::IAM::Role").values():
        assert not role.get("ManagedPolicyArns")
        assert not role.get("Policies")


def test_no_two_functions_share_a_role(template: Json) -> None:
    """What one function may do, no other can."""
    roles = [str(function["Role"]) for function in functions(template).values()]
    assert len(set(roles)) == len(roles)


def test_only_services_that_opted_in_can_be_stopped(templates: dict[str, Json]) -> None:
    """UpdateService asks for the tag `loopbreaker:action` = `stop` on the service, or for the tag of held ones."""
    updates = [s for s in statements(templates["stop"], "respond") if "ecs:UpdateService" in as_list(s["Action"])]
    assert [as_list(update["Action"]) for update in updates] == [["ecs:UpdateService"]] * 2
    assert [update["Condition"] for update in updates] == [
        {"StringEquals": {"aws:ResourceTag/loopbreaker:action": "stop"}},
        {"StringLike": {"aws:ResourceTag/loopbreaker:held": "*"}},
    ]
    assert all(str(update["Resource"]).count(":service/*") == 1 for update in updates)


def test_no_tag_but_ours_can_be_put_on_a_service_or_taken_away(templates: dict[str, Json]) -> None:
    """The tag of held services goes on services that opted in, and off those that carry it; no other tag goes."""
    (tag,) = [s for s in statements(templates["stop"], "respond") if "ecs:TagResource" in as_list(s["Action"])]
    (untag,) = [s for s in statements(templates["stop"], "respond") if "ecs:UntagResource" in as_list(s["Action"])]
    ours = {"ForAllValues:StringEquals": {"aws:TagKeys": ["loopbreaker:held"]}, "Null": {"aws:TagKeys": "false"}}
    assert tag["Condition"] == {"StringEquals": {"aws:ResourceTag/loopbreaker:action": "stop"}, **ours}
    assert untag["Condition"] == {"StringLike": {"aws:ResourceTag/loopbreaker:held": "*"}, **ours}
    assert all(str(statement["Resource"]).count(":service/*") == 1 for statement in (tag, untag))


def test_only_deployments_of_services_that_opted_in_can_be_stopped(templates: dict[str, Json]) -> None:
    """StopServiceDeployment asks for the tag on the service; a service deployment itself has no tag of the service."""
    action = "ecs:StopServiceDeployment"
    on_service, on_deployment = [s for s in statements(templates["stop"], "respond") if action in as_list(s["Action"])]
    assert on_service["Condition"] == {"StringEquals": {"aws:ResourceTag/loopbreaker:action": ["rollback", "stop"]}}
    assert str(on_service["Resource"]).count(":service/*") == 1
    assert str(on_deployment["Resource"]).count(":service-deployment/*") == 1


def test_only_the_scaling_of_ecs_services_can_be_suspended(templates: dict[str, Json]) -> None:
    """RegisterScalableTarget is limited to scalable targets in the namespace of ECS."""
    action = "application-autoscaling:RegisterScalableTarget"
    (register,) = [s for s in statements(templates["stop"], "respond") if action in as_list(s["Action"])]
    assert as_list(register["Action"]) == [action]
    assert register["Condition"] == {"StringEquals": {"application-autoscaling:service-namespace": "ecs"}}
    assert str(register["Resource"]).count(":scalable-target/*") == 1


def test_any_resource_is_named_only_where_aws_allows_nothing_else(templates: dict[str, Json]) -> None:
    """Resource "*" appears only with actions that have no resource type."""
    for function in ALERT:
        for statement in statements(templates["stop"], function):
            if "*" in as_list(statement["Resource"]):
                assert set(as_list(statement["Action"])) <= UNLIMITED


def test_what_a_function_may_do_its_clients_can(templates: dict[str, Json]) -> None:
    """Each permission that is not for Lambda itself is an operation that ships with the functions' clients."""
    clients = {"elasticloadbalancing": "elbv2", "tag": "resourcegroupstaggingapi"}
    of_lambda = LOGS | STREAM | RECEIVE | SEND | {"kms:Decrypt", "kms:GenerateDataKey*"}
    for function in EXPECTED["stop"]:
        for action in actions(templates["stop"], function) - of_lambda:
            service, _, operation = action.partition(":")
            assert operation in OPERATIONS[clients.get(service, service)], action
