"""`python -m release.template` writes what is deployed without CDK: a template for each mode, and the functions' zip.

The template is the one that the CDK app makes, with parameters in place of what the app reads from its configuration:
the resources are the same by construction. There is one for each mode, because a permission that a mode does not need
is absent, not switched off.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from infra import asset  # first: infra chooses the Node that aws_cdk starts
from infra.config import StackConfig
from infra.stack import LoopbreakerStack
from infra.values import RETENTION_DAYS
from loopbreaker import VERSION
from loopbreaker.policy import Mode
from release.dist import ROOT, ship

# isort: split
import aws_cdk as cdk

Json = dict[str, Any]

ZIP = f"loopbreaker-{VERSION}.zip"
CONTEXT = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
SOMEBODY = "somebody@example.com"
_HUB = "arn:aws:events:eu-west-1:123456789012:event-bus/somewhere"
_OF_THE_HUB = ("Forwarding", "AlarmsUnforwarded", "AlarmsChangesForwardLost", "AlarmsAlarmsForwardLost")
"""What names of resources begin with that are there only where a hub is told."""
_NOTHING = {"Ref": "AWS::NoValue"}
PER_REGION: Json = {"BucketIsPerRegion": {"Fn::Equals": [{"Ref": "BucketPerRegion"}, "yes"]}}
CODE: Json = {
    "S3Bucket": {"Fn::If": ["BucketIsPerRegion", {"Fn::Sub": "${CodeBucket}-${AWS::Region}"}, {"Ref": "CodeBucket"}]},
    "S3Key": {"Ref": "CodeKey"},
}
"""The code of a function, in a template with these parameters and this condition."""


def main() -> None:
    """Leaves the zip and three templates in `dist/`."""
    output = ROOT / "dist"
    output.mkdir(exist_ok=True)
    ship(output / ZIP)
    for mode in Mode:
        file = output / f"loopbreaker-{mode}.template.json"
        write(file, template(mode))


def write(file: Path, made: Json) -> None:
    file.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


def template(mode: Mode) -> Json:
    """The template of a mode, with parameters."""
    with tempfile.TemporaryDirectory() as folder:
        app = cdk.App(context=CONTEXT, outdir=folder, analytics_reporting=False)
        config = StackConfig(mail=(SOMEBODY,), action=mode, hub=_HUB)
        LoopbreakerStack(app, "Loopbreaker", config=config, package=asset.LAMBDAS)
        app.synth()
        text = (Path(folder) / "Loopbreaker.template.json").read_text(encoding="utf-8")
    return with_parameters(json.loads(text.replace(f'"{_HUB}"', '{"Ref": "Hub"}')), mode)


def with_parameters(made: Json, mode: Mode) -> Json:
    """What CDK made, without what only CDK needs, and with parameters for what somebody may choose."""
    chosen = _parameters(mode)
    resources = {_name(id_, resource): _parametrised(resource, mode) for id_, resource in made["Resources"].items()}
    for id_, resource in resources.items():
        if id_.startswith(_OF_THE_HUB):
            resource["Condition"] = "HasHub"
    has = {f"Has{name}": {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]} for name in chosen if _may_be_empty(name)}
    return {
        "Description": made["Description"],
        "Parameters": chosen,
        "Conditions": has | PER_REGION,
        "Resources": resources,
        "Outputs": made["Outputs"] | {"Recipients": {"Value": {"Fn::Sub": "mail ${Mail}, hub ${Hub}"}}},
    }


def _parameters(mode: Mode) -> Json:
    scope = {
        "ActOn": _text("Patterns of cluster/service on which the stack may act, comma separated; empty means all"),
        "NeverActOn": _text("Patterns of cluster/service on which it never acts, comma separated"),
    }
    return {
        **code_parameters(),
        "Mail": {
            **_text("A mail address that is told"),
            "AllowedPattern": r"^$|^[^@\s]+@[^@\s]+\.[^@\s.]+$",
        },
        **({} if mode is Mode.ALERT else scope),
        "Hub": {
            **_text("ARN of the event bus of the hub that is told all that this stack tells; empty means none"),
            "AllowedPattern": r"^$|^arn:aws[-a-z]*:events:[-a-z0-9]+:\d{12}:event-bus/.+$",
        },
        "Policy": _text("Thresholds that are not as by default, such as fast.depth=4,outage=300"),
        "LogRetentionDays": {
            "Type": "Number",
            "Default": 30,
            "AllowedValues": list(RETENTION_DAYS),
            "Description": "How long logs of the functions are kept",
        },
    }


def code_parameters() -> Json:
    """Where the zip is. A StackSet gives one name for all Regions, and a bucket is in one of them."""
    return {
        "CodeBucket": {"Type": "String", "Description": f"The bucket that holds {ZIP}, in the Region of the stack"},
        "BucketPerRegion": {
            "Type": "String",
            "Default": "no",
            "AllowedValues": ["no", "yes"],
            "Description": "Whether the bucket is CodeBucket, a hyphen and the name of the Region",
        },
        "CodeKey": {"Type": "String", "Default": ZIP, "Description": "The key of the zip in that bucket"},
    }


def _text(description: str) -> Json:
    return {"Type": "String", "Default": "", "Description": description}


def _may_be_empty(name: str) -> bool:
    return name in ("Mail", "ActOn", "NeverActOn", "Policy", "Hub")


def _name(id_: str, resource: Json) -> str:
    """CDK names a subscription after its address, which here is a parameter."""
    return "MailSubscription" if resource["Type"] == "AWS::SNS::Subscription" else id_


def _parametrised(resource: Json, mode: Mode) -> Json:
    resource = {key: value for key, value in resource.items() if key != "Metadata"}
    properties = resource.get("Properties", {})
    match resource["Type"]:
        case "AWS::Lambda::Function":
            properties["Code"] = CODE
            variables = properties["Environment"]["Variables"]
            if "POLICY" in variables:
                variables["POLICY"] = _if_given("Policy")
            if "ACTION" in variables and mode is not Mode.ALERT:
                variables |= {"ACT_ON": _if_given("ActOn"), "NEVER_ACT_ON": _if_given("NeverActOn")}
        case "AWS::Logs::LogGroup":
            properties["RetentionInDays"] = {"Ref": "LogRetentionDays"}
        case "AWS::SNS::Subscription" if properties["Endpoint"] == SOMEBODY:
            properties["Endpoint"] = {"Ref": "Mail"}
            resource["Condition"] = "HasMail"
    return resource


def _if_given(name: str) -> Json:
    return {"Fn::If": [f"Has{name}", {"Ref": name}, _NOTHING]}


if __name__ == "__main__":
    main()
