"""Writes the part of botocore's data that the functions need: `python -m infra.botocore_data`.

botocore (Apache-2.0) describes every service of AWS in files. To make a client it looks into the folders of more than
four hundred services, reads the endpoints of all of them, 1.25 MB of JSON, and all operations of the one with their
documentation: a third of a cold start. The functions carry the operations that they call, and look nowhere else.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "application-autoscaling": ("DescribeScalableTargets", "RegisterScalableTarget"),
    "cloudwatch": ("GetMetricData", "ListMetrics"),
    "devops-agent": ("CreateBacklogTask",),
    "cloudformation": ("DescribeStackResources",),
    "dynamodb": ("DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"),
    "ec2": ("DescribeSubnets",),
    "ecs": (
        "DescribeServiceDeployments",
        "DescribeServiceRevisions",
        "DescribeServices",
        "DescribeTaskDefinition",
        "DescribeTasks",
        "ListClusters",
        "ListServiceDeployments",
        "ListServices",
        "ListTasks",
        "StopServiceDeployment",
        "TagResource",
        "UntagResource",
        "UpdateService",
    ),
    "elbv2": ("DescribeTargetGroups", "DescribeTargetHealth"),
    "events": ("PutEvents",),
    "logs": ("GetLogEvents",),
    "resourcegroupstaggingapi": ("GetResources",),
    "secretsmanager": ("GetSecretValue",),
    "sns": ("Publish",),
    "sqs": ("SendMessage",),
}
"""By botocore's name of each service. A client has no other operation."""
TARGET = Path(__file__).parent.parent / "lambdas" / "loopbreaker" / "aws" / "data"
Json = dict[str, Any]


def files() -> Iterator[tuple[str, str]]:
    """Path below the folder and text of each file, from the installed botocore."""
    loader = Loader()
    for name in ("partitions", "sdk-default-configuration", "_retry"):
        yield f"{name}.json", _text(loader.load_data(name))
    yield "endpoints.json", _text(_endpoints(loader.load_data("endpoints")))
    for service, operations in OPERATIONS.items():
        version = loader.determine_latest_version(service, "service-2")
        folder = f"{service}/{version}"
        yield f"{folder}/service-2.json", _text(_model(loader.load_service_model(service, "service-2"), operations))
        rules = loader.load_service_model(service, "endpoint-rule-set-1", version)
        yield f"{folder}/endpoint-rule-set-1.json", _text(_plain(rules))
        pages = loader.load_service_model(service, "paginators-1", version)["pagination"]
        paged = {name: pages[name] for name in operations if name in pages}
        yield f"{folder}/paginators-1.json", _text({"pagination": paged})


def _endpoints(endpoints: Json) -> Json:
    """The partitions and their Regions. Where a service is reached is in its own rules, so the hosts are left out."""
    return endpoints | {"partitions": [partition | {"services": {}} for partition in endpoints["partitions"]]}


def _model(model: Json, operations: tuple[str, ...]) -> Json:
    """The service with these operations, and what they speak of."""
    kept = {name: _plain(model["operations"][name]) for name in operations}
    shapes: Json = {}
    wanted = set(_shapes(kept))
    while wanted:
        name = wanted.pop()
        shapes[name] = _plain(model["shapes"][name])
        wanted |= {*_shapes(shapes[name])} - shapes.keys()
    return {**_plain(model), "operations": kept, "shapes": shapes}


def _shapes(part: Any) -> Iterator[str]:
    """The shapes that a part of a model names."""
    values = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    if isinstance(part, dict) and isinstance(part.get("shape"), str):
        yield part["shape"]
    for value in values:
        yield from _shapes(value)


def _plain(part: Any) -> Any:
    """A part of a model without the words about it. What is named `documentation` may be a member of a shape, too."""
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {name: _plain(value) for name, value in part.items() if name != "documentation" or isinstance(value, dict)}


def _text(data: Json) -> str:
    return json.dumps(data, separators=(",", ":"), sort_keys=True) + "\n"


if __name__ == "__main__":
    shutil.rmtree(TARGET)
    for path, text in files():
        (TARGET / path).parent.mkdir(parents=True, exist_ok=True)
        (TARGET / path).write_text(text, encoding="utf-8")
