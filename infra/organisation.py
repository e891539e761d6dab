"""Many accounts: each protects itself and forwards what it tells to the hub, which tells people and keeps a table.

spoke: default bus ─ rules ─▶ hub: bus ─ rule ─ queue ─▶ gather ─▶ table of incidents, topic
          └─ Unforwarded                         └─ Undelivered, Poison
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import ArnFormat, Aws, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from loopbreaker import VERSION

from .alarms import Alarms
from .config import StackConfig
from .functions import Worker
from .notifications import Notifications
from .package import shipped_package
from .queues import failure_queue, work_queue

BUS = "loopbreaker-hub"
OPEN_INDEX = "open"
_CHANGES: Mapping[str, Any] = {"source": ["loopbreaker"], "detail_type": ["Restart Loop State Change"]}
_ALARMS: Mapping[str, Any] = {"source": ["aws.cloudwatch"], "detail_type": ["CloudWatch Alarm State Change"]}


class Forwarding(Construct):
    """What a spoke adds: two rules on its default bus, and a queue for what the hub did not take within a day."""

    def __init__(self, scope: Construct, id_: str, *, hub: str) -> None:
        """`hub` is the ARN of the hub's event bus, in any account and Region."""
        super().__init__(scope, id_)
        self.failed = failure_queue(self, "Unforwarded")
        self._role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("events.amazonaws.com"))
        self._hub = events.EventBus.from_event_bus_arn(self, "Hub", hub)
        stack = Stack.of(self)
        # An alarm that nobody named has the name of its stack and its logical id (AWS docs, "Name type").
        prefix = stack.format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=f"{Aws.STACK_NAME}-{self._within(stack)}Alarms",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.rules = (
            self._rule("Changes", events.EventPattern(account=[Aws.ACCOUNT_ID], **_CHANGES)),
            self._rule(
                "Alarms",
                events.EventPattern(
                    account=[Aws.ACCOUNT_ID],
                    resources=events.Match.prefix(prefix),
                    detail={"state": {"value": ["ALARM"]}},
                    **_ALARMS,
                ),
            ),
        )

    def watch(self, alarms: Alarms) -> None:
        """The hub is away, or refuses: what is not forwarded waits, and this account tells it itself."""
        alarms.not_empty(
            "Unforwarded",
            self.failed,
            meaning="The hub of the organisation did not take news of this account within 24 hours; this account "
            "goes on protecting its services.",
            remedy="The attribute ERROR_MESSAGE of each message says why: mend that, then put each body on the bus.",
        )
        alarms.lost("ForwardLost", self.rules)

    def _within(self, stack: Stack) -> str:
        """What logical ids of the installation begin with: in a stack of others there are alarms of others."""
        path = self.node.path.removeprefix(f"{stack.node.path}/").split("/")[:-1]
        return "".join(re.sub(r"[^A-Za-z0-9]", "", part) for part in path if part != "Default")

    def _rule(self, id_: str, pattern: events.EventPattern) -> events.Rule:
        rule = events.Rule(self, id_, description=f"Loopbreaker: {id_.lower()} to the hub", event_pattern=pattern)
        rule.add_target(targets.EventBus(self._hub, role=self._role, dead_letter_queue=self.failed))
        return rule


class Hub(Construct):
    """The hub: a bus that takes events from the accounts of one organisation, a table, a topic. It acts on nothing."""

    def __init__(self, scope: Construct, id_: str, *, config: StackConfig, code: lambda_.Code | None = None) -> None:
        """`config.organisation` says whose accounts may send. `code` as for Loopbreaker."""
        super().__init__(scope, id_)
        self._config = config
        self.notifications = Notifications(self, "Notifications", mail=config.mail, https=config.https)
        self.table = self._incidents()
        self.bus = events.EventBus(self, "Bus", event_bus_name=BUS, description="Loopbreaker: news of all accounts")
        self._let_in(config.organisation)
        self.poison = failure_queue(self, "Poison")
        self.undelivered = failure_queue(self, "Undelivered")
        # As for detect: six times the timeout of the function, and its batching window.
        self.queue = work_queue(self, "Queue", visible_after=Duration.seconds(6 * 60 + 30), poison=self.poison)
        self.rule = self._take_in()
        self.gather = Worker(
            self,
            "Gather",
            code=code or lambda_.Code.from_asset(str(shipped_package())),
            config=config,
            timeout=Duration.seconds(60),
            environment={
                "TABLE_NAME": self.table.table_name,
                "TOPIC_ARN": self.notifications.topic.topic_arn,
            },
        )
        # The fewest that Lambda takes; each of the two makes the pauses that SNS asks for.
        self.gather.consume(self.queue, at_once=2)
        self._permit()
        self._watch()
        outputs = {
            "HubBusArn": self.bus.event_bus_arn,
            "HubTableName": self.table.table_name,
            "HubTopicArn": self.notifications.topic.topic_arn,
            "HubVersion": VERSION,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value).override_logical_id(name)

    def _incidents(self) -> dynamodb.Table:
        text, number = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER
        table = dynamodb.Table(
            self,
            "Incidents",
            partition_key=dynamodb.Attribute(name="pk", type=text),
            sort_key=dynamodb.Attribute(name="sk", type=text),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._config.keep_data,
            removal_policy=RemovalPolicy.RETAIN if self._config.keep_data else RemovalPolicy.DESTROY,
        )
        table.add_global_secondary_index(
            index_name=OPEN_INDEX,
            partition_key=dynamodb.Attribute(name="open", type=text),
            sort_key=dynamodb.Attribute(name="at", type=number),
        )
        return table

    def _let_in(self, organisation: str) -> None:
        """Everybody in the organisation, and nobody else. What an account says is believed of itself alone."""
        events.CfnEventBusPolicy(
            self,
            "LetIn",
            event_bus_name=self.bus.event_bus_name,
            statement_id="Organisation",
            statement={
                "Sid": "Organisation",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "events:PutEvents",
                "Resource": self.bus.event_bus_arn,
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": organisation}},
            },
        )

    def _take_in(self) -> events.Rule:
        rule = events.Rule(
            self,
            "News",
            event_bus=self.bus,
            description="Loopbreaker: what the accounts tell",
            event_pattern=events.EventPattern(
                source=[*_CHANGES["source"], *_ALARMS["source"]],
                detail_type=[*_CHANGES["detail_type"], *_ALARMS["detail_type"]],
            ),
        )
        target = targets.SqsQueue(
            self.queue, dead_letter_queue=self.undelivered, max_event_age=Duration.hours(24), retry_attempts=185
        )
        rule.add_target(target)
        return rule

    def _permit(self) -> None:
        topic, key = self.notifications.topic, self.notifications.key
        self.gather.allow("dynamodb:GetItem", "dynamodb:PutItem", on=[self.table.table_arn])
        self.gather.allow("sns:Publish", on=[topic.topic_arn])
        self.gather.accept("Action::kms:GenerateDataKey*", reason="As SNS asks of publishers; on one key.")
        self.gather.allow("kms:Decrypt", "kms:GenerateDataKey*", on=[key.key_arn])

    def _watch(self) -> None:
        alarms = Alarms(self, "Alarms", notifications=self.notifications)
        alarms.not_empty(
            "Undelivered",
            self.undelivered,
            meaning="EventBridge could not put news of the accounts into the hub's queue.",
            remedy="The attribute ERROR_MESSAGE of each message says why; mend that, then send the bodies there.",
        )
        alarms.not_empty(
            "Poison",
            self.poison,
            meaning="gather failed again and again on this news: people were not told of it by the hub.",
            remedy="Find the error in the logs of gather, mend it, then start a DLQ redrive in the SQS console.",
        )
        alarms.late(
            "NewsLate",
            self.queue,
            meaning="News of the accounts has waited for more than 15 minutes: the hub tells late.",
            remedy="Look for errors and throttles of gather.",
        )
        alarms.lost("Lost", [self.rule])
        alarms.function(self.gather)


class HubStack(Stack):
    """A stack of nothing but the hub."""

    def __init__(self, scope: Construct, id_: str, *, config: StackConfig, package: Path) -> None:
        """`package` is the folder that the function ships."""
        super().__init__(scope, id_, description=f"Loopbreaker {VERSION}: the hub of an organisation")
        self.hub = Hub(self, "Default", config=config, code=lambda_.Code.from_asset(str(package)))
