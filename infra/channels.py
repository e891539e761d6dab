"""Slack: by Amazon Q Developer in chat applications, by a bot, by an incoming webhook. Each way stands for itself."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, ArnFormat, Duration, Stack, Validations
from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .config import StackConfig
from .functions import Worker
from .queues import failure_queue
from .table import ServiceTable

# One after another, six minutes apart: a channel that is down for two hours loses nothing.
TRIES = 20
_BASIC = "service-role/AWSLambdaBasicExecutionRole"
TIMEOUT = Duration.seconds(60)


class Outlet(Construct):
    """A chat channel's own queue, its function `handlers/<worker>.py` and the queue of what it could not deliver.

    The queue keeps the messages of each service in order (FIFO), so that nobody overtakes an edit.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        worker: str,
        code: lambda_.Code,
        config: StackConfig,
        secret: str = "",
        environment: Mapping[str, str],
    ) -> None:
        """`secret` is the name of the secret in Secrets Manager that the function reads when it delivers, if any."""
        super().__init__(scope, id_)
        self.failed = failure_queue(self, "Failed", fifo=True)
        self.queue = sqs.Queue(
            self,
            "Queue",
            fifo=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(4),
            visibility_timeout=Duration.seconds(6 * TIMEOUT.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.failed, max_receive_count=TRIES),
        )
        self.worker = Worker(
            self,
            worker,
            code=code,
            config=config,
            timeout=TIMEOUT,
            environment={**({"SECRET_NAME": secret} if secret else {}), **environment},
            memory_mib=256,
        )
        self.worker.function.add_event_source(
            sources.SqsEventSource(self.queue, batch_size=10, max_concurrency=2, report_batch_item_failures=True)
        )
        if secret:
            self._allow_reading(secret)

    def _allow_reading(self, secret: str) -> None:
        # Secrets Manager adds a hyphen and six characters to the name (its API reference, CreateSecret).
        arn = Stack.of(self).format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{secret}-??????",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.worker.allow("secretsmanager:GetSecretValue", on=[arn])


class Investigations(Construct):
    """AWS DevOps Agent: one investigation for an incident, and a word in the incident's thread when it has ended."""

    def __init__(
        self, scope: Construct, id_: str, *, code: lambda_.Code, config: StackConfig, table: ServiceTable
    ) -> None:
        super().__init__(scope, id_)
        self.outlet = Outlet(
            self,
            "Outlet",
            worker="Investigate",
            code=code,
            config=config,
            environment={
                "TABLE_NAME": table.name,
                "AGENT_SPACE": config.devops_agent,
                "AGENT_DAILY": str(config.devops_agent_daily),
            },
        )
        worker = self.outlet.worker
        worker.use(table, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
        space = Stack.of(self).format_arn(service="aidevops", resource="agentspace", resource_name=config.devops_agent)
        worker.allow("aidevops:CreateBacklogTask", on=[space])
        self.unlinked = failure_queue(self, "Unlinked")
        ended = ["Completed", "Failed", "Timed Out", "Cancelled", "Linked", "Skipped"]
        rule = events.Rule(
            self,
            "Ended",
            description="Loopbreaker: an investigation of AWS DevOps Agent has ended",
            event_pattern=events.EventPattern(
                source=["aws.aidevops"],
                detail_type=[f"Investigation {how}" for how in ended],
                detail={"metadata": {"agent_space_id": [config.devops_agent]}},
            ),
        )
        rule.add_target(
            targets.LambdaFunction(
                worker.function,
                dead_letter_queue=self.unlinked,
                retry_attempts=10,
                max_event_age=Duration.hours(2),
            )
        )

    def reply_by(self, bot: Outlet) -> None:
        """Where the end of an investigation is said."""
        self.outlet.worker.function.add_environment("CHAT_QUEUE", bot.queue.queue_url)
        self.outlet.worker.allow("sqs:SendMessage", on=[bot.queue.queue_arn])


class AmazonQ(Construct):
    """A Slack channel of Amazon Q Developer in chat applications, subscribed to a topic of its own.

    The workspace has to be authorised once by hand, in the console of Amazon Q Developer in chat applications; there
    is no API for it. Without a guardrail of ours the channel's members could be given AdministratorAccess.
    """

    def __init__(self, scope: Construct, id_: str, *, config: StackConfig, topic: sns.Topic) -> None:
        super().__init__(scope, id_)
        guardrail = iam.ManagedPolicy(
            self,
            "Guardrail",
            description="Loopbreaker: the most that anybody may do from its Slack channel",
            statements=[
                iam.PolicyStatement(
                    actions=["cloudwatch:DescribeAlarms", "ecs:DescribeServices", "ecs:ListServices"], resources=["*"]
                )
            ],
        )
        Validations.of(guardrail).acknowledge(
            Acknowledgment(id="AwsSolutions-IAM5[Resource::*]", reason="It bounds what others grant; all of it reads.")
        )
        self.name = f"{config.stack_name}-{Stack.of(self).region}"
        self.channel = chatbot.SlackChannelConfiguration(
            self,
            "Channel",
            slack_channel_configuration_name=self.name,
            slack_workspace_id=config.slack_workspace,
            slack_channel_id=config.slack_channel,
            notification_topics=[topic],
            guardrail_policies=[guardrail],
            logging_level=chatbot.LoggingLevel.ERROR,
            log_retention=logs.RetentionDays.ONE_MONTH,
        )
        _accept_log_retention(Stack.of(self))

    @property
    def unsupported(self) -> cloudwatch.Metric:
        """Messages that Amazon Q dropped because it does not know their form."""
        return self.channel.metric("UnsupportedEvents", period=Duration.minutes(5), statistic="Sum")


def _accept_log_retention(stack: Stack) -> None:
    """CDK's own function sets the retention, for the log group is made by Amazon Q, in us-east-1."""
    made = next(child for child in stack.node.children if child.node.id.startswith("LogRetention"))
    basic = f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{_BASIC}]"
    for id_ in (basic, "AwsSolutions-IAM5[Resource::*]"):
        reason = "CDK's own function, which does nothing but set the retention of log groups."
        Validations.of(made).acknowledge(Acknowledgment(id=id_, reason=reason))
