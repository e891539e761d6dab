"""Classification by the words of ECS: the label table and every known text."""

import pytest

from loopbreaker.model import Category, Label
from loopbreaker.seeing.reason_tables import (
    CAUSES,
    FAULTS,
    HEALTH_CHECKS,
    NOISE,
    ORDINARY,
    PLACEMENT,
    STICKY,
)
from tests.task_events import Json, container, task_stopped
from tests.unit.reading import EXPECTED, LABEL_TABLE, start_failure, told_to_stop, verdict

# -- the label table --------------------------------------------------------------------------------------------------


def row_name(event: Json) -> str:
    expected = EXPECTED[event["id"]]
    return f"row {expected['row']}: {expected['case']}"


@pytest.mark.parametrize("event", LABEL_TABLE, ids=row_name)
def test_the_label_table(event: Json) -> None:
    """Each row of the table of stops gets its label and category, and counts or does not."""
    expected = EXPECTED[event["id"]]
    found = verdict(event)
    assert (found.label, found.category, found.counts) == (expected["label"], expected["category"], expected["counts"])
    assert found.why.endswith(".")


def test_the_label_table_is_whole() -> None:
    """All 37 rows have an event, and every expectation has its own."""
    assert {row["row"] for row in EXPECTED.values()} == set(range(1, 38))
    assert [event["id"] for event in LABEL_TABLE] == list(EXPECTED)


# -- texts ------------------------------------------------------------------------------------------------------------

SCHEDULER_TEXTS = [
    ("Scaling activity initiated by (deployment ecs-svc/1)", Label.NORMAL, Category.SCHEDULER_REPLACEMENT),
    ("Availability-zone rebalancing initiated by (deployment ecs-svc/1)", Label.NORMAL, Category.AZ_REBALANCE),
    ("Availability Zone rebalancing initiated by (deployment ecs-svc/1)", Label.NORMAL, Category.AZ_REBALANCE),
    ("ECS is performing maintenance on the underlying infrastructure", Label.NORMAL, Category.MAINTENANCE),
    ("Service web: ECS is performing maintenance on the host", Label.NORMAL, Category.MAINTENANCE),
    ("the container instance is in DRAINING state", Label.NORMAL, Category.DRAIN),
    ("Task stopped during instance draining", Label.NORMAL, Category.DRAIN),
    ("Host EC2 (instance i-00000000000000001) stopped.", Label.NORMAL, Category.HOST_LOSS),
    ("Container instance deregistration forced by user", Label.NORMAL, Category.HOST_LOSS),
    ("Your Spot Task was interrupted.", Label.NORMAL, Category.SPOT),
    ("Task stopped by user", Label.NORMAL, Category.USER_STOP),
    ("Task failed ELB health checks in (target-group arn:x)", Label.FAILURE, Category.ELB_HEALTH_CHECK),
    ("Task failed ELB health checks in (elb web)", Label.FAILURE, Category.ELB_HEALTH_CHECK),
    ("Task failed container health checks", Label.FAILURE, Category.CONTAINER_HEALTH_CHECK),
]


@pytest.mark.parametrize("stop_code", ["ServiceSchedulerInitiated", None, "SomethingNew"])
@pytest.mark.parametrize(("text", "label", "category"), SCHEDULER_TEXTS)
@pytest.mark.parametrize("exit_code", [None, 0, 1, 137, 143])
def test_the_text_tells_life_from_failed_health_checks(
    *, text: str, label: Label, category: Category, stop_code: str | None, exit_code: int | None
) -> None:
    """Where the stop code says little the text decides, and exit codes carry no verdict."""
    event = task_stopped(stop_code=stop_code, reason=text, containers=[container(exit_code=exit_code)])
    found = verdict(event)
    assert (found.label, found.category, found.exit_code, found.evidence) == (label, category, None, text)


PULL = "CannotPullContainerError: "
RESOURCE = "ResourceInitializationError: "
START_TEXTS = [
    # Image pull.
    (PULL + "ref pull has been retried 1 time(s): unexpected status", Category.IMAGE_PULL),
    (PULL + "pull image manifest has been retried 5 time(s): failed to resolve ref web:1: x", Category.IMAGE_PULL),
    (PULL + "inspect image has been retried 1 time(s): failed to resolve", Category.IMAGE_PULL),
    (PULL + "image Manifest does not contain descriptor matching platform 'linux/amd64'", Category.IMAGE_PULL),
    (PULL + "failed to unpack image on snapshotter overlayfs: no processor for media-type", Category.IMAGE_PULL),
    (PULL + "manifest unknown: Requested image not found", Category.IMAGE_PULL),
    (PULL + "API error (404): repository web not found", Category.IMAGE_PULL),
    (PULL + "pull access denied for web, repository does not exist", Category.IMAGE_PULL),
    (PULL + "API error (403): 403 Forbidden", Category.IMAGE_PULL),
    (PULL + "toomanyrequests: Rate exceeded: 429 Too Many Requests", Category.IMAGE_PULL),
    (PULL + "dial tcp: lookup registry: no such host", Category.IMAGE_PULL),
    (PULL + "net/http: request canceled while waiting for connection: context deadline exceeded", Category.IMAGE_PULL),
    (PULL + "AccessDeniedException: not authorized to perform: ecr:BatchGetImage on resource: *", Category.IMAGE_PULL),
    (PULL + "failed to copy: httpReaderSeeker: failed open", Category.IMAGE_PULL),
    (PULL + "panic: runtime error", Category.IMAGE_PULL),
    (PULL + "The task can’t pull the image. Check whether the image exists", Category.IMAGE_PULL),
    ("The task can't pull the image. Check your network configuration", Category.IMAGE_PULL),
    ("CannotPullECRContainerError: RequestError", Category.IMAGE_PULL),
    ("CannotPullContainerAuthError: no basic auth credentials", Category.IMAGE_PULL),
    ("CannotPullImageManifestError: unauthorized", Category.IMAGE_PULL),
    (PULL + "write /var/lib/docker/tmp/GetImageBlob1: no space left on device", Category.DISK),
    # Secrets, logging, file systems.
    (RESOURCE + "unable to pull secrets or registry auth: execution resource retrieval failed", Category.RESOURCE_INIT),
    (RESOURCE + "unable to retrieve secret from asm: did not contain json key web", Category.RESOURCE_INIT),
    (RESOURCE + "unable to retrieve secrets from ssm: invalid ssm parameters: a", Category.RESOURCE_INIT),
    (RESOURCE + "secretsmanager:GetSecretValue on resource: arn:x: AccessDeniedException", Category.RESOURCE_INIT),
    (RESOURCE + "unable to retrieve ecr registry auth: service call has been retried", Category.RESOURCE_INIT),
    (RESOURCE + "pull command failed: : signal: killed", Category.RESOURCE_INIT),
    (RESOURCE + "failed to download env files: file download command: non empty error stream", Category.RESOURCE_INIT),
    (RESOURCE + "failed to validate logger args: create stream has been retried", Category.RESOURCE_INIT),
    (RESOURCE + "failed to initialize logging driver", Category.RESOURCE_INIT),
    (RESOURCE + "failed to create Cloudwatch log stream", Category.RESOURCE_INIT),
    (RESOURCE + "failed to invoke EFS utils commands to set up EFS volumes: stderr", Category.RESOURCE_INIT),
    (RESOURCE + "unable to load device files", Category.RESOURCE_INIT),
    (RESOURCE + "failed to create container model", Category.RESOURCE_INIT),
    ("The task cannot pull registry auth from Amazon ECR: There is a connection issue", Category.RESOURCE_INIT),
    ("The task cannot pull secrets from AWS Systems Manager. There is a connection issue", Category.RESOURCE_INIT),
    ("The task cannot find the Amazon CloudWatch log group defined in the task definition.", Category.RESOURCE_INIT),
    ("Fetching secret data from AWS Secrets Manager in region eu-west-1: secret arn:x: denied", Category.RESOURCE_INIT),
    ("Fetching secret data from SSM Parameter Store in eu-west-1: denied", Category.RESOURCE_INIT),
    ("resource cannot be initialized for task ARN: arn:x", Category.RESOURCE_INIT),
    ("ResourceNotFoundException: The task can't retrieve the secret with ARN arn:x", Category.RESOURCE_INIT),
    # Network interfaces.
    ("Timeout waiting for network interface provisioning to complete.", Category.NETWORK_ENI),
    ("Network interface provision complete error timeout wait for network interface provision.", Category.NETWORK_ENI),
    ("Rate limit exceeded while preparing network interface to be attached to instance", Category.NETWORK_ENI),
    ("Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-1'", Category.NETWORK_ENI),
    ("Unable to attach network interface to unused device index", Category.NETWORK_ENI),
    ("InternalError: something inside", Category.NETWORK_ENI),
    ("ContainerNetworkingError: failed to set up", Category.NETWORK_ENI),
    # Volumes.
    ("Timeout waiting for EphemeralStorage provisioning to complete.", Category.DISK),
    ("ECS was unable to assume the configured ECS Infrastructure Role 'arn:x'", Category.DISK),
    ("ECS failed to set up the EBS volume. Encountered IdempotentParameterMismatch", Category.DISK),
    ("ECS timed out while configuring the EBS volume attachment to your Task", Category.DISK),
    ("CannotCreateVolumeError: x", Category.DISK),
    ("InvalidVolumeError: x", Category.DISK),
    ("CannotInspectVolumeError: x", Category.DISK),
    ("A volume of another kind failed to attach", Category.DISK),
    # Create and start.
    ("OutOfMemoryError: Container killed due to memory usage", Category.OUT_OF_MEMORY),
    ("container killed due to memory usage", Category.OUT_OF_MEMORY),
    ("CannotStartContainerError: container init was OOM-killed (memory limit too low?)", Category.OUT_OF_MEMORY),
    (
        "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: "
        'exec: "/app/run": stat /app/run: no such file or directory',
        Category.CANNOT_START,
    ),
    ("CannotStartContainerError: exec: executable file not found in $PATH", Category.CANNOT_START),
    ("CannotStartContainerError: OCI runtime create failed: permission denied", Category.CANNOT_START),
    ("CannotStartContainerError: API error (500): failed to initialize logging driver", Category.CANNOT_START),
    ("CannotStartContainerError: error gathering device information", Category.CANNOT_START),
    ("CannotCreateContainerError: devmapper: Thin Pool has 9 free data blocks", Category.DISK),
    ("CannotCreateContainerError: no space left on device", Category.DISK),
    ("CannotCreateContainerError: Conflict", Category.CANNOT_START),
    ("ContainerRuntimeError: x", Category.CANNOT_START),
    (
        "ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 1m",
        Category.CANNOT_START,
    ),
    ("DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s", Category.CANNOT_START),
    ("DockerStateError: x", Category.CANNOT_START),
    ("exec /app: exec format error", Category.CANNOT_START),
    ("HostConfigError: x", Category.CANNOT_START),
    ("DockerClientConfigError: x", Category.CANNOT_START),
    ("UnrecognizedTransportProtocol: x", Category.CANNOT_START),
    ("UnparsablePort: x", Category.CANNOT_START),
    ("TaskDependencyError: Task dependencies cannot be resolved, taskArn: arn:x", Category.CANNOT_START),
    # The name of the error goes before words in its message.
    ("OutOfMemoryError", Category.OUT_OF_MEMORY),
    ("CannotCreateVolumeError: ResourceNotFoundException", Category.DISK),
    ("CannotInspectVolumeError: ResourceNotFoundException", Category.DISK),
    ("InvalidVolumeError: ResourceNotFoundException", Category.DISK),
    ("ECS failed to set up the EBS volume: ResourceNotFoundException", Category.DISK),
    ("ContainerRuntimeTimeoutError: network interface", Category.CANNOT_START),
    ("DockerTimeoutError: network interface", Category.CANNOT_START),
    # The words alone, where the name of the error is missing.
    ("ref pull has been retried 5 time(s): x", Category.IMAGE_PULL),
    ("pull image manifest has been retried 5 time(s): x", Category.IMAGE_PULL),
    ("inspect image has been retried 5 time(s): x", Category.IMAGE_PULL),
    ("unable to pull secrets or registry auth: x", Category.RESOURCE_INIT),
    ("unable to retrieve secret from asm: x", Category.RESOURCE_INIT),
    ("unable to retrieve ecr registry auth: x", Category.RESOURCE_INIT),
    ("The task can't retrieve the secret with ARN arn:x", Category.RESOURCE_INIT),
    ("ResourceNotFoundException: x", Category.RESOURCE_INIT),
    ("failed to download env files: x", Category.RESOURCE_INIT),
    ("failed to validate logger args: x", Category.RESOURCE_INIT),
    ("failed to create Cloudwatch log stream: x", Category.RESOURCE_INIT),
    ("failed to invoke EFS utils commands to set up EFS volumes", Category.RESOURCE_INIT),
    ("failed to initialize logging driver: x", Category.CANNOT_START),
    ("OCI runtime create failed: x", Category.CANNOT_START),
    ("exec: web: executable file not found in $PATH", Category.CANNOT_START),
    ("Could not transition to started; timed out after waiting 3m0s", Category.CANNOT_START),
    # Nothing that helps.
    ("ContainerVanishedError: No container matching saved ID found", Category.UNKNOWN),
    ("ImpossibleStateTransitionError: x", Category.UNKNOWN),
    ("TaskStateError: Agent could not progress task's state to stopped", Category.UNKNOWN),
    ("UnrecognizedTaskError: x", Category.UNKNOWN),
    ("UnknownError: x", Category.UNKNOWN),
    ("The selected task definition is not compatible with the selected compute strategy", Category.UNKNOWN),
    ("Something that nobody has seen before", Category.UNKNOWN),
]


@pytest.mark.parametrize(("text", "category"), START_TEXTS)
def test_a_task_that_failed_to_start_is_told_by_its_text(text: str, category: Category) -> None:
    """On Fargate the text is usually the task's: the category follows from it, and nobody is blamed by name."""
    found = start_failure(text, container())
    assert (found.label, found.category, found.counts) == (Label.FAILURE, category, True)
    assert (found.container, found.evidence, found.exit_code) == ("", text, None)


@pytest.mark.parametrize(("text", "category"), START_TEXTS)
def test_a_container_that_failed_to_start_is_told_by_its_reason(text: str, category: Category) -> None:
    """On EC2 the text is usually a container's: the category is the same, and the container is named."""
    found = start_failure("Task failed to start", container("proxy"), container(reason=text))
    assert (found.label, found.category, found.counts) == (Label.FAILURE, category, True)
    if not text.startswith("Something"):
        assert (found.container, found.evidence) == ("web", text)


@pytest.mark.parametrize("stop_code", [None, "SomethingNew"])
@pytest.mark.parametrize(("text", "category"), [case for case in START_TEXTS if case[1] is not Category.UNKNOWN])
def test_without_a_known_stop_code_the_same_texts_decide(stop_code: str | None, text: str, category: Category) -> None:
    """A telling text is a failure even where ECS was asked to stop the task afterwards."""
    found = verdict(told_to_stop(stop_code=stop_code, reason=text))
    assert (found.label, found.category, found.counts) == (Label.FAILURE, category, True)


@pytest.mark.parametrize("stop_code", ["TaskFailedToStart", None, "SomethingNew"])
@pytest.mark.parametrize(
    "text",
    [
        "TaskFailedToStart: RESOURCE:CPU",
        "TaskFailedToStart: RESOURCE:MEMORY",
        "TaskFailedToStart: RESOURCE:PORTS:8080",
        "TaskFailedToStart: RESOURCE:ENI",
        "TaskFailedToStart: RESOURCE:GPU",
        "TaskFailedToStart: RESOURCE:SOMETHING_NEW",
        "RESOURCE:FARGATE",
        "RESOURCE:CPU",
        "RESOURCE:MEMORY",
        "RESOURCE:PORTS:8080",
        "RESOURCE:ENI",
        "RESOURCE:GPU",
        "TaskFailedToStart: AGENT",
        "TaskFailedToStart: ATTRIBUTE",
        "TaskFailedToStart: MemberOf placement constraint unsatisfied",
        "TaskFailedToStart: NO ACTIVE INSTANCES",
        "TaskFailedToStart: EMPTY CAPACITY PROVIDER",
        "Capacity is unavailable at this time. Please try again later or in a different availability zone",
    ],
)
def test_a_placement_failure_does_not_count(text: str, stop_code: str | None) -> None:
    """Capacity is not the application's fault: the stop is a failure, counted elsewhere."""
    found = verdict(task_stopped(stop_code=stop_code, reason=text, containers=[]))
    assert (found.label, found.category, found.counts) == (Label.FAILURE, Category.PLACEMENT, False)
    assert "counter of their own" in found.why


def test_texts_match_in_any_case() -> None:
    """The case of a text has changed before."""
    assert start_failure("CANNOTPULLCONTAINERERROR: X").category is Category.IMAGE_PULL
    assert start_failure("outofmemoryerror").category is Category.OUT_OF_MEMORY


def test_the_words_of_every_rule_can_match() -> None:
    """Texts are compared in lower case, so an upper-case letter in a table would never be found."""
    rules = (*HEALTH_CHECKS, *ORDINARY, *CAUSES, *PLACEMENT, *FAULTS)
    words = [*NOISE, *STICKY, *(word for rule in rules for word in rule.words)]
    assert words == [word.lower() for word in words]


@pytest.mark.parametrize(("word", "category"), [(word, rule.category) for rule in CAUSES for word in rule.words])
def test_no_row_hides_a_word_of_a_later_row(word: str, category: Category) -> None:
    """Each word of the table of causes leads to its own row."""
    assert start_failure(word).category is category


def test_evidence_is_one_line_of_bounded_length() -> None:
    """A reason of a thousand characters and several lines is quoted, not copied."""
    found = start_failure("CannotPullContainerError:\n  " + "x" * 1000)
    assert found.evidence == "CannotPullContainerError: " + "x" * (254 - 26) + "…"
