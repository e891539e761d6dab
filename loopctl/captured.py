"""Where ECS events are recorded already: log groups of CloudWatch to which a rule of EventBridge sends them.

The console's "event capture" of ECS makes log groups below `/aws/events/ecs/containerinsights/`, and rules
`eventsToLog…` ("Capture Amazon ECS events in the Amazon ECS console", Amazon ECS developer guide). Reads only.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

PREFIX = "/aws/events/ecs/containerinsights/"
RULES = "eventsToLog"
_INTERESTING = (
    '{ ($.detail.lastStatus = "STOPPED") || ($.detail.lastStatus = "DEACTIVATING") || '
    '($.detail-type = "ECS Service Action") || ($.detail-type = "ECS Deployment State Change") }'
)

_GROUP = "/aws/events/ecs/recording"
_PATTERN = {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change", "ECS Service Action"]}


def groups(logs: Any, events: Any) -> list[str]:
    """Names of the log groups that hold recordings, without those of an installation of ours."""
    found = {
        group["logGroupName"]
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=PREFIX)
        for group in page["logGroups"]
    }
    for page in events.get_paginator("list_rules").paginate(NamePrefix=RULES):
        for rule in page["Rules"]:
            targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
            found |= {_group(target["Arn"]) for target in targets if ":log-group:" in target["Arn"]}
    return sorted(found)


def messages(logs: Any, group: str, *, since: float, told: Callable[[int], None]) -> Iterator[str]:
    """What a log group holds of stopped tasks and services since a time; `told` hears how many were read."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, startTime=int(since * 1000), filterPattern=_INTERESTING
    )
    read = 0
    for page in pages:
        read += len(page["events"])
        told(read)
        yield from (event["message"] for event in page["events"])


def start(*, region: str, account: str) -> str:
    """The command that starts a recording: a log group, leave for EventBridge to write to it, a rule."""
    arn = f"arn:aws:logs:{region}:{account}:log-group:{_GROUP}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{arn}:*",
    }
    leave = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    steps = (
        f"logs create-log-group --log-group-name {_GROUP}",
        f"logs put-retention-policy --log-group-name {_GROUP} --retention-in-days 30",
        f"logs put-resource-policy --policy-name ecs-recording --policy-document '{leave}'",
        f"events put-rule --name ecs-recording --event-pattern '{json.dumps(_PATTERN)}'",
        f"events put-targets --rule ecs-recording --targets Id=logs,Arn={arn}",
    )
    return " &&\n".join(f"aws {step} --region {region}" for step in steps)


def _group(arn: str) -> str:
    """`arn:aws:logs:eu-west-1:123456789012:log-group:/aws/events/ecs:*` is the group `/aws/events/ecs`."""
    return arn.partition(":log-group:")[2].removesuffix(":*")
