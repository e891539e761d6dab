"""Finds things in a CloudFormation template."""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]


def of_type(template: Json, kind: str) -> Json:
    """Properties of every resource of a type, by logical id."""
    found = {id_: item.get("Properties", {}) for id_, item in template["Resources"].items() if item["Type"] == kind}
    assert found, f"the template has no {kind}"
    return found


def functions(template: Json) -> Json:
    """Properties of every function, by its short name."""
    found = of_type(template, "AWS::Lambda::Function")
    return {item["Handler"].split(".")[1]: item for item in found.values()}


def function_ids(template: Json) -> dict[str, str]:
    """Short name of every function, by logical id."""
    found = of_type(template, "AWS::Lambda::Function")
    return {id_: item["Handler"].split(".")[1] for id_, item in found.items()}


def referenced(value: object) -> Iterator[str]:
    """Logical ids that a value refers to."""
    match value:
        case {"Ref": str(id_)} | {"Fn::GetAtt": [str(id_), _]}:
            yield id_
        case dict():
            for part in value.values():
                yield from referenced(part)
        case list():
            for part in value:
                yield from referenced(part)


def as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(template: Json, function: str) -> list[Json]:
    """Policy statements of a function's role."""
    role = next(iter(referenced(functions(template)[function]["Role"])))
    policies = of_type(template, "AWS::IAM::Policy").values()
    attached = [policy for policy in policies if role in set(referenced(policy["Roles"]))]
    return [statement for policy in attached for statement in policy["PolicyDocument"]["Statement"]]


def watched_by(template: Json) -> Iterator[tuple[str, str]]:
    """What the alarms look at, as (metric, logical id), also where one looks at several."""
    for alarm in of_type(template, "AWS::CloudWatch::Alarm").values():
        several = [entry["MetricStat"]["Metric"] for entry in alarm.get("Metrics", []) if "MetricStat" in entry]
        for metric in several or [alarm]:
            for id_ in referenced(metric["Dimensions"]):
                yield metric["MetricName"], id_
