"""Services that shall run tasks and run none, of every cluster: ten services a call."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from loopbreaker.aws.pages import pages
from loopbreaker.model import ServiceRef

# DescribeServices takes so many at once (ECS API reference).
_AT_ONCE = 10


def empty_services(client: Any) -> Iterator[tuple[ServiceRef, ...]]:
    """Those among each few services that were asked about, so that whoever has no more time can stop in between.

    A daemon runs where there are instances, and may run nowhere.
    """
    for page in pages(client.list_clusters, answer="nextToken"):
        for cluster in page["clusterArns"]:
            yield from _of_cluster(client, cluster)


def _of_cluster(client: Any, cluster: str) -> Iterator[tuple[ServiceRef, ...]]:
    try:
        for page in pages(client.list_services, answer="nextToken", cluster=cluster, maxResults=100):
            arns = page["serviceArns"]
            for first in range(0, len(arns), _AT_ONCE):
                asked = arns[first : first + _AT_ONCE]
                described = client.describe_services(cluster=cluster, services=asked)["services"]
                yield tuple(ServiceRef(cluster, one["serviceName"]) for one in described if _is_empty(one))
    except ClientError as error:
        # It was deleted meanwhile.
        if error.response["Error"]["Code"] != "ClusterNotFoundException":
            raise


def _is_empty(service: dict[str, Any]) -> bool:
    replica = service.get("schedulingStrategy", "REPLICA") == "REPLICA" and service.get("status") == "ACTIVE"
    return replica and service.get("desiredCount", 0) > 0 and service.get("runningCount", 0) == 0
