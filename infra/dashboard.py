"""One page in CloudWatch: what loops, why, how soon it was found, what was told, and what the stack itself costs."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .functions import Worker
from .table import ServiceTable

_HOUR = Duration.hours(1)
_OURS = {"service": "loopbreaker"}
# List prices, us-east-1, 2026-11, in dollars: Lambda on arm64, DynamoDB on demand, SQS.
_GB_SECOND, _INVOCATION = 0.0000133334, 0.0000002
_WRITE_UNIT, _READ_UNIT, _SQS_REQUEST = 0.000000625, 0.000000125, 0.0000004
# A message is sent, received and deleted.
_REQUESTS = 3

_TEXT = """# Loopbreaker
`loopctl status` says what loops now, `loopctl history` what looped, `loopctl show CLUSTER/SERVICE --open` draws it.
"""


class Dashboard(Construct):
    """The page. CloudWatch gives three dashboards of up to 50 metrics each for nothing; a fourth is $3 a month."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        workers: Sequence[Worker],
        respond: Worker,
        draw: Worker,
        table: ServiceTable,
        queue: sqs.Queue,
    ) -> None:
        """`workers` are all functions of the stack, `respond` tells of changes in its log, `draw` draws."""
        super().__init__(scope, id_)
        page = cloudwatch.Dashboard(self, "Page", default_interval=Duration.days(7))
        page.add_widgets(cloudwatch.TextWidget(markdown=_TEXT, width=24, height=2))
        page.add_widgets(
            cloudwatch.CustomWidget(
                function_arn=draw.function.function_arn,
                title="What loops now",
                width=24,
                height=8,
                update_on_resize=False,
                update_on_time_range_change=False,
            )
        )
        page.add_widgets(
            _graph("Loops open, of those found in the time shown", [_open()]),
            _graph("Found, ended, stopped", [_count("LoopsFound"), _count("LoopsEnded"), _count("ServicesStopped")]),
        )
        page.add_widgets(
            _graph("Failed tasks", [_count("Failures")]),
            _graph(
                "From the last failure to the finding, in seconds",
                [_ours("DetectionDelay", "p50"), _ours("DetectionDelay", "Maximum")],
            ),
        )
        page.add_widgets(
            _graph("Messages", [_count("MessagesSent")]),
            _by_cause(respond),
        )
        page.add_widgets(
            _graph("What the stack uses, in dollars an hour (list prices)", [_cost(workers, table, queue)], width=24),
        )


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric], *, width: int = 12) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=[*metrics], width=width, left_y_axis={"min": 0})


def _ours(name: str, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="Loopbreaker", metric_name=name, dimensions_map=_OURS, statistic=statistic, period=_HOUR
    )


def _count(name: str) -> cloudwatch.Metric:
    return _ours(name, "Sum")


def _open() -> cloudwatch.MathExpression:
    """Metrics are sent in hours in which something happens alone, so what is open is found minus ended."""
    return cloudwatch.MathExpression(
        expression="RUNNING_SUM(FILL(found, 0)) - RUNNING_SUM(FILL(ended, 0))",
        using_metrics={"found": _count("LoopsFound"), "ended": _count("LoopsEnded")},
        label="open",
        period=_HOUR,
    )


def _by_cause(respond: Worker) -> cloudwatch.LogQueryWidget:
    """From the log lines that each change of state leaves: a metric for each cause would cost more than the rest."""
    return cloudwatch.LogQueryWidget(
        title="Changes of state by cause",
        log_group_names=[respond.log_group.log_group_name],
        query_lines=[
            'filter message = "record changed" and ispresent(category)',
            "stats count(*) as changes by category",
            "sort changes desc",
        ],
        view=cloudwatch.LogQueryVisualizationType.TABLE,
        width=12,
    )


def _cost(workers: Sequence[Worker], table: ServiceTable, queue: sqs.Queue) -> cloudwatch.MathExpression:
    """Lambda, DynamoDB and SQS as used. Alarms, the key, logs and metrics are the same every month, or nearly so."""
    used: dict[str, cloudwatch.IMetric] = {}
    terms: list[str] = []
    for number, worker in enumerate(workers):
        used |= {
            f"time{number}": worker.function.metric_duration(statistic="Sum", period=_HOUR),
            f"runs{number}": worker.function.metric_invocations(statistic="Sum", period=_HOUR),
        }
        gib = worker.memory_mib / 1024
        terms.append(f"FILL(time{number}, 0) / 1000 * {gib:g} * {_GB_SECOND:.10f}")
        terms.append(f"FILL(runs{number}, 0) * {_INVOCATION:.10f}")
    used |= {
        "written": table.table.metric_consumed_write_capacity_units(statistic="Sum", period=_HOUR),
        "read": table.table.metric_consumed_read_capacity_units(statistic="Sum", period=_HOUR),
        "queued": queue.metric_number_of_messages_sent(statistic="Sum", period=_HOUR),
        "polled": queue.metric_number_of_empty_receives(statistic="Sum", period=_HOUR),
    }
    terms += [
        f"FILL(written, 0) * {_WRITE_UNIT:.10f}",
        f"FILL(read, 0) * {_READ_UNIT:.10f}",
        f"(FILL(queued, 0) * {_REQUESTS} + FILL(polled, 0)) * {_SQS_REQUEST:.10f}",
    ]
    return cloudwatch.MathExpression(expression=" + ".join(terms), using_metrics=used, label="dollars", period=_HOUR)
