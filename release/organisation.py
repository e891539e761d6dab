"""`python -m release.organisation` writes the one template of an organisation: the hub, and the StackSet of its spokes.

The hub is the one that the CDK app makes; the StackSet deploys the template of a mode, which `release.template` wrote,
in every account of the units that are named, with the hub's address.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from infra import asset  # first: infra chooses the Node that aws_cdk starts
from infra.config import StackConfig
from infra.organisation import HubStack
from release.dist import ROOT
from release.template import CODE, CONTEXT, PER_REGION, SOMEBODY, code_parameters, write

# isort: split
import aws_cdk as cdk

Json = dict[str, Any]

NAME = "loopbreaker-organisation.template.json"
_ORGANISATION = "o-0123456789"


def main() -> None:
    """Leaves the template in `dist/`."""
    output = ROOT / "dist"
    output.mkdir(exist_ok=True)
    write(output / NAME, template())


def template() -> Json:
    """The hub with parameters, and the StackSet."""
    made = _hub()
    resources = {_name(id_, one): _parametrised(one) for id_, one in made["Resources"].items()}
    return {
        "Description": made["Description"],
        "Parameters": _parameters(),
        "Conditions": {"HasMail": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Mail"}, ""]}]}, **PER_REGION},
        "Resources": {**resources, "Spokes": _spokes(resources)},
        "Outputs": made["Outputs"],
    }


def _hub() -> Json:
    with tempfile.TemporaryDirectory() as folder:
        app = cdk.App(context=CONTEXT, outdir=folder, analytics_reporting=False)
        HubStack(app, "Hub", config=StackConfig(mail=(SOMEBODY,), organisation=_ORGANISATION), package=asset.LAMBDAS)
        app.synth()
        text = (Path(folder) / "Hub.template.json").read_text(encoding="utf-8")
    made: Json = json.loads(text.replace(f'"{_ORGANISATION}"', '{"Ref": "Organisation"}'))
    return made


def _parameters() -> Json:
    return {
        "Organisation": {
            "Type": "String",
            "AllowedPattern": "o-[a-z0-9]{10,32}",
            "Description": "Id of the organisation whose accounts may tell the hub",
        },
        "Units": {
            "Type": "CommaDelimitedList",
            "Description": "Ids of organizational units, or of the root, whose accounts are protected",
        },
        "Regions": {"Type": "CommaDelimitedList", "Description": "Regions in which they are protected"},
        "SpokeTemplate": {
            "Type": "String",
            "AllowedPattern": "https://.+",
            "Description": "Address, in S3, of the template of the mode in which they are protected",
        },
        "CallAs": {
            "Type": "String",
            "Default": "SELF",
            "AllowedValues": ["SELF", "DELEGATED_ADMIN"],
            "Description": "SELF in the management account, DELEGATED_ADMIN in a delegated one",
        },
        "Mail": {"Type": "String", "Default": "", "Description": "A mail address that the hub tells"},
        **code_parameters(),
    }


def _name(id_: str, resource: Json) -> str:
    """As in the other templates: CDK names a subscription after its address, which here is a parameter."""
    return "MailSubscription" if resource["Type"] == "AWS::SNS::Subscription" else id_


def _parametrised(resource: Json) -> Json:
    resource = {key: value for key, value in resource.items() if key != "Metadata"}
    match resource["Type"]:
        case "AWS::Lambda::Function":
            resource["Properties"]["Code"] = CODE
        case "AWS::SNS::Subscription":
            resource["Properties"]["Endpoint"] = {"Ref": "Mail"}
            resource["Condition"] = "HasMail"
    return resource


def _only(resources: Json, kind: str) -> str:
    (found,) = [id_ for id_, resource in resources.items() if resource["Type"] == kind]
    return found


def _spokes(hub: Json) -> Json:
    """In every account of the units, those that join later among them; never in the management account itself.

    AWS docs: "AWS::CloudFormation::StackSet", "Create CloudFormation StackSets with service-managed permissions".
    """
    given = {
        "Hub": {"Fn::GetAtt": [_only(hub, "AWS::Events::EventBus"), "Arn"]},
        "CodeBucket": {"Ref": "CodeBucket"},
        "CodeKey": {"Ref": "CodeKey"},
        "BucketPerRegion": {"Ref": "BucketPerRegion"},
    }
    return {
        "Type": "AWS::CloudFormation::StackSet",
        "Properties": {
            "StackSetName": {"Fn::Sub": "${AWS::StackName}-Spokes"},
            "Description": "Loopbreaker in each account: it protects its services by itself, and tells the hub",
            "PermissionModel": "SERVICE_MANAGED",
            "CallAs": {"Ref": "CallAs"},
            "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
            "ManagedExecution": {"Active": True},
            "Capabilities": ["CAPABILITY_IAM"],
            "OperationPreferences": {
                "RegionConcurrencyType": "PARALLEL",
                "MaxConcurrentPercentage": 10,
                "FailureTolerancePercentage": 5,
            },
            "TemplateURL": {"Ref": "SpokeTemplate"},
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            "StackInstancesGroup": [
                {
                    "DeploymentTargets": {"OrganizationalUnitIds": {"Ref": "Units"}},
                    "Regions": {"Ref": "Regions"},
                }
            ],
        },
        "DependsOn": [_only(hub, "AWS::Events::EventBusPolicy")],
    }


if __name__ == "__main__":
    main()
