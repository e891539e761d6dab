"""Does an installation work? Each check is one finding; reads only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from loopbreaker import VERSION
from loopbreaker.policy import Mode
from loopbreaker.telling.plain import count, listed
from loopbreaker.treating.owner import PREFIX, wishes
from loopctl.installation import Stack

_SERVICES = 10
# Services of which the same is said, by name; the others are counted.
_MOST_NAMED = 10
_WEEK = timedelta(days=7)


_PROTOCOLS = {"mail": "email", "https": "https"}


def recipients(output: str) -> tuple[str, ...]:
    """Who is told, of the stack's output `Recipients`; without those that were left empty."""
    return tuple(one for one in output.split(", ") if " " in one.strip())


class Health(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do where it is not well."""

    health: Health
    what: str


def version(stack: Stack) -> Iterator[Finding]:
    """The stack's version and mode, against this command's."""
    deployed, mode = stack.outputs.get("Version", "unknown"), stack.outputs.get("Mode", "unknown")
    if deployed == VERSION:
        yield Finding(Health.OK, f"stack {stack.name}: version {deployed}, mode {mode}")
    else:
        yield Finding(Health.NOTE, f"stack {stack.name}: version {deployed}, mode {mode}; this loopctl is {VERSION}")


def rules(stack: Stack, events: Any) -> Iterator[Finding]:
    """Every rule is enabled."""
    for name in sorted(stack.of("AWS::Events::Rule").values()):
        if events.describe_rule(Name=name)["State"] != "ENABLED":
            yield Finding(Health.BAD, f"rule {name} is disabled: enable it, or deploy the stack again")
    yield Finding(Health.OK, f"{count(len(stack.of('AWS::Events::Rule')), 'rule')} looked at")


def last_event(stack: Stack, cloudwatch: Any, *, now: datetime) -> Iterator[Finding]:
    """When a rule matched an event of ECS the last time."""
    newest: datetime | None = None
    for id_, name in stack.of("AWS::Events::Rule").items():
        if "Clock" in id_ or "Drill" in id_:
            continue
        answer = cloudwatch.get_metric_statistics(
            Namespace="AWS/Events",
            MetricName="MatchedEvents",
            Dimensions=[{"Name": "RuleName", "Value": name}],
            StartTime=now - _WEEK,
            EndTime=now,
            Period=3600,
            Statistics=["Sum"],
        )
        times = [point["Timestamp"] for point in answer["Datapoints"] if point["Sum"]]
        newest = max([*times, *([newest] if newest else [])], default=None)
    if newest is None:
        yield Finding(Health.NOTE, "no event of ECS within 7 days: no task failed, or nothing runs here")
    else:
        yield Finding(
            Health.OK, f"last event of ECS: within the hour after {newest.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        )


def queues(stack: Stack, sqs: Any) -> Iterator[Finding]:
    """Failure queues are empty. The queue of events is worked off, so that may hold some."""
    clean = True
    for id_, url in sorted(stack.of("AWS::SQS::Queue").items()):
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        held = int(answer["Attributes"]["ApproximateNumberOfMessages"])
        if held and url != stack.outputs.get("EventQueueUrl"):
            clean = False
            yield Finding(Health.BAD, f"queue {id_} holds {count(held, 'message')}: see docs/operations.md, alarms")
        elif held:
            yield Finding(Health.NOTE, f"{count(held, 'event')} wait in the event queue")
    if clean:
        yield Finding(Health.OK, "no failure queue holds anything")


def subscriptions(stack: Stack, sns: Any) -> Iterator[Finding]:
    """Somebody is told, and has confirmed."""
    found = [
        subscription
        for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=stack.outputs["TopicArn"])
        for subscription in page["Subscriptions"]
    ]
    for subscription in found:
        told = f"{subscription['Protocol']} {subscription['Endpoint']}"
        if subscription["SubscriptionArn"].startswith("arn:"):
            yield Finding(Health.OK, f"{told}: confirmed")
        else:
            yield Finding(Health.BAD, f"{told}: pending; follow the link in the mail that SNS sent, or subscribe again")
    there = {subscription["Endpoint"] for subscription in found}
    for recipient in recipients(stack.outputs.get("Recipients", "")):
        kind, _, endpoint = recipient.partition(" ")
        if kind in _PROTOCOLS and endpoint not in there:
            subscribe = f"aws sns subscribe --topic-arn {stack.outputs['TopicArn']} --protocol {_PROTOCOLS[kind]}"
            yield Finding(
                Health.BAD,
                f"{recipient}: was deployed as a recipient and is not subscribed any more, perhaps by the link at the "
                f"end of a mail: {subscribe} --notification-endpoint {endpoint}",
            )
    if not found:
        yield Finding(
            Health.NOTE, "nobody is subscribed to the topic: add a mail address, or see that a channel is told"
        )


def alarms(stack: Stack, cloudwatch: Any) -> Iterator[Finding]:
    """None is in alarm."""
    names = sorted(stack.of("AWS::CloudWatch::Alarm").values())
    ringing = [
        alarm
        for start in range(0, len(names), 100)
        for alarm in cloudwatch.describe_alarms(AlarmNames=names[start : start + 100])["MetricAlarms"]
        if alarm["StateValue"] == "ALARM"
    ]
    for alarm in ringing:
        yield Finding(Health.BAD, f"alarm {alarm['AlarmName']}: {alarm.get('AlarmDescription', '')}")
    if not ringing:
        yield Finding(Health.OK, f"none of {count(len(names), 'alarm')} is ringing")


def permissions(stack: Stack, functions: Any, iam: Any) -> Iterator[Finding]:
    """What `respond` reads of ECS it may read, and in the mode of the stack do to a service that opted in.

    A boundary or the organisation may forbid what the stack's own policy allows.
    """
    mode = stack.outputs.get("Mode", "")
    role = functions.get_function_configuration(FunctionName=stack.function("respond"))["Role"]
    refused = [
        f"{result['EvalActionName']} ({result['EvalDecision']})"
        for wanted in asked_of(stack.where, mode)
        for result in iam.simulate_principal_policy(
            PolicySourceArn=role,
            ActionNames=list(wanted.actions),
            ResourceArns=[wanted.on],
            ContextEntries=[
                {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": kind}
                for key, value, kind in wanted.context
            ],
        )["EvaluationResults"]
        if result["EvalDecision"] != "allowed"
    ]
    for action in refused:
        yield Finding(Health.BAD, f"respond may not {action}: see the role's boundary and the organisation's policies")
    if not refused:
        yield Finding(Health.OK, f"respond may do what mode {mode or 'unknown'} needs of ECS")


@dataclass(frozen=True, slots=True)
class Asked:
    """Actions on one resource, as they are asked for: `context` has keys of conditions, their values and types."""

    actions: tuple[str, ...]
    on: str
    context: tuple[tuple[str, str, str], ...] = ()


def asked_of(where: str, mode: str) -> Iterator[Asked]:
    """What infra/permissions.py lets `respond` do in a mode, of a service that opted in; `where` begins ARNs of ECS."""
    service, tag = f"{where}:service/any/any", f"aws:ResourceTag/{PREFIX}action"
    yield Asked(("ecs:DescribeServices", "ecs:DescribeServiceDeployments", "ecs:ListServiceDeployments"), service)
    yield Asked(("ecs:DescribeTasks",), f"{where}:task/any/any")
    yield Asked(("ecs:DescribeServiceRevisions",), f"{where}:service-revision/any/any/1")
    yield Asked(("ecs:ListTasks", "ecs:DescribeTaskDefinition", "ec2:DescribeSubnets"), "*")
    yield Asked(("elasticloadbalancing:DescribeTargetHealth", "elasticloadbalancing:DescribeTargetGroups"), "*")
    yield Asked(("application-autoscaling:DescribeScalableTargets",), "*")
    if mode in (Mode.ROLLBACK.value, Mode.STOP.value):
        yield Asked(("ecs:StopServiceDeployment",), service, ((tag, mode, "string"),))
        yield Asked(("ecs:StopServiceDeployment",), f"{where}:service-deployment/any/any/1")
    if mode == Mode.STOP.value:
        held, ours = f"aws:ResourceTag/{PREFIX}held", ("aws:TagKeys", f"{PREFIX}held", "stringList")
        yield Asked(("ecs:UpdateService",), service, ((tag, mode, "string"),))
        yield Asked(("ecs:TagResource",), service, ((tag, mode, "string"), ours))
        yield Asked(("ecs:UntagResource",), service, ((held, "6", "string"), ours))
        target = f"{where.replace(':ecs:', ':application-autoscaling:')}:scalable-target/any"
        of_ecs = ("application-autoscaling:service-namespace", "ecs", "string")
        yield Asked(("application-autoscaling:RegisterScalableTarget",), target, (of_ecs,))
        yield Asked(("cloudformation:DescribeStackResources",), "*")


def services(stack: Stack, ecs: Any) -> Iterator[Finding]:
    """Tags that are not understood, and services that opted in to what can never be done to them."""
    deployed = stack.outputs.get("Mode", Mode.ALERT.value)
    # A newer stack may know more modes.
    mode = next((mode for mode in Mode if mode.value == deployed), None)
    seen = opted = 0
    limited: dict[str, list[str]] = {}
    for cluster in _listed(ecs, "list_clusters", "clusterArns"):
        arns = list(_listed(ecs, "list_services", "serviceArns", cluster=cluster))
        for start in range(0, len(arns), _SERVICES):
            batch = arns[start : start + _SERVICES]
            for service in ecs.describe_services(cluster=cluster, services=batch, include=["TAGS"])["services"]:
                seen += 1
                tags = {tag["key"]: tag.get("value", "") for tag in service.get("tags", [])}
                asked = wishes(tags)
                opted += asked.action is not Mode.ALERT
                name = f"{cluster.rsplit('/', 1)[-1]}/{service['serviceName']}"
                yield from (Finding(Health.BAD, f"{name}: {problem}") for problem in asked.problems)
                for why in never(service, asked.action, mode) if asked.action is not Mode.ALERT else ():
                    limited.setdefault(why, []).append(name)
    for why, names in limited.items():
        yield Finding(Health.NOTE, f"{listed(tuple(names), most=_MOST_NAMED)}: {why}")
    yield Finding(Health.OK, f"{count(seen, 'service')} looked at, {opted} opted in by the tag {PREFIX}action")


def never(service: Mapping[str, Any], asked: Mode, mode: Mode | None) -> Iterator[str]:
    """Why a service that opted in could not be acted on as asked, or less safely than it might."""
    if service.get("schedulingStrategy") == "DAEMON":
        yield "a DAEMON service has no desired count: it is never acted on"
    controller = service.get("deploymentController", {}).get("type", "ECS")
    if controller != "ECS":
        yield f"its deployments are controlled by {controller}: it is never acted on"
    if service.get("resourceManagementType") == "ECS":
        yield "an Express service, which ECS manages: it is never acted on"
    if mode is not None and mode < asked:
        yield f"asks for {asked}, and the stack does at most {mode}"
    if asked is Mode.STOP and not service.get("loadBalancers"):
        yield (
            "no load balancer says whether it serves: without a health check of its container "
            "every task that runs for a minute counts as serving"
        )


def _listed(ecs: Any, operation: str, key: str, **parameters: str) -> Iterator[str]:
    # ListServices gives ten at a time where nobody asks for more (ECS API reference).
    for page in ecs.get_paginator(operation).paginate(**parameters, PaginationConfig={"PageSize": 100}):
        yield from page[key]
