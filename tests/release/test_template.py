"""The ways in are one product: the template without CDK, the CDK app, the construct and Terraform make the same."""

import json
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import hcl2
import pytest

from infra import asset
from infra.config import StackConfig
from infra.stack import Loopbreaker, LoopbreakerStack
from loopbreaker import VERSION
from loopbreaker.policy import Mode
from release.template import CONTEXT, template
from tests.infra.resources import of_type
from tests.release.conftest import ROOT

# isort: split
import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

Json = dict[str, Any]

HUB = "arn:aws:events:eu-west-1:123456789012:event-bus/loopbreaker-hub"


@pytest.fixture(scope="module")
def released() -> dict[Mode, Json]:
    """The templates, one for each mode."""
    return {mode: template(mode) for mode in Mode}


def by_app(folder: Path, mode: Mode) -> Json:
    """What the CDK app makes, with one mail address and a hub."""
    app = cdk.App(context=CONTEXT, outdir=str(folder), analytics_reporting=False)
    LoopbreakerStack(
        app, "Loopbreaker", config=StackConfig(mail=("ops@example.com",), action=mode, hub=HUB), package=asset.LAMBDAS
    )
    app.synth()
    made: Json = json.loads((folder / "Loopbreaker.template.json").read_text())
    return made


def by_construct(folder: Path, mode: Mode) -> Json:
    """What the construct adds to somebody else's stack."""
    app = cdk.App(context=CONTEXT, outdir=str(folder), analytics_reporting=False)
    stack = cdk.Stack(app, "Theirs")
    code = lambda_.Code.from_asset(str(asset.LAMBDAS))
    Loopbreaker(stack, "Loops", config=StackConfig(mail=("ops@example.com",), action=mode, hub=HUB), code=code)
    app.synth()
    made: Json = json.loads((folder / "Theirs.template.json").read_text())
    return made


def named(made: Json) -> dict[str, str]:
    resources = made["Resources"].items()
    return {id_: item["Type"] for id_, item in resources if item["Type"] != "AWS::SNS::Subscription"}


def kinds(made: Json) -> Counter[str]:
    return Counter(resource["Type"] for resource in made["Resources"].values())


@pytest.mark.parametrize("mode", Mode, ids=str)
def test_every_way_makes_the_same_resources(mode: Mode, released: dict[Mode, Json], tmp_path: Path) -> None:
    """The template has those of the app, by name; the construct has as many of each kind, below its own name.

    One differs for a reason: the app names a subscription after its address, which is a parameter of the template.
    """
    app = by_app(tmp_path / "app", mode)
    assert named(released[mode]) == named(app)
    assert kinds(released[mode]) == kinds(app)
    assert kinds(by_construct(tmp_path / "construct", mode)) == kinds(app)
    assert set(released[mode]["Outputs"]) == set(app["Outputs"])


@pytest.mark.parametrize("mode", Mode, ids=str)
def test_permissions_are_those_of_the_app(mode: Mode, released: dict[Mode, Json], tmp_path: Path) -> None:
    """A permission that a mode does not need is absent, not switched off by a condition."""
    app = by_app(tmp_path, mode)
    expected = json.loads(json.dumps(of_type(app, "AWS::IAM::Policy")).replace(f'"{HUB}"', '{"Ref": "Hub"}'))
    assert of_type(released[mode], "AWS::IAM::Policy") == expected
    text = json.dumps(of_type(released[mode], "AWS::IAM::Policy"))
    assert ("ecs:UpdateService" in text) == (mode is Mode.STOP)
    assert ("ecs:StopServiceDeployment" in text) == (mode is not Mode.ALERT)


@pytest.mark.parametrize("mode", Mode, ids=str)
def test_the_template_needs_no_bootstrap(mode: Mode, released: dict[Mode, Json]) -> None:
    """Nothing of CDK is left in it; every parameter is used, and everything that is referred to is there."""
    made = released[mode]
    text = json.dumps(made)
    assert "cdk" not in text.lower().replace("aws:cdk", "")
    referred = set(re.findall(r'"Ref": "([^"]+)"', text)) | set(re.findall(r'"Fn::GetAtt": \["([^"]+)"', text))
    known = set(made["Parameters"]) | set(made["Resources"])
    assert {name for name in referred if not name.startswith("AWS::")} <= known
    assert set(made["Parameters"]) <= referred
    assert made["Description"].startswith(f"Loopbreaker {VERSION}: ")
    assert len(text) < 1_000_000  # AWS docs: CloudFormation quotas, a template in a bucket
    assert len(made["Resources"]) < 500


def test_parameters_reach_the_functions(released: dict[Mode, Json]) -> None:
    """Thresholds, patterns and retention; where nothing is given the variable is absent."""
    made = released[Mode.STOP]
    functions = {f["Handler"]: f["Environment"]["Variables"] for f in of_type(made, "AWS::Lambda::Function").values()}
    given = {"Fn::If": ["HasPolicy", {"Ref": "Policy"}, {"Ref": "AWS::NoValue"}]}
    assert functions["handlers.detect.handler"]["POLICY"] == given
    respond = functions["handlers.respond.handler"]
    assert (respond["POLICY"], respond["ACTION"]) == (given, "stop")
    assert respond["NEVER_ACT_ON"]["Fn::If"][1] == {"Ref": "NeverActOn"}
    assert "ActOn" not in released[Mode.ALERT]["Parameters"]
    groups = of_type(made, "AWS::Logs::LogGroup").values()
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups)


def test_a_hub_is_told_where_one_is_given(released: dict[Mode, Json]) -> None:
    """Everything that refers to the hub is there only with it, and nothing else hangs on it."""
    resources = released[Mode.ALERT]["Resources"]
    with_hub = {id_ for id_, one in resources.items() if one.get("Condition") == "HasHub"}
    assert {"Hub"} <= {name for id_ in with_hub for name in references(resources[id_])}
    for id_ in resources.keys() - with_hub:
        assert not references(resources[id_]) & (with_hub | {"Hub"}), id_


def references(resource: Json) -> set[str]:
    text = json.dumps(resource)
    return set(re.findall(r'"Ref": "([^"]+)"', text)) | set(re.findall(r'"Fn::GetAtt": \["([^"]+)"', text))


def test_mail_is_subscribed_where_an_address_is_given(released: dict[Mode, Json]) -> None:
    """An empty address leaves the subscription out."""
    ((_, resource),) = [
        (id_, r) for id_, r in released[Mode.ALERT]["Resources"].items() if r["Type"] == "AWS::SNS::Subscription"
    ]
    assert (resource["Condition"], resource["Properties"]["Endpoint"]) == ("HasMail", {"Ref": "Mail"})
    pattern = re.compile(released[Mode.ALERT]["Parameters"]["Mail"]["AllowedPattern"])
    assert [bool(pattern.search(text)) for text in ("", "ops@example.com", "ops", "a b@c.d")] == [
        True,
        True,
        False,
        False,
    ]


def terraform(name: str) -> Json:
    """A file of the module, as a parser of HCL reads it: what is computed stands in `${}`, text in quotes."""
    with (ROOT / "terraform" / f"{name}.tf").open(encoding="utf-8") as file:
        read: Json = hcl2.load(file)
    return read


def test_terraform_gives_every_parameter_and_no_other(released: dict[Mode, Json]) -> None:
    """The module drives the templates: what it passes is what they take."""
    main = terraform("main")
    (stack,) = [one['"aws_cloudformation_stack"'] for one in main["resource"] if '"aws_cloudformation_stack"' in one]
    given = stack['"loopbreaker"']
    assert given["capabilities"] == ['"CAPABILITY_IAM"']
    passed = set(re.findall(r"\b([A-Z]\w+) = ", given["parameters"]))
    scope = set(re.findall(r"\b([A-Z]\w+) = ", main["locals"][0]["scope"]))
    assert scope == {"ActOn", "NeverActOn"}
    # A module is for one Region, so it names the bucket itself.
    assert passed | scope | {"BucketPerRegion"} == set(released[Mode.STOP]["Parameters"])
    assert passed | {"BucketPerRegion"} == set(released[Mode.ALERT]["Parameters"])


def test_terraform_uses_what_it_declares() -> None:
    """Every variable has a type and is used; what is used is declared; the files it looks for are those we write."""
    main = terraform("main")
    declared = {name.strip('"'): one for each in terraform("variables")["variable"] for name, one in each.items()}
    assert set(re.findall(r"var\.(\w+)", json.dumps(main))) == set(declared)
    assert all("type" in one for one in declared.values())
    (names,) = main["locals"]
    assert names["template"] == '"${var.release}/loopbreaker-${var.action}.template.json"'
    assert names["zip"] == '"${var.release}/${jsondecode(file(local.template)).Parameters.CodeKey.Default}"'
    modes = re.findall(r'"(\w+)"', declared["action"]["validation"][0]["condition"])
    assert modes == [mode.value for mode in Mode]


def test_terraform_keeps_what_a_failed_update_goes_back_to() -> None:
    """Zip and template have keys of their contents, and the old ones are deleted after the stack was updated."""
    objects = [one['"aws_s3_object"'] for one in terraform("main")["resource"] if '"aws_s3_object"' in one]
    assert len(objects) == 2
    for (each,) in (list(one.values()) for one in objects):
        assert [one["create_before_destroy"] for one in each["lifecycle"]] == [True]
        assert f"filemd5({each['source'].strip('${}')})" in each["key"]


def test_the_zip_is_that_of_the_package(wheel: Path) -> None:
    """One build of the functions for all ways."""
    with zipfile.ZipFile(wheel) as zipped, zipfile.ZipFile(ROOT / "infra" / "functions.zip") as alone:
        assert zipped.read("loopbreaker/cdk/functions.zip") == (ROOT / "infra" / "functions.zip").read_bytes()
        assert "handlers/respond.py" in alone.namelist()
