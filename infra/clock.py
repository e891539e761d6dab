"""The clock: what changes merely because time passed is looked for once a minute."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from .functions import Worker


class Clock(Construct):
    """Invokes a function every minute.

    A run that fails is neither tried again nor kept: the next minute's does the same work, and several failures in a
    row are an alarm.
    """

    def __init__(self, scope: Construct, id_: str, *, worker: Worker) -> None:
        super().__init__(scope, id_)
        worker.function.configure_async_invoke(retry_attempts=0, max_event_age=Duration.minutes(5))
        self.rule = events.Rule(
            self,
            "EachMinute",
            description="Loopbreaker: the clock",
            schedule=events.Schedule.rate(Duration.minutes(1)),
        )
        self.rule.add_target(
            targets.LambdaFunction(worker.function, retry_attempts=2, max_event_age=Duration.minutes(5))
        )
