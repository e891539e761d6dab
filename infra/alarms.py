"""Alarms about Loopbreaker itself: each path on which something could be lost or late has one.

Every description says what it means and what to do; it is the text of the mail.
"""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .functions import Worker
from .notifications import Notifications

FIVE_MINUTES = Duration.minutes(5)


class Alarms(Construct):
    """All alarms."""

    def __init__(self, scope: Construct, id_: str, *, notifications: Notifications) -> None:
        """All its topics are told, and each of them is watched."""
        super().__init__(scope, id_)
        topic, chat, unreached = notifications.topic, notifications.chat, notifications.unreached
        self._topics = [topic, chat] if chat else [topic]
        self.unreachable("NotificationsFailed", topic)
        if chat:
            self.unreachable("ChatNotificationsFailed", chat)
        if unreached:
            self.not_empty(
                "EndpointUnreached",
                unreached,
                meaning="An https endpoint did not take a message in half an hour, or refused it; the others have it.",
                remedy="Mend the endpoint; each message here has its event in Message, and its topic in TopicArn.",
            )

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
        """Something has waited in a queue for more than 15 minutes.

        SQS leaves out of this age what has been received three times, so one message that nobody can read stays below
        (its developer guide, "Available CloudWatch metrics for Amazon SQS").
        """
        age = queue.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES, statistic="Maximum")
        self._alarm(id_, age, threshold=900, meaning=meaning, remedy=remedy)

    def dropped(self, id_: str, metric: cloudwatch.Metric) -> None:
        self._alarm(
            id_,
            metric,
            meaning="Amazon Q dropped a message because it does not know its form: Slack was not told of something.",
            remedy="Look at the topic that ends in ChatTopic: only Loopbreaker and its alarms may publish to it.",
        )

    def lost(self, id_: str, rules: Sequence[events.Rule]) -> None:
        """Of events that cannot be delivered, those that the queue for them did not take either."""
        for rule in rules:
            self._alarm(
                f"{rule.node.id}{id_}",
                _of_rule(rule, "InvocationsFailedToBeSentToDlq"),
                meaning="EventBridge could deliver events neither to the event queue nor to the queue of failed ones.",
                remedy="See that both queues exist and that their policies let the rules in; deploy the stack again.",
            )

    def unticked(self, id_: str, rule: events.Rule) -> None:
        """The clock does not reach its function."""
        self._alarm(
            id_,
            _of_rule(rule, "FailedInvocations"),
            meaning="The clock cannot invoke sweep: recoveries and second looks do not come.",
            remedy="See that the function exists and lets the rule in; then deploy the stack again.",
        )

    def unreadable(self, id_: str) -> None:
        self._alarm(
            id_,
            cloudwatch.Metric(
                namespace="Loopbreaker",
                metric_name="RecordsUnreadable",
                dimensions_map={"service": "loopbreaker"},
                period=FIVE_MINUTES,
                statistic="Sum",
            ),
            meaning="A record in the table cannot be read: that service, and no other, is not watched.",
            remedy="Find 'unreadable record' in the logs. A newer version may have written it: deploy that one again, "
            "or delete the item of that service, which begins anew.",
        )

    def function(self, worker: Worker, *, tolerated: int = 0, periods: int = 2) -> None:
        """More errors than are tolerated in a period of five minutes, in so many of the last three periods.

        One failed run is tried again, and ends in a failure queue if that fails too.
        """
        name, function = worker.node.id, worker.function
        self._alarm(
            f"{name}Errors",
            function.metric_errors(period=FIVE_MINUTES, statistic="Sum"),
            threshold=tolerated,
            periods=periods,
            meaning=f"{name} goes on raising errors. What it worked on is tried again and ends in a failure queue.",
            remedy=f"Read the log group {worker.log_group.log_group_name} for the error.",
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
        self,
        id_: str,
        metric: cloudwatch.IMetric,
        *,
        meaning: str,
        remedy: str,
        threshold: float = 0,
        periods: int = 1,
    ) -> None:
        """An alarm over that many of the last three periods; over one, of the last one.

        Only the alarm is told, not its end: every alarm of a new stack would begin with a mail that all is well, and
        an alarm about the topic would tell its end through it, and fail again.
        """
        alarm = cloudwatch.Alarm(
            self,
            id_,
            metric=metric,
            threshold=threshold,
            evaluation_periods=3 if periods > 1 else 1,
            datapoints_to_alarm=periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{meaning} {remedy}",
        )
        for topic in self._topics:
            alarm.add_alarm_action(actions.SnsAction(topic))


def _of_rule(rule: events.Rule, metric: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/Events",
        metric_name=metric,
        dimensions_map={"RuleName": rule.rule_name},
        period=FIVE_MINUTES,
        statistic="Sum",
    )
