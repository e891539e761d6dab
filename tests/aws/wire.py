"""Facts read off the wire: the SDK's own clients, answered with the JSON and XML that AWS sends. Prints the facts.

Run by itself with another SDK first on PYTHONPATH, it says what that one makes of the same answers.
"""

import json
from typing import Any

import botocore
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.session import Session

from loopbreaker.aws.ecs import LiveEcs, unreadable
from loopbreaker.model import ServiceRef
from loopbreaker.treating.facts import Facts, Unknown

_HERE = "arn:aws:ecs:eu-west-1:123456789012"
_GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef"
_TASK = f"{_HERE}:task/prod/{1:032x}"
_ROLLOUT = f"{_HERE}:service-deployment/prod/web/abcdefghijklmnopqrstu"
SERVICE = ServiceRef(f"{_HERE}:cluster/prod", "web")
_DEPLOYMENTS = [
    {
        "id": "ecs-svc/1111111111111111111",
        "status": "PRIMARY",
        "taskDefinition": f"{_HERE}:task-definition/web:8",
        "runningCount": 1,
        "rolloutState": "IN_PROGRESS",
        "createdAt": 1767225600.5,
    },
    {
        "id": "ecs-svc/2222222222222222222",
        "status": "ACTIVE",
        "taskDefinition": f"{_HERE}:task-definition/web:7",
        "runningCount": 2,
        "rolloutState": "COMPLETED",
        "createdAt": 1767220000,
    },
]
_ECS: dict[str, Any] = {
    "DescribeServices": {
        "services": [
            {
                "serviceArn": f"{_HERE}:service/prod/web",
                "status": "ACTIVE",
                "desiredCount": 3,
                "schedulingStrategy": "REPLICA",
                "deploymentController": {"type": "ECS"},
                "resourceManagementType": "ECS",
                "healthCheckGracePeriodSeconds": 30,
                "currentServiceDeployment": _ROLLOUT,
                "tags": [{"key": "loopbreaker:action", "value": "stop"}],
                "deployments": _DEPLOYMENTS,
                "loadBalancers": [{"targetGroupArn": _GROUP, "containerName": "web", "containerPort": 80}],
            }
        ]
    },
    "DescribeServiceDeployments": {
        "serviceDeployments": [
            {
                "serviceDeploymentArn": _ROLLOUT,
                "status": "IN_PROGRESS",
                "sourceServiceRevisions": [{"arn": f"{_HERE}:service-revision/prod/web/1", "runningTaskCount": 2}],
                "deploymentCircuitBreaker": {"status": "MONITORING", "failureCount": 4, "threshold": 10},
            }
        ]
    },
    "ListTasks": {"taskArns": [_TASK]},
    "DescribeTasks": {
        "tasks": [
            {
                "taskArn": _TASK,
                "lastStatus": "RUNNING",
                "desiredStatus": "RUNNING",
                "healthStatus": "HEALTHY",
                "createdAt": 1767225610.25,
                "startedAt": 1767225620.75,
                "startedBy": "ecs-svc/1111111111111111111",
                "attachments": [
                    {
                        "type": "ElasticNetworkInterface",
                        "details": [{"name": "privateIPv4Address", "value": "10.0.0.1"}],
                    }
                ],
            }
        ]
    },
}
_SCALING = {
    "DescribeScalableTargets": {
        "ScalableTargets": [
            {
                "ServiceNamespace": "ecs",
                "ResourceId": "service/prod/web",
                "ScalableDimension": "ecs:service:DesiredCount",
                "MinCapacity": 2,
                "MaxCapacity": 9,
                "SuspendedState": {
                    "DynamicScalingInSuspended": True,
                    "DynamicScalingOutSuspended": False,
                    "ScheduledScalingSuspended": True,
                },
            }
        ]
    }
}
_TARGETS = """<DescribeTargetHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">
<DescribeTargetHealthResult><TargetHealthDescriptions><member><Target><Id>10.0.0.1</Id><Port>80</Port></Target>
<TargetHealth><State>draining</State></TargetHealth></member></TargetHealthDescriptions></DescribeTargetHealthResult>
</DescribeTargetHealthResponse>"""


class _Body:
    """The body of an answer, as urllib3 would stream it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_how: object) -> list[bytes]:
        return [self._content]


def _answer(request: AWSRequest, **_event: object) -> AWSResponse:
    target = request.headers.get("X-Amz-Target")
    operation = (target.decode() if isinstance(target, bytes) else str(target)).rpartition(".")[2]
    known = _ECS | _SCALING
    content = json.dumps(known[operation]) if operation in known else _TARGETS
    return AWSResponse(str(request.url), 200, HTTPHeaders(), _Body(content.encode()))


def facts(session: Session) -> Facts | Unknown:
    """What the SDK that `session` brings makes of a service in the middle of a deployment."""

    def client(name: str) -> Any:
        made: Any = session.create_client(
            name,
            region_name="eu-west-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        made.meta.events.register("before-send", _answer)
        return made

    ecs = client("ecs")
    return LiveEcs(ecs, client("application-autoscaling"), lambda: client("elbv2"), blind=unreadable(ecs)).read(SERVICE)


if __name__ == "__main__":
    print(botocore.__version__)
    print(facts(Session()))
