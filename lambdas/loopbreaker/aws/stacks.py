"""Whether a stack of CloudFormation waits for a service.

The tags of a service do not say whose it is: CloudFormation puts its own tags on no AWS::ECS::Service (issue 2062 of
aws-cloudformation/cloudformation-coverage-roadmap).
"""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_NOBODYS = "does not exist"


def waits(cloudformation: Any, service_arn: str) -> bool | None:
    """Whether a stack is creating or updating the service; None where that could not be found out.

    A service belongs to the stack that knows its ARN as a physical id (CloudFormation API reference,
    "DescribeStackResources"). Where none does, that is said as an error of validation.
    """
    try:
        answer = cloudformation.describe_stack_resources(PhysicalResourceId=service_arn)
    except ClientError as error:
        said = error.response["Error"]
        return False if said["Code"] == "ValidationError" and _NOBODYS in said.get("Message", "") else None
    except BotoCoreError:
        return None
    own = [one for one in answer["StackResources"] if one.get("PhysicalResourceId") == service_arn]
    # Of a stack with very many resources the answer may not have them all.
    return any(one["ResourceStatus"].endswith("_IN_PROGRESS") for one in own) if own else None
