"""How often containers with a restart policy were restarted inside their tasks: a metric of Container Insights.

Metric `RestartCount` of the namespace `ECS/ContainerInsights`, by cluster and service; it is there only for containers
that have a restart policy, in clusters with Container Insights (CloudWatch user guide, "Amazon ECS Container Insights
metrics"). Each value counts the restarts since the one before (amazon-ecs-agent, `agent/stats/queue.go`).
"""

from collections.abc import Iterator
from typing import Any

from loopbreaker.aws.pages import pages
from loopbreaker.model import ServiceRef

_PERIOD = 300
# Four readings see each restart: metrics come minutes late.
_LOOKS_BACK = 3600
# GetMetricData takes so many metrics at once (CloudWatch API reference).
_AT_ONCE = 500
# More in one period are as good as this many.
_MOST = 96
_BY_SERVICE = ("ClusterName", "ServiceName")


def restarts(client: Any, *, clusters: str, now: float) -> Iterator[tuple[tuple[ServiceRef, tuple[float, ...]], ...]]:
    """Services with restarts within the last hour, and the time of each restart, to five minutes; a few at a time, so
    that whoever has no more time can stop in between.

    clusters: what the ARN of a cluster begins with, up to its name. Where no container has a restart policy, one call
    finds no metric, and no more is asked.
    """
    found: list[tuple[str, str]] = []
    for page in _services(client):
        found += page
        yield ()
    end = now // _PERIOD * _PERIOD + _PERIOD
    for first in range(0, len(found), _AT_ONCE):
        part = found[first : first + _AT_ONCE]
        counted = _counts(client, part, begin=end - _LOOKS_BACK, end=end)
        times = [tuple(sorted(counted.get(f"r{number}", []))) for number in range(len(part))]
        named = [ServiceRef(clusters + cluster, service) for cluster, service in part]
        yield tuple((service, at) for service, at in zip(named, times, strict=True) if at)


def _services(client: Any) -> Iterator[list[tuple[str, str]]]:
    """Cluster and service of each metric that had a value within three hours, page by page."""
    active = pages(
        client.list_metrics,
        answer="NextToken",
        Namespace="ECS/ContainerInsights",
        MetricName="RestartCount",
        Dimensions=[{"Name": name} for name in _BY_SERVICE],
        RecentlyActive="PT3H",
    )
    for page in active:
        named = [{one["Name"]: one["Value"] for one in metric.get("Dimensions", [])} for metric in page["Metrics"]]
        yield [(names["ClusterName"], names["ServiceName"]) for names in named if set(names) == {*_BY_SERVICE}]


def _counts(client: Any, services: list[tuple[str, str]], *, begin: float, end: float) -> dict[str, list[float]]:
    """Times of restarts by the id of the query. Those of one period are a second apart, so that each reading of it
    gives the same ones, and those that came since."""
    queries = [
        {
            "Id": f"r{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "ECS/ContainerInsights",
                    "MetricName": "RestartCount",
                    "Dimensions": [
                        {"Name": name, "Value": value} for name, value in zip(_BY_SERVICE, names, strict=True)
                    ],
                },
                "Period": _PERIOD,
                "Stat": "Sum",
            },
        }
        for number, names in enumerate(services)
    ]
    found: dict[str, list[float]] = {}
    asked: dict[str, Any] = {"MetricDataQueries": queries, "StartTime": begin, "EndTime": end}
    for page in pages(client.get_metric_data, answer="NextToken", **asked):
        for result in page.get("MetricDataResults", []):
            for at, count in zip(result.get("Timestamps", []), result.get("Values", []), strict=True):
                times = [at.timestamp() + number for number in range(min(int(count), _MOST))]
                found.setdefault(result["Id"], []).extend(times)
    return found
