"""Services that shall run tasks and run none, of every cluster: ten services a call."""

from collections.abc import Iterator
from math import modf
from typing import Any

from botocore.exceptions import ClientError

from loopbreaker.aws.pages import pages
from loopbreaker.judging.untold import READ_EVERY
from loopbreaker.model import ServiceRef

# DescribeServices takes so many at once (ECS API reference).
_AT_ONCE = 10
# Where so large a share of the way is gone on each time, the beginnings lie evenly: the golden section.
_ON = (5**0.5 - 1) / 2


def empty_services(client: Any, *, now: float) -> Iterator[tuple[ServiceRef, ...]]:
    """Those among each few services that were asked about, so that whoever has no more time can stop in between.

    Each reading begins elsewhere: where there is never time for all, nobody is left out each time.
    A daemon runs where there are instances, and may run nowhere.
    """
    asked: list[tuple[str, list[str]]] = []
    for page in pages(client.list_clusters, answer="nextToken"):
        for cluster in page["clusterArns"]:
            asked += _listed(client, cluster)
            yield ()
    begin = int(modf(now // READ_EVERY * _ON)[0] * len(asked))
    for cluster, services in asked[begin:] + asked[:begin]:
        yield _empty(client, cluster, services)


def _listed(client: Any, cluster: str) -> Iterator[tuple[str, list[str]]]:
    try:
        for page in pages(client.list_services, answer="nextToken", cluster=cluster, maxResults=100):
            arns = page["serviceArns"]
            for first in range(0, len(arns), _AT_ONCE):
                yield cluster, arns[first : first + _AT_ONCE]
    except ClientError as error:
        _unless_deleted(error)


def _empty(client: Any, cluster: str, services: list[str]) -> tuple[ServiceRef, ...]:
    try:
        described = client.describe_services(cluster=cluster, services=services)["services"]
    except ClientError as error:
        _unless_deleted(error)
        return ()
    return tuple(ServiceRef(cluster, one["serviceName"]) for one in described if _is_empty(one))


def _unless_deleted(error: ClientError) -> None:
    """A cluster may be deleted meanwhile; every other fault is one."""
    if error.response["Error"]["Code"] != "ClusterNotFoundException":
        raise error


def _is_empty(service: dict[str, Any]) -> bool:
    replica = service.get("schedulingStrategy", "REPLICA") == "REPLICA" and service.get("status") == "ACTIVE"
    return replica and service.get("desiredCount", 0) > 0 and service.get("runningCount", 0) == 0
