"""The topic that tells people: incidents from `notify`, and alarms about Loopbreaker itself."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .queues import failure_queue

CLOUDWATCH = "cloudwatch.amazonaws.com"
_PATIENCE = sns.DeliveryPolicy(
    healthy_retry_policy=sns.HealthyRetryPolicy(
        num_retries=25,
        min_delay_target=Duration.seconds(5),
        num_min_delay_retries=3,
        max_delay_target=Duration.seconds(120),
        num_max_delay_retries=17,
        backoff_function=sns.BackoffFunction.EXPONENTIAL,
    )
)
"""Tries for an endpoint that answers 5xx, 429 or not at all: over more than half an hour.

By default they are three within a minute, all of them together may take an hour, and any other 4xx ends them (AWS docs:
"Amazon SNS message delivery retries").
"""


class Notifications(Construct):
    """An encrypted topic, TLS only, with its mail and https subscribers.

    `unreached` keeps what an https endpoint did not take; it is there where there is such an endpoint.

    The key is the stack's own: alarms cannot publish to a topic under the AWS managed key, whose policy nobody can
    change (AWS docs: "Amazon SNS key management").
    """

    def __init__(self, scope: Construct, id_: str, *, mail: Sequence[str], https: Sequence[str]) -> None:
        super().__init__(scope, id_)
        self.key = kms.Key(
            self,
            "Key",
            description="Loopbreaker: the messages waiting in its topic",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self._let_alarms_publish()
        self.topic = self._topic("Topic")
        self.chat: sns.Topic | None = None
        for address in mail:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))
        self.unreached: sqs.Queue | None = failure_queue(self, "Unreached") if https else None
        for url in https:
            self.topic.add_subscription(
                subscriptions.UrlSubscription(
                    url,
                    protocol=sns.SubscriptionProtocol.HTTPS,
                    delivery_policy=_PATIENCE,
                    dead_letter_queue=self.unreached,
                )
            )

    def open_chat_topic(self) -> sns.Topic:
        """The topic of Amazon Q: it drops what is not in its own schema, so it gets nothing else."""
        self.chat = self._topic("ChatTopic")
        return self.chat

    def _topic(self, id_: str) -> sns.Topic:
        topic = sns.Topic(self, id_, display_name="Loopbreaker", master_key=self.key, enforce_ssl=True)
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[iam.ServicePrincipal(CLOUDWATCH)],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions=self._ours,
            )
        )
        return topic

    @property
    def _ours(self) -> dict[str, dict[str, str]]:
        """Alarms of this account only (AWS docs: "Encrypt messages published to Amazon SNS with AWS KMS")."""
        return {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}

    def _let_alarms_publish(self) -> None:
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[iam.ServicePrincipal(CLOUDWATCH)],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions=self._ours,
            )
        )
