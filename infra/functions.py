"""A Lambda function with its own role and log group. What it may do is added statement by statement."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .asset import RUNTIME
from .config import StackConfig
from .queues import failure_queue
from .table import ServiceTable

BATCHING_WINDOW = Duration.seconds(22)
"""How long events may wait for others, so that those of one service are folded at once.

Each of them is seen so much later at most; benchmarks/results/cost.md has what it saves.
"""
_LEVELS = {
    "DEBUG": lambda_.ApplicationLogLevel.DEBUG,
    "INFO": lambda_.ApplicationLogLevel.INFO,
    "WARNING": lambda_.ApplicationLogLevel.WARN,
    "ERROR": lambda_.ApplicationLogLevel.ERROR,
}


class Worker(Construct):
    """The function `lambdas/handlers/<name>.py`."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        code: lambda_.Code,
        config: StackConfig,
        timeout: Duration,
        environment: Mapping[str, str],
        memory_mib: int = 512,
    ) -> None:
        super().__init__(scope, id_)
        self.memory_mib = memory_mib
        self.log_group = logs.LogGroup(self, "Logs", removal_policy=RemovalPolicy.DESTROY)
        group = self.log_group.node.default_child
        assert isinstance(group, logs.CfnLogGroup)
        group.retention_in_days = config.log_retention_days
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.allow("logs:CreateLogStream", "logs:PutLogEvents", on=[self.log_group.log_group_arn])
        self.function = lambda_.Function(
            self,
            "Function",
            code=code,
            handler=f"handlers.{id_.lower()}.handler",
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=memory_mib,
            timeout=timeout,
            role=self.role,
            log_group=self.log_group,
            # Two lines of the platform for each invocation cost as much as all that the functions write.
            logging_format=lambda_.LoggingFormat.JSON,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            application_log_level_v2=_LEVELS[config.log_level],
            environment={
                "POWERTOOLS_SERVICE_NAME": "loopbreaker",
                "POWERTOOLS_METRICS_NAMESPACE": "Loopbreaker",
                "POWERTOOLS_LOG_LEVEL": config.log_level,
                **environment,
            },
        )

        Validations.of(self.function).acknowledge(
            Acknowledgment(
                id="AwsSolutions-L1", reason="The package carries bytecode of this runtime; both are raised together."
            )
        )

    def allow(self, *actions: str, on: Sequence[str], when: Mapping[str, Any] | None = None) -> None:
        """Lets the function do `actions` on the resources `on`, under the conditions `when`."""
        self.role.add_to_policy(iam.PolicyStatement(actions=[*actions], resources=[*on], conditions=when))

    def accept(self, wildcard: str, *, reason: str) -> None:
        """States why a wildcard in the function's permissions is right, for those who audit the stack."""
        Validations.of(self.role).acknowledge(Acknowledgment(id=f"AwsSolutions-IAM5[{wildcard}]", reason=reason))

    def use(self, store: ServiceTable, *actions: str, index: bool = False) -> None:
        """Lets the function do `actions` on the table, and Query its index where `index` is true."""
        self.allow(*actions, on=[store.arn])
        if index:
            self.allow("dynamodb:Query", on=[store.index_arn])

    def consume(self, queue: sqs.Queue, *, at_once: int = 5) -> None:
        """Batches from a queue. At most five at a time, so that a storm does not take the account's concurrency."""
        self.function.add_event_source(
            sources.SqsEventSource(
                queue,
                batch_size=100,
                max_batching_window=BATCHING_WINDOW,
                max_concurrency=at_once,
                report_batch_item_failures=True,
            )
        )

    def follow(
        self, table: ServiceTable, *, attribute: Mapping[str, str], give_up_after: Duration, tries: int | None = 10
    ) -> sqs.Queue:
        """Invokes the function for each saved `SERVICE` record that has `attribute` (its name and DynamoDB type).

        Returns the queue that gets what could not be done in so many `tries`, or before `give_up_after`.
        """
        failed = failure_queue(self, "Failed")
        self.accept("Resource::*", reason="dynamodb:ListStreams, which Lambda asks for, cannot be limited to a stream.")
        self.function.add_event_source(
            sources.DynamoEventSource(
                table.table,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                filters=[_saved_service_with(attribute)],
                batch_size=10,
                bisect_batch_on_error=True,
                parallelization_factor=10,
                retry_attempts=tries,
                max_record_age=give_up_after,
                report_batch_item_failures=True,
                on_failure=sources.SqsDlq(failed),
            )
        )
        return failed


def _saved_service_with(attribute: Mapping[str, str]) -> Mapping[str, Any]:
    """A saved record, by an attribute that is a leaf: `exists` sees no other, so a list would never match.

    AWS docs: "Control which events Lambda sends to your function".
    """
    image = {name: {kind: lambda_.FilterRule.exists()} for name, kind in attribute.items()}
    key = {"sk": {"S": lambda_.FilterRule.is_equal("SERVICE")}}
    return lambda_.FilterCriteria.filter({"dynamodb": {"Keys": key, "NewImage": image}})
