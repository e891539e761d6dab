"""The tags of every service of the account and Region, by the Resource Groups Tagging API: 100 services a call."""

from collections.abc import Iterator, Mapping
from typing import Any

from loopbreaker.aws.pages import pages
from loopbreaker.model import ServiceRef
from loopbreaker.seeing.tags import service_of_arn


def tagged_services(client: Any) -> Iterator[tuple[ServiceRef, Mapping[str, str]]]:
    """Services that have tags, or once had (Tagging API reference, GetResources)."""
    asked: dict[str, Any] = {"ResourceTypeFilters": ["ecs:service"], "ResourcesPerPage": 100}
    for page in pages(client.get_resources, answer="PaginationToken", **asked):
        for resource in page.get("ResourceTagMappingList", []):
            service = service_of_arn(resource["ResourceARN"])
            if service:
                yield service, {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}
