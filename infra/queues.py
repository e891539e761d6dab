"""Queues: encrypted, TLS only. Where a failure ends, it waits two weeks for a person."""

from aws_cdk import Acknowledgment, Duration, Validations
from aws_cdk import aws_sqs as sqs
from constructs import Construct

TRIES = 11
"""How often `detect` is given a message before it counts as poison."""


def failure_queue(scope: Construct, id_: str, *, fifo: bool = False) -> sqs.Queue:
    """A queue in which whatever could not be done is kept as long as SQS keeps anything.

    `fifo` where the queue that it belongs to is one.
    """
    queue = sqs.Queue(
        scope,
        id_,
        fifo=True if fifo else None,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )
    Validations.of(queue).acknowledge(
        Acknowledgment(id="AwsSolutions-SQS3", reason="This is where failures end; an alarm says when it is not empty.")
    )
    return queue


def work_queue(scope: Construct, id_: str, *, visible_after: Duration, poison: sqs.Queue) -> sqs.Queue:
    """A queue that gives a message so many tries, `visible_after` apart, and then moves it to `poison`.

    Six minutes apart they outlast an hour in which the table takes nothing.
    """
    return sqs.Queue(
        scope,
        id_,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(4),
        visibility_timeout=visible_after,
        dead_letter_queue=sqs.DeadLetterQueue(queue=poison, max_receive_count=TRIES),
    )
