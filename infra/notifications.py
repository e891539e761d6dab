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
        self.topic = sns.Topic(self, "Topic", display_name="Loopbreaker", master_key=self.key, enforce_ssl=True)
        self._let_alarms_publish()
        for address in mail:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))
        for url in https:
            self.topic.add_subscription(subscriptions.UrlSubscription(url, protocol=sns.SubscriptionProtocol.HTTPS))

    def _let_alarms_publish(self) -> None:
        """AWS docs: "Encrypt messages published to Amazon SNS with AWS KMS"; alarms of this account only."""
        alarms = iam.ServicePrincipal(CLOUDWATCH)
        ours = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[alarms],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=ours,
            )
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[alarms],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions=ours,
            )
        )
