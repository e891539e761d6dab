"""The one table: a partition per ECS service, and the stream that everything after `detect` hangs on."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

DUE_INDEX = "due"


class ServiceTable(Construct):
    """Records by `pk` (the service) and `sk`; sparse index `due` of those for which something is due, by time."""

    def __init__(self, scope: Construct, id_: str, *, keep_data: bool) -> None:
        super().__init__(scope, id_)
        text, number = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=text),
            sort_key=dynamodb.Attribute(name="sk", type=text),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires_at",
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=keep_data,
            removal_policy=RemovalPolicy.RETAIN if keep_data else RemovalPolicy.DESTROY,
        )
        self.table.add_global_secondary_index(
            index_name=DUE_INDEX,
            partition_key=dynamodb.Attribute(name="due_shard", type=text),
            sort_key=dynamodb.Attribute(name="due_at", type=number),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )

    @property
    def name(self) -> str:
        return self.table.table_name

    @property
    def arn(self) -> str:
        return self.table.table_arn

    @property
    def index_arn(self) -> str:
        return f"{self.table.table_arn}/index/{DUE_INDEX}"
