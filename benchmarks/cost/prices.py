"""List prices of us-east-1 in dollars, without the free tiers, and what the counts of a workload come to.

As public pages gave them between March and November 2026: DynamoDB on demand (halved in November 2024), SQS standard
queues by requests of 64 kB, Lambda on arm64, CloudWatch, SNS, EventBridge (events of AWS and schedules of rules cost
nothing, ours do), KMS. Streams that Lambda reads, and the calls of ECS, cost nothing.
"""

from dataclasses import dataclass
from math import ceil

from benchmarks.cost.workloads import Counts

WRITE_UNIT, READ_UNIT = 0.625e-6, 0.125e-6
SQS_REQUEST = 0.40e-6
INVOCATION, GB_SECOND = 0.20e-6, 0.0000133334
MEMORY_GB = 0.5
LOG_GB = 0.50
METRIC_MONTH, ALARM_MONTH, KEY_MONTH, DASHBOARD_MONTH = 0.30, 0.10, 1.00, 3.00
METRIC_READ = 0.01e-3
SNS_PUBLISH, SNS_MAIL, EVENT = 0.50e-6, 20e-6, 1.00e-6

# Assumed, in seconds: an invocation by itself, a call of the table, a look at ECS with its four calls.
OWN_TIME, TABLE_TIME, LOOK_TIME = 0.010, 0.010, 0.200

# What one restart costs whoever does nothing: 1 GB through a NAT gateway, 2 to 6 items of AWS Config.
NAT_GB, CONFIG_ITEM = 0.045, 0.003
IMAGE_GB, CONFIG_ITEMS = 1.0, (2, 6)
# Container Insights (standard): metrics of one service with one dimension each.
INSIGHTS_METRICS = 13


@dataclass(frozen=True, slots=True)
class Bill:
    """Dollars for what a workload took."""

    writes: float
    reads: float
    queue: float
    functions: float
    logs: float
    messages: float

    @property
    def total(self) -> float:
        return self.writes + self.reads + self.queue + self.functions + self.logs + self.messages

    def per_million(self, failures: int) -> "Bill":
        scale = 1e6 / failures
        return Bill(
            self.writes * scale,
            self.reads * scale,
            self.queue * scale,
            self.functions * scale,
            self.logs * scale,
            self.messages * scale,
        )


def bill(counts: Counts) -> Bill:
    """What the counts come to. Runs of `sweep` are left out: they are paid for whether anything loops or not."""
    invocations = sum(number for name, number in counts.invocations.items() if name != "sweep")
    calls = sum(number for name, number in counts.calls.items() if name != "query")
    seconds = invocations * OWN_TIME + calls * TABLE_TIME + counts.looks * LOOK_TIME
    return Bill(
        writes=(counts.units["write"] + counts.units["index"]) * WRITE_UNIT,
        reads=counts.units["read"] * READ_UNIT,
        queue=counts.requests * SQS_REQUEST,
        functions=invocations * INVOCATION + seconds * MEMORY_GB * GB_SECOND,
        logs=counts.log_bytes / 1e9 * LOG_GB,
        messages=counts.messages * (SNS_PUBLISH + SNS_MAIL + EVENT),
    )


def item_per_stop(per_hour: float) -> float:
    """Dollars a million stops of the usual way: an item for each, and a count of those of an hour (250 bytes each)."""
    read_units = -(-per_hour * 250 // 4096)
    return 1e6 * (WRITE_UNIT + read_units * READ_UNIT + 3 * SQS_REQUEST + INVOCATION + 0.03 * MEMORY_GB * GB_SECOND)


def readings(services: int) -> tuple[float, float]:
    """Dollars a month for reading what no event tells of, four times an hour: the calls of ECS and CloudWatch, 50 ms
    each (assumed); and the metrics, where each service has Container Insights and a restart policy. No free tier."""
    runs = 2_920
    calls = 2 + ceil(services / 100) + ceil(services / 10) + ceil(services / 500)
    return runs * calls * 0.05 * MEMORY_GB * GB_SECOND, runs * services * METRIC_READ


def doing_nothing() -> tuple[float, float]:
    """Dollars a million restarts, from and to."""
    least, most = (1e6 * (IMAGE_GB * NAT_GB + items * CONFIG_ITEM) for items in CONFIG_ITEMS)
    return least, most


def fixed(alarm_metrics: int) -> dict[str, float]:
    """Dollars a month of an installation in which nothing loops."""
    runs = 43_800
    return {
        "KMS key of the topic; $1.00 more after each of its first two yearly rotations": KEY_MONTH,
        f"alarms on {alarm_metrics} metrics at $0.10": alarm_metrics * ALARM_MONTH,
        "`sweep`: 43,800 runs of 20 ms (assumed) with one query each": runs
        * (INVOCATION + (OWN_TIME + TABLE_TIME) * MEMORY_GB * GB_SECOND + READ_UNIT / 2),
        "polling of the event queue: about 650,000 requests (assumed)": 650_000 * SQS_REQUEST,
    }
