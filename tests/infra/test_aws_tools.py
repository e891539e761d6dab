"""The template as tools see it that know AWS: cfn-lint its resources, policy_sentry its permissions."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra.resources import as_list

Json = dict[str, Any]
TOOLS = Path(sys.prefix) / "checks" / "bin"
"""Where `make install` puts them, in an environment of their own."""


def test_cloudformation_takes_the_template(templates: dict[str, Json], tmp_path: Path) -> None:
    """cfn-lint has nothing to say of any mode's template, but that CDK names dependencies twice (W3005)."""
    files = []
    for mode, template in templates.items():
        files.append(tmp_path / f"{mode}.json")
        files[-1].write_text(json.dumps(template))
    done = started("cfn-lint", "-i", "W3005", "-t", *map(str, files))
    assert (done.returncode, done.stdout) == (0, "")


def test_cfn_lint_is_there_and_looks(template: Json, tmp_path: Path) -> None:
    """A property that CloudFormation does not know is found, so the test above can fail."""
    wrong = json.loads(json.dumps(template))
    table = next(one for one in wrong["Resources"].values() if one["Type"] == "AWS::DynamoDB::Table")
    table["Properties"]["BilingMode"] = "PAY_PER_REQUEST"
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    assert "BilingMode" in started("cfn-lint", "-t", str(tmp_path / "wrong.json")).stdout


def test_iam_knows_every_permission(templates: dict[str, Json]) -> None:
    """Each action that a policy names exists, and knows each condition key that is asked of it."""
    assert {"aws:ResourceTag/loopbreaker:action", "application-autoscaling:service-namespace"} <= {
        key for statement in granted(templates["stop"]) for key in statement["keys"]
    }
    assert unknown([statement for template in templates.values() for statement in granted(template)]) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ({"actions": ["ecs:StopServices"], "keys": []}, "ecs:StopServices: no such action"),
        (
            {"actions": ["ecs:DescribeServices", "ecs:ListServices"], "keys": ["aws:TagKeys"]},
            "ecs:DescribeServices: no condition key aws:TagKeys",
        ),
        (
            {"actions": ["application-autoscaling:RegisterScalableTarget"], "keys": ["ecs:cluster"]},
            "application-autoscaling:RegisterScalableTarget: no condition key ecs:cluster",
        ),
    ],
)
def test_a_permission_that_does_nothing_is_found(statement: Json, said: str) -> None:
    """IAM takes an action that does not exist, and a condition that never holds, without a word."""
    assert said in unknown([statement])


def unknown(statements: list[Json]) -> list[str]:
    """What policy_sentry's data does not know of the statements."""
    script = Path(__file__).with_name("iam_data.py")
    done = started("python", str(script), given=json.dumps(statements))
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def granted(template: Json) -> Iterator[Json]:
    """The actions and the condition keys of every statement of every policy, whoever has it."""
    for resource in template["Resources"].values():
        for document in documents(resource.get("Properties", {})):
            for statement in document["Statement"]:
                keys = [key for asked in statement.get("Condition", {}).values() for key in asked]
                yield {"actions": as_list(statement["Action"]), "keys": keys}


def documents(value: object) -> Iterator[Json]:
    """Policy documents anywhere in a resource."""
    match value:
        case {"Statement": list()}:
            assert isinstance(value, dict)
            yield value
        case dict():
            for part in value.values():
                yield from documents(part)
        case list():
            for part in value:
                yield from documents(part)


def started(tool: str, *arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    assert (TOOLS / tool).exists(), "`make install` installs it"
    return subprocess.run([TOOLS / tool, *arguments], input=given, capture_output=True, text=True, check=False)
