"""The topic that tells people: incidents from `notify`, and alarms about Loopbreaker itself."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

CLOUDWATCH = "cloudwatch.amazonaws.com"


class Notifications(Construct):
    """An encrypted topic, TLS only, with its mail and https subscribers.

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
        for url in https:
            self.topic.add_subscription(subscriptions.UrlSubscription(url, protocol=sns.SubscriptionProtocol.HTTPS))

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
