"""A change of the tags of a service, as EventBridge tells it.

Tagging AWS Resources user guide, "Monitor tag changes with serverless workflows and Amazon EventBridge": the event
names the resource and has all of its tags. Its delivery is best effort.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from loopbreaker.model import ServiceRef
from loopbreaker.seeing.fields import MalformedEventError

DETAIL_TYPE = "Tag Change on Resource"


@dataclass(frozen=True, slots=True)
class Tagged:
    """A service and its tags."""

    service: ServiceRef
    tags: Mapping[str, str]


def is_tag_change(envelope: object) -> bool:
    return isinstance(envelope, dict) and envelope.get("detail-type") == DETAIL_TYPE


def tag_change(envelope: object) -> Tagged | None:
    """What such an event says; None where it is of no service. Raises MalformedEventError."""
    match envelope:
        case {"resources": [str(arn), *_], "detail": {"tags": dict(tags)}}:
            if not all(isinstance(text, str) for pair in tags.items() for text in pair):
                raise MalformedEventError("detail.tags: not all of it is text")
            service = service_of_arn(arn)
            return Tagged(service, tags) if service else None
        case _:
            raise MalformedEventError("a change of tags without resources or detail.tags")


def service_of_arn(arn: str) -> ServiceRef | None:
    """The service of `arn:aws:ecs:<region>:<account>:service/<cluster>/<name>`; None where that is another ARN.

    Services can be tagged only where their ARN names the cluster (ECS developer guide, "Tagging Amazon ECS resources").
    """
    head, _, path = arn.partition(":service/")
    cluster, _, name = path.partition("/")
    if head.count(":") != 4 or head.split(":")[2] != "ecs" or not (cluster and name) or "/" in name:
        return None
    return ServiceRef(f"{head}:cluster/{cluster}", name)
