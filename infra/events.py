"""ECS → EventBridge rules → SQS: which events reach the stack, and where they wait."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from loopbreaker.drill import CLUSTER, SOURCE

from .queues import failure_queue, work_queue
from .values import ECS_SOURCE

TASK_STOPS: Mapping[str, Any] = {
    "detail-type": ["ECS Task State Change"],
    "detail": {
        "lastStatus": ["STOPPED"],
        "group": [{"prefix": "service:"}, {"prefix": "daemon:"}],
        "stopCode": [
            {"anything-but": ["UserInitiated", "SpotInterruption", "TerminationNotice", "InfrastructureHealth"]},
            {"exists": False},
        ],
        "stoppedReason": [
            {
                "anything-but": {
                    "wildcard": [
                        "Scaling activity initiated by*",
                        "Availability-zone rebalancing*",
                        "*ECS is performing maintenance*",
                        "*container instance is in DRAINING state*",
                        "Task stopped during instance draining*",
                    ]
                }
            },
            {"exists": False},
        ],
    },
}
"""Stops of tasks of services and managed daemons that may be a failure. Ordinary churn (scale-in, roll-outs, zone
rebalancing, maintenance, drained hosts, spot, lost hosts, people) stays out.

AWS docs: "Amazon ECS task state change events", "Track Amazon ECS Availability Zone rebalancing", "Task retirement and
maintenance for AWS Fargate"; `anything-but` alone would drop events without the field.
"""

HEALTH_CHECK_STOPS: Mapping[str, Any] = {
    "detail-type": ["ECS Task State Change"],
    "detail": {
        "lastStatus": ["DEACTIVATING"],
        "group": [{"prefix": "service:"}, {"prefix": "daemon:"}],
        "stopCode": ["ServiceSchedulerInitiated"],
        "stoppedReason": [{"prefix": "Task failed "}],
    },
}
"""Tasks that ECS has decided to stop for failed health checks: with a load balancer STOPPED comes minutes later.

AWS docs: "Amazon ECS task lifecycle"; the deregistration delay of a target group is 300 seconds by default.
"""

SERVICE_SIGNALS: Mapping[str, Any] = {
    "detail-type": ["ECS Service Action", "ECS Daemon Service Action"],
    "detail": {
        "eventName": [
            "SERVICE_TASK_START_IMPAIRED",
            "SERVICE_TASK_PLACEMENT_FAILURE",
            "SERVICE_TASK_CONFIGURATION_FAILURE",
            "DAEMON_TASK_START_IMPAIRED",
        ]
    },
}
"""ECS itself says that it cannot start tasks.

That it gave up a deployment decides nothing, and stays out.
AWS docs: "Amazon ECS service action events", "Daemon events" (Managed Daemons).
"""


DRILLS: Mapping[str, Any] = {
    "detail-type": ["ECS Task State Change"],
    "detail": {"lastStatus": ["STOPPED"], "clusterArn": [{"suffix": f":cluster/{CLUSTER}"}]},
}
"""Events that `loopctl drill` sends, of a cluster that does not exist; nothing of a drill is taken for ECS's word."""


TAG_CHANGES: Mapping[str, Any] = {
    "detail-type": ["Tag Change on Resource"],
    "detail": {"service": ["ecs"], "changed-tag-keys": [{"prefix": "loopbreaker:"}]},
}
"""Tags of ours that somebody set or took away: one that says nothing is told by day, not when it is needed.

Tagging AWS Resources user guide, "Monitor tag changes with serverless workflows and Amazon EventBridge"; the delivery
is best effort (EventBridge events reference, "Tags events"), and `sweep` reads all tags once a day.
"""
TAG_SOURCE = "aws.tag"


class TaskEvents(Construct):
    """Three rules on the default bus, one for tags, and one for drills; one queue.

    `poison` gets the events that `detect` failed on again and again,
    `undelivered` those that EventBridge could not put in the queue.
    """

    def __init__(self, scope: Construct, id_: str, *, sources: Sequence[str], visible_after: Duration) -> None:
        super().__init__(scope, id_)
        self.poison = failure_queue(self, "Poison")
        self.undelivered = failure_queue(self, "Undelivered")
        self.queue = work_queue(self, "Queue", visible_after=visible_after, poison=self.poison)
        self.rules = (
            self._rule("TaskStops", pattern=TASK_STOPS, sources=sources),
            self._rule("HealthCheckStops", pattern=HEALTH_CHECK_STOPS, sources=sources),
            self._rule("ServiceSignals", pattern=SERVICE_SIGNALS, sources=sources),
        )
        # Watched by no alarm: the daily look finds what did not arrive.
        self._rule("TagChanges", pattern=TAG_CHANGES, sources=[TAG_SOURCE] if ECS_SOURCE in sources else sources)
        # Watched by no alarm: who drills sees what did not arrive.
        self._rule("Drill", pattern=DRILLS, sources=[SOURCE])

    def _rule(self, id_: str, *, pattern: Mapping[str, Any], sources: Sequence[str]) -> events.Rule:
        rule = events.Rule(
            self,
            id_,
            description=f"Loopbreaker: {', '.join(pattern['detail-type'])}",
            event_pattern=events.EventPattern(
                source=[*sources], detail_type=pattern["detail-type"], detail=pattern["detail"]
            ),
        )
        rule.add_target(
            targets.SqsQueue(
                self.queue, dead_letter_queue=self.undelivered, max_event_age=Duration.hours(24), retry_attempts=185
            )
        )
        return rule
