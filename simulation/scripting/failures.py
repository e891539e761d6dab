"""How tasks fail: the stop code, the words and the exit codes that ECS gives for each kind of failure.

The words follow "Stopped tasks error messages" and "Stop codes" of the Amazon ECS developer guide, the ECS agent's
error names and published events. A cause has several endings, because ECS says the same thing in several ways.
"""

from dataclasses import dataclass, replace
from enum import Enum


class Failure(Enum):
    """How a task fails, by its category."""

    OUT_OF_MEMORY = "out-of-memory"
    APP_CRASH = "app-crash"
    SEGFAULT = "segfault"
    KILLED = "killed"
    TERMINATED = "terminated"
    CLEAN_EXIT = "clean-exit"
    CANNOT_START = "cannot-start"
    DISK = "disk"
    IMAGE_PULL = "image-pull"
    RESOURCE_INIT = "resource-init"
    NETWORK_ENI = "network-eni"
    PLACEMENT = "placement"
    ELB_HEALTH_CHECK = "elb-health-check"
    CONTAINER_HEALTH_CHECK = "container-health-check"
    UNKNOWN = "unknown"


class Phase(Enum):
    """Where in its life a task fails. Only the last two have reached RUNNING, so only the first three are throttled."""

    PROVISIONING = "before it has a place, a network interface and storage"
    PULLING = "while its image and its secrets are fetched"
    CREATING = "after the pull, before every container is up"
    RUNNING = "its container exits by itself"
    UNHEALTHY = "it runs, and fails its health checks"


@dataclass(frozen=True, slots=True)
class Ending:
    """What ECS says about one way to fail. `{...}` in the words is filled in for the task (see `spoken_by`)."""

    cause: Failure
    phase: Phase
    reason: str = "Essential container in task exited"
    container_reason: str | None = None
    exit_code: int | None = None

    @property
    def stop_code(self) -> str:
        """The value of `stopCode`."""
        match self.phase:
            case Phase.RUNNING:
                return "EssentialContainerExited"
            case Phase.UNHEALTHY:
                return "ServiceSchedulerInitiated"
            case Phase.PROVISIONING | Phase.PULLING | Phase.CREATING:
                return "TaskFailedToStart"

    def spoken_by(self, launch_type: str, words: dict[str, str]) -> "Ending":
        """This ending with the words of one task filled in.

        On EC2 the agent reports a failed pull with the container, and the task says only that it failed to start.
        """
        reason, container_reason = _fill(self.reason, words), self.container_reason
        if launch_type == "EC2" and self.phase is Phase.PULLING:
            reason, container_reason = "Task failed to start", container_reason or reason
        if container_reason is not None:
            container_reason = _fill(container_reason, words)
        return replace(self, reason=reason, container_reason=container_reason)


def _fill(text: str, words: dict[str, str]) -> str:
    for name, word in words.items():
        text = text.replace("{" + name + "}", word)
    return text


def endings(cause: Failure) -> tuple[Ending, ...]:
    """Every way in which `cause` shows itself, the most usual first."""
    return _BY_CAUSE[cause]


def _exit(cause: Failure, code: int | None, container_reason: str | None = None) -> Ending:
    return Ending(cause, Phase.RUNNING, container_reason=container_reason, exit_code=code)


def _never_up(cause: Failure, container_reason: str | None, exit_code: int | None = None) -> Ending:
    return Ending(cause, Phase.CREATING, "Task failed to start", container_reason, exit_code)


def _pull(cause: Failure, reason: str) -> Ending:
    return Ending(cause, Phase.PULLING, reason)


def _place(cause: Failure, reason: str) -> Ending:
    return Ending(cause, Phase.PROVISIONING, reason)


_OCI = (
    "CannotStartContainerError: Error response from daemon: failed to create task for container: "
    "OCI runtime create failed: "
)
_INIT = "ResourceInitializationError: "

_ENDINGS = (
    _exit(Failure.OUT_OF_MEMORY, 137, "OutOfMemoryError: Container killed due to memory usage"),
    _exit(Failure.OUT_OF_MEMORY, 0, "OutOfMemoryError: Container killed due to memory usage"),
    _exit(Failure.OUT_OF_MEMORY, None, _OCI + "container init was OOM-killed (memory limit too low?)"),
    *(_exit(Failure.APP_CRASH, code) for code in (1, 2, 3, 132, 134, 135, 136, 254, 255)),
    _never_up(Failure.APP_CRASH, None, 1),
    _exit(Failure.SEGFAULT, 139),
    _exit(Failure.KILLED, 137),
    _exit(Failure.TERMINATED, 143),
    _exit(Failure.CLEAN_EXIT, 0),
    _never_up(Failure.CANNOT_START, _OCI + 'exec: "/app/entrypoint.sh": executable file not found in $PATH: unknown'),
    _never_up(Failure.CANNOT_START, _OCI + "exec format error: unknown"),
    _never_up(Failure.CANNOT_START, "CannotCreateContainerError: Error response from daemon: invalid mount config"),
    _never_up(
        Failure.CANNOT_START,
        "ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 1m",
    ),
    _never_up(
        Failure.CANNOT_START, "DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s"
    ),
    _exit(Failure.CANNOT_START, 125),
    _exit(Failure.CANNOT_START, 126),
    _exit(Failure.CANNOT_START, 127),
    _exit(
        Failure.CANNOT_START,
        None,
        "CannotStartContainerError: API error (500): failed to initialize logging driver: ResourceNotFoundException",
    ),
    _never_up(Failure.DISK, "CannotCreateContainerError: Error response from daemon: mkdir: no space left on device"),
    _never_up(
        Failure.DISK, "CannotCreateContainerError: devmapper: Thin Pool has 4350 free data blocks, fewer than needed"
    ),
    _pull(Failure.DISK, "CannotPullContainerError: GetImageBlob {image}: write: no space left on device"),
    _place(Failure.DISK, "Timeout waiting for EphemeralStorage provisioning to complete."),
    _place(Failure.DISK, "ECS timed out while configuring the EBS volume attachment to your Task"),
    _exit(Failure.DISK, None, "CannotStartContainerError: Error response from daemon: write: no space left on device"),
    _pull(
        Failure.IMAGE_PULL,
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
        "failed to resolve ref {image}: {image}: not found",
    ),
    _pull(
        Failure.IMAGE_PULL,
        "CannotPullContainerError: ref pull has been retried 5 time(s): "
        "failed to copy: httpReaderSeeker: failed open: i/o timeout",
    ),
    _pull(
        Failure.IMAGE_PULL,
        "CannotPullContainerError: pull access denied for {image}, "
        "repository does not exist or may require authorization",
    ),
    _pull(
        Failure.IMAGE_PULL,
        "CannotPullContainerError: inspect image has been retried 5 time(s): "
        "httpReadSeeker: toomanyrequests: Rate exceeded",
    ),
    _pull(
        Failure.IMAGE_PULL,
        "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'",
    ),
    _pull(Failure.IMAGE_PULL, "The task can\u2019t pull the image. Check whether the image exists"),
    _pull(
        Failure.RESOURCE_INIT,
        _INIT + "unable to pull secrets or registry auth: execution resource retrieval failed: "
        "unable to retrieve secret from asm: service call has been retried 1 time(s): AccessDeniedException",
    ),
    _pull(
        Failure.RESOURCE_INIT, _INIT + "unable to retrieve secrets from ssm: invalid ssm parameters: /{service}/token"
    ),
    _pull(
        Failure.RESOURCE_INIT,
        _INIT + "unable to pull secrets or registry auth: The task cannot pull registry auth from Amazon ECR: "
        "There is a connection issue between the task and Amazon ECR. Check your task network configuration.",
    ),
    _pull(
        Failure.RESOURCE_INIT,
        _INIT + "failed to validate logger args: create stream has been retried 1 times: signal: killed",
    ),
    _pull(
        Failure.RESOURCE_INIT,
        _INIT + "failed to invoke EFS utils commands to set up EFS volumes: mount.nfs4: access denied",
    ),
    _place(Failure.NETWORK_ENI, "Timeout waiting for network interface provisioning to complete."),
    _place(Failure.NETWORK_ENI, "Rate limit exceeded while preparing network interface to be attached to instance"),
    _place(Failure.NETWORK_ENI, "InternalError: unable to attach the network interface to the task"),
    _place(
        Failure.PLACEMENT,
        "Capacity is unavailable at this time. Please try again later or in a different availability zone",
    ),
    _place(Failure.PLACEMENT, "TaskFailedToStart: RESOURCE:MEMORY"),
    _place(Failure.PLACEMENT, "TaskFailedToStart: NO ACTIVE INSTANCES"),
    _place(Failure.PLACEMENT, "TaskFailedToStart: MemberOf placement constraint unsatisfied"),
    Ending(Failure.ELB_HEALTH_CHECK, Phase.UNHEALTHY, "Task failed ELB health checks in (target-group {target_group})"),
    Ending(Failure.CONTAINER_HEALTH_CHECK, Phase.UNHEALTHY, "Task failed container health checks"),
    _exit(Failure.UNKNOWN, None),
    _never_up(Failure.UNKNOWN, None),
)

_BY_CAUSE = {cause: tuple(ending for ending in _ENDINGS if ending.cause is cause) for cause in Failure}
