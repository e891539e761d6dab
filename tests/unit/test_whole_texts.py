"""Classification of whole texts, as long as ECS, Fargate, Docker, containerd and the load balancers write them."""

import pytest

from loopbreaker.model import Category, Label
from tests.task_events import container, task_stopped
from tests.unit.reading import start_failure, verdict

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ROLE = "arn:aws:sts::123456789012:assumed-role/execution/1"
START_FAILURES = {
    Category.IMAGE_PULL: [
        f"CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref "
        f'{REGISTRY}/web:1: failed to do request: Head "https://{REGISTRY}/v2/web/manifests/1": dial tcp: i/o timeout',
        f"The task cannot pull {REGISTRY}/web:1 from Amazon ECR. There is a connection issue between the task and ECR.",
        "Failed to pull image: context deadline exceeded",
        "failed to resolve ref docker.io/library/web:1: docker.io/library/web:1: not found",
        f"AccessDeniedException: User: {ROLE} is not authorized to perform: ecr:GetAuthorizationToken on resource: *",
        "CannotPullContainerError: Error response from daemon: toomanyrequests: You have reached your pull rate limit",
    ],
    Category.RESOURCE_INIT: [
        "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret: There "
        "is a connection issue between the task and AWS Secrets Manager. Check your task network configuration.",
        f"AccessDeniedException: User: {ROLE} is not authorized to perform: secretsmanager:GetSecretValue on: x",
        f"AccessDeniedException: User: {ROLE} is not authorized to perform: ssm:GetParameters on resource: x",
        "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/execution' that was provided for this task.",
        "AccessDenied: Unable to assume the service linked role. Please verify that it exists.",
        "failed to fetch secret db from secrets manager: DecryptionFailure: Access to KMS is not allowed",
    ],
    Category.CANNOT_START: [
        "ResourceInitializationError: failed to create new container runtime task: failed to create shim task: OCI "
        'runtime create failed: exec: "npm": executable file not found in $PATH',
        "ResourceInitializationError: unable to create new container: mount callback failed: no users found",
        'runc create failed: unable to start container process: exec: "sh": stat sh: no such file or directory',
        'exec: "/entrypoint.sh": permission denied',
        'could not select device driver "nvidia" with capabilities: [[gpu]]',
        "nvidia-container-cli: initialization error: driver not loaded: unknown",
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock",
        "Error response from daemon: Bind for 0.0.0.0:8080 failed: port is already allocated",
    ],
    Category.NETWORK_ENI: [
        "InsufficientFreeAddressesInSubnet: The subnet does not have enough free addresses to satisfy the request.",
        "SecurityGroupLimitExceeded: too many security groups",
        "CannotCreateNetworkInterface: the subnet does not exist",
        "ENI attachment timed out",
    ],
    Category.OUT_OF_MEMORY: ["OutOfMemory", "OOMKilled", "Out of memory: container exceeded its limit"],
    Category.PLACEMENT: [
        "No Container Instances were found in your cluster.",
        "No Container Instances were found in your capacity provider.",
        "unable to place a task because no container instance met all of its requirements.",
        "You've reached the limit on the number of vCPUs you can run concurrently",
        "VcpuLimitExceeded",
        "InsufficientInstanceCapacity: no capacity of the requested type in this Availability Zone",
        "RESOURCE:DUALSTACKIP",
        "RESOURCE:INFERENCE",
    ],
}


@pytest.mark.parametrize(
    ("category", "text"), [(category, text) for category, texts in START_FAILURES.items() for text in texts]
)
def test_a_start_failure_is_named_as_a_person_would_name_it(category: Category, text: str) -> None:
    """By the words of the text, whether or not the name of an error stands before them."""
    found = start_failure(text)
    assert (found.label, found.category) == (Label.FAILURE, category)
    assert found.evidence.startswith(text[:80])


def test_what_a_task_waited_for_in_vain_is_no_better_cause_than_an_exit_code() -> None:
    """A container that failed its dependants is named; where none is known to have, that they waited is said."""
    waited = container("app", reason="dependency graph: container dependency [app->migrate] did not succeed")
    assert start_failure("Task failed to start", waited).category is Category.CANNOT_START
    found = start_failure("Task failed to start", container("migrate", exit_code=1), waited)
    assert (found.category, found.container, found.exit_code) == (Category.APP_CRASH, "migrate", 1)


@pytest.mark.parametrize(
    "text",
    [
        "(service web) (port 8080) is unhealthy in (target-group arn:x) due to (reason Health checks failed)",
        "(service web) (instance i-1) (port 80) is unhealthy in (elb web)",
    ],
)
def test_a_target_that_is_unhealthy_is_the_load_balancers_word(text: str) -> None:
    """However ECS says it, and with whatever code the container ended."""
    found = verdict(
        task_stopped(stop_code="ServiceSchedulerInitiated", reason=text, containers=[container(exit_code=143)])
    )
    assert (found.category, found.counts) == (Category.ELB_HEALTH_CHECK, True)


def test_a_host_that_is_retired_is_ordinary_life() -> None:
    """Fargate retires its hosts; no task fails by it."""
    found = verdict(task_stopped(stop_code="ServiceSchedulerInitiated", reason="Stopped for task retirement"))
    assert (found.label, found.category) == (Label.NORMAL, Category.MAINTENANCE)
