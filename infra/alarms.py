"""Alarms about Loopbreaker itself: each path on which something could be lost or late has one.

Every description says what it means and what to do; it is the text of the mail.
"""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .functions import Worker

FIVE_MINUTES = Duration.minutes(5)


class Alarms(Construct):
    """All alarms, told through one topic."""

    def __init__(self, scope: Construct, id_: str, *, topic: sns.Topic, chat: sns.Topic | None = None) -> None:
        """`chat` is a second topic that is told as well."""
        super().__init__(scope, id_)
        self._topics = [topic, chat] if chat else [topic]
        self.unreachable("NotificationsFailed", topic)
        if chat:
            self.unreachable("ChatNotificationsFailed", chat)

    def unreachable(self, id_: str, topic: sns.Topic) -> None:
        self._alarm(
            id_,
            topic.metric_number_of_notifications_failed(period=FIVE_MINUTES, statistic="Sum"),
            meaning="A subscriber of the topic could not be reached: somebody is not told about loops.",
            remedy="Look at the topic's subscriptions; remove or mend the one that fails.",
        )

    def not_empty(self, id_: str, queue: sqs.Queue, *, meaning: str, remedy: str) -> None:
        """Something lies in a failure queue; stays in alarm until somebody has emptied it."""
        visible = queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum")
        self._alarm(id_, visible, meaning=meaning, remedy=remedy)

    def late(self, id_: str, queue: sqs.Queue, *, meaning: str, remedy: str) -> None:
        """Something has waited in a queue for more than 10 minutes."""
        age = queue.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES, statistic="Maximum")
        self._alarm(id_, age, threshold=600, meaning=meaning, remedy=remedy)

    def dropped(self, id_: str, metric: cloudwatch.Metric) -> None:
        self._alarm(
            id_,
            metric,
            meaning="Amazon Q dropped a message because it does not know its form: Slack was not told of something.",
            remedy="Look at the topic that ends in ChatTopic: only Loopbreaker and its alarms may publish to it.",
        )

    def undelivered(self, id_: str, rule: events.Rule) -> None:
        failed = cloudwatch.Metric(
            namespace="AWS/Events",
            metric_name="FailedInvocations",
            dimensions_map={"RuleName": rule.rule_name},
            period=FIVE_MINUTES,
            statistic="Sum",
        )
        self._alarm(
            id_,
            failed,
            meaning="EventBridge could not reach the rule's target for good: events or clock ticks are missing.",
            remedy="See that the target exists and that its policy lets this rule in; then deploy the stack again.",
        )

    def function(self, worker: Worker) -> None:
        name, function = worker.node.id, worker.function
        self._alarm(
            f"{name}Errors",
            function.metric_errors(period=FIVE_MINUTES, statistic="Sum"),
            meaning=f"{name} raised an error. What it worked on is tried again and ends in a failure queue.",
            remedy=f"Read the log group {worker.log_group.log_group_name} for the error.",
        )
        self._alarm(
            f"{name}Throttles",
            function.metric_throttles(period=FIVE_MINUTES, statistic="Sum"),
            meaning=f"{name} was throttled: the account has run out of concurrent Lambda executions.",
            remedy="Find the function that uses them up, or have the account's quota raised.",
        )

    def behind(self, worker: Worker) -> None:
        """The function falls behind the table's stream, which keeps a record for 24 hours."""
        name = worker.node.id
        self._alarm(
            f"{name}Behind",
            worker.function.metric("IteratorAge", period=FIVE_MINUTES, statistic="Maximum"),
            threshold=600_000,
            meaning=f"{name} is more than 10 minutes behind the table's stream.",
            remedy=f"Read the log group {worker.log_group.log_group_name}: one record is probably failing and retried.",
        )

    def _alarm(
        self, id_: str, metric: cloudwatch.Metric, *, meaning: str, remedy: str, threshold: float = 0
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            id_,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{meaning} {remedy}",
        )
        for topic in self._topics:
            alarm.add_alarm_action(actions.SnsAction(topic))
            alarm.add_ok_action(actions.SnsAction(topic))
        return alarm
