"""What `respond` may ask of ECS and Application Auto Scaling, and what it may do where the stack may act.

AWS docs: Service Authorization Reference, "Amazon Elastic Container Service", "AWS Application Auto Scaling".
"""

from aws_cdk import ArnFormat, Stack

from .functions import Worker

OPT_IN_TAG = "loopbreaker:action"
HELD_TAG = "loopbreaker:held"
HERE = "<AWS::Region>:<AWS::AccountId>"
ANY_SERVICE = f"arn:<AWS::Partition>:ecs:{HERE}:service/*"
ANY_DEPLOYMENT = f"arn:<AWS::Partition>:ecs:{HERE}:service-deployment/*"
ANY_REVISION = f"arn:<AWS::Partition>:ecs:{HERE}:service-revision/*"
ANY_STREAM = f"arn:<AWS::Partition>:logs:{HERE}:log-group:*:log-stream:*"
ANY_TASK = f"arn:<AWS::Partition>:ecs:{HERE}:task/*"
ANY_TARGET = f"arn:<AWS::Partition>:application-autoscaling:{HERE}:scalable-target/*"


def read_ecs(worker: Worker) -> None:
    """The facts about a service, its tasks, their targets and its scaling."""
    stack = Stack.of(worker)
    services = stack.format_arn(service="ecs", resource="service", resource_name="*")
    tasks = stack.format_arn(service="ecs", resource="task", resource_name="*")
    worker.accept(f"Resource::{ANY_SERVICE}", reason="Any service of the account may loop.")
    worker.accept(f"Resource::{ANY_TASK}", reason="Any service of the account may loop; this reads its tasks.")
    worker.allow("ecs:DescribeServices", on=[services])
    worker.accept(f"Resource::{ANY_DEPLOYMENT}", reason="Any service of the account may loop; this reads its roll-out.")
    worker.allow("ecs:DescribeServiceDeployments", on=[services, _deployments(stack)])
    worker.allow("ecs:DescribeTasks", on=[tasks])
    # These three cannot be limited to resources.
    worker.allow(
        "ecs:ListTasks",
        "application-autoscaling:DescribeScalableTargets",
        "elasticloadbalancing:DescribeTargetHealth",
        on=["*"],
    )


def read_untold(worker: Worker) -> None:
    """What no event tells of: everybody's tags, restarts inside tasks, and services that run nothing."""
    stack = Stack.of(worker)
    services = stack.format_arn(service="ecs", resource="service", resource_name="*")
    worker.accept("Resource::*", reason="None of these can be limited to a resource; they only read.")
    worker.allow("tag:GetResources", on=["*"])
    worker.allow("cloudwatch:ListMetrics", "cloudwatch:GetMetricData", "ecs:ListClusters", "ecs:ListServices", on=["*"])
    worker.accept(f"Resource::{ANY_SERVICE}", reason="Any service of the account may run nothing.")
    worker.allow("ecs:DescribeServices", on=[services])


def diagnose(worker: Worker, *, log_lines: bool) -> None:
    """What a diagnosis reads when a loop is found; log lines only where the configuration asks for them."""
    stack = Stack.of(worker)
    services = stack.format_arn(service="ecs", resource="service", resource_name="*")
    revisions = stack.format_arn(service="ecs", resource="service-revision", resource_name="*")
    worker.accept(f"Resource::{ANY_REVISION}", reason="Any service of the account may loop; this reads its revisions.")
    worker.allow("ecs:ListServiceDeployments", on=[services])
    worker.allow("ecs:DescribeServiceRevisions", on=[services, revisions])
    # These three cannot be limited to resources.
    worker.allow(
        "ecs:DescribeTaskDefinition", "elasticloadbalancing:DescribeTargetGroups", "ec2:DescribeSubnets", on=["*"]
    )
    if log_lines:
        streams = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name="*:log-stream:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        worker.accept(f"Resource::{ANY_STREAM}", reason="Any service may loop; asked for in the configuration.")
        worker.allow("logs:GetLogEvents", on=[streams])


def roll_back_deployments(worker: Worker) -> None:
    """Stopping the service deployment in progress of services that carry the opt-in tag, which rolls it back.

    A service deployment has tags of its own, not its service's, so on it no tag can be asked for.
    """
    stack = Stack.of(worker)
    services = stack.format_arn(service="ecs", resource="service", resource_name="*")
    opted_in = {"StringEquals": {f"aws:ResourceTag/{OPT_IN_TAG}": ["rollback", "stop"]}}
    worker.allow("ecs:StopServiceDeployment", on=[services], when=opted_in)
    worker.allow("ecs:StopServiceDeployment", on=[_deployments(stack)])


def stop_services(worker: Worker) -> None:
    """Setting the desired count of services that carry the opt-in tag, and suspending the scaling of ECS services.

    A service that is held carries a tag of ours: that alone may be put on services that opted in, and taken from
    those that carry it, and what carries it may be brought back even where the opt-in tag is gone.
    A scalable target has tags of its own, not its service's, so there the namespace is all that can be asked for.
    """
    stack = Stack.of(worker)
    services = stack.format_arn(service="ecs", resource="service", resource_name="*")
    targets = stack.format_arn(service="application-autoscaling", resource="scalable-target", resource_name="*")
    opted_in = {"StringEquals": {f"aws:ResourceTag/{OPT_IN_TAG}": "stop"}}
    of_ecs = {"StringEquals": {"application-autoscaling:service-namespace": "ecs"}}
    worker.accept(f"Resource::{ANY_TARGET}", reason="A scalable target's ARN does not say whose it is.")
    held = {"StringLike": {f"aws:ResourceTag/{HELD_TAG}": "*"}}
    no_other_tag = {"ForAllValues:StringEquals": {"aws:TagKeys": [HELD_TAG]}, "Null": {"aws:TagKeys": "false"}}
    worker.allow("ecs:UpdateService", on=[services], when=opted_in)
    worker.allow("ecs:UpdateService", on=[services], when=held)
    worker.allow("ecs:TagResource", on=[services], when={**opted_in, **no_other_tag})
    worker.allow("ecs:UntagResource", on=[services], when={**held, **no_other_tag})
    worker.allow("application-autoscaling:RegisterScalableTarget", on=[targets], when=of_ecs)
    # Which stack a service belongs to is asked by the service, before any stack is known.
    worker.accept("Resource::*", reason="Whose a service is cannot be asked of one stack; this only reads.")
    worker.allow("cloudformation:DescribeStackResources", on=["*"])


def _deployments(stack: Stack) -> str:
    return stack.format_arn(service="ecs", resource="service-deployment", resource_name="*")
