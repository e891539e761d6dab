"""What of a whole task changed between two definitions, and how much of long words is said."""

from typing import Any

import pytest

from loopbreaker.telling.changes import changes
from loopbreaker.telling.diagnosis import Difference

ONE: dict[str, Any] = {
    "cpu": "256",
    "memory": "512",
    "networkMode": "awsvpc",
    "taskRoleArn": "arn:aws:iam::123456789012:role/web",
    "executionRoleArn": "arn:aws:iam::123456789012:role/start",
    "runtimePlatform": {"cpuArchitecture": "X86_64"},
    "ephemeralStorage": {"sizeInGiB": 21},
    "volumes": [{"name": "data"}, {"name": "tmp"}],
    "containerDefinitions": [{"name": "web", "image": "shop:1"}],
}


@pytest.mark.parametrize(
    ("changed", "what", "before", "after"),
    [
        ({"cpu": "512"}, "cpu of the task", "256", "512"),
        ({"memory": None}, "memory of the task", "512", ""),
        ({"networkMode": "host"}, "networkMode of the task", "awsvpc", "host"),
        ({"taskRoleArn": "x"}, "taskRoleArn of the task", "arn:aws:iam::123456789012:role/web", "x"),
        ({"executionRoleArn": "x"}, "executionRoleArn of the task", "arn:aws:iam::123456789012:role/start", "x"),
        ({"runtimePlatform": {"cpuArchitecture": "ARM64"}}, "cpuArchitecture of the task", "X86_64", "ARM64"),
        ({"runtimePlatform": None}, "cpuArchitecture of the task", "X86_64", ""),
        ({"ephemeralStorage": {"sizeInGiB": 40}}, "sizeInGiB of the task", "21", "40"),
        ({"volumes": [{"name": "tmp"}, {"name": "new"}]}, "volumes of the task", "data", "new"),
        ({"volumes": None}, "volumes of the task", "data, tmp", ""),
    ],
)
def test_what_changed_of_the_task(changed: dict[str, Any], what: str, before: str, after: str) -> None:
    """Its size, network, roles, platform, disk and volumes."""
    assert changes(ONE, ONE | changed) == (Difference(what, before, after),)


def of_web(**fields: Any) -> dict[str, Any]:
    return ONE | {"containerDefinitions": [{"name": "web", "image": "shop:1", **fields}]}


def test_a_secret_that_came_and_one_that_went_are_named() -> None:
    """With where each is kept."""
    one, other = ({"name": name, "valueFrom": f"arn:{name}"} for name in ("OLD", "NEW"))
    assert changes(of_web(secrets=[one]), of_web(secrets=[other])) == (
        Difference("secret NEW of web", "", "arn:NEW"),
        Difference("secret OLD of web", "arn:OLD", ""),
    )


def test_lists_that_are_null_are_empty() -> None:
    """As an API may answer."""
    empty = of_web(environment=None, secrets=None, portMappings=None)
    assert changes(of_web(), empty) == changes(of_web(), of_web(environment=[], secrets=[], portMappings=[])) == ()


def test_long_words_are_cut() -> None:
    """Names at 60 characters, values at 160."""
    name = "N" * 100
    (secret,) = changes(of_web(), of_web(secrets=[{"name": name, "valueFrom": "v" * 500}]))
    assert secret == Difference(f"secret {'N' * 59}… of web", "", "v" * 159 + "…")
    values = [of_web(environment=[{"name": name, "value": value}]) for value in "ab"]
    (variable,) = changes(*values)
    assert variable == Difference(f"value of {'N' * 59}… in web", "one value", "another")
