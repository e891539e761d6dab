"""What ECS says when a task stops, and what it means: the tables of `reasons`, which anyone may read and extend.

Every table is read from top to bottom, and the first row that matches decides.
ECS documents neither a closed list of texts nor stable wording, so a row matches a text that contains one of its words
in any case. To teach the classifier a new text, add its words, in lower case, to a row.
Sources: the AWS docs pages "Amazon ECS stopped task error messages", "API failure reasons", "Track Amazon ECS
Availability Zone rebalancing" and "Task retirement and maintenance for AWS Fargate", the `TaskStopCode` enum of the
API model, and the error names of the public ECS agent.
"""

from typing import NamedTuple

from loopbreaker.model import Category


class Rule(NamedTuple):
    """A text that contains one of `words` means `category`; `why` ends the sentence that begins with who stopped."""

    category: Category
    why: str
    words: tuple[str, ...]


class ExitRule(NamedTuple):
    """A container that ended with one of `codes` means `category`. No codes: any code that no other row names."""

    category: Category
    why: str
    codes: tuple[int, ...]


HEALTH_CHECKS = (
    Rule(
        Category.ELB_HEALTH_CHECK,
        "failed the health checks of its load balancer",
        ("elb health check", "is unhealthy in (target-group", "is unhealthy in (elb"),
    ),
    Rule(Category.CONTAINER_HEALTH_CHECK, "failed the health checks of its containers", ("health check",)),
)

ORDINARY = (
    Rule(
        Category.SCHEDULER_REPLACEMENT,
        "was replaced by a deployment or removed by scaling",
        ("scaling activity initiated by",),
    ),
    Rule(
        Category.AZ_REBALANCE,
        "was moved to balance the availability zones",
        ("availability-zone rebalancing", "availability zone rebalancing"),
    ),
    Rule(
        Category.MAINTENANCE, "was stopped for maintenance of its host", ("performing maintenance", "task retirement")
    ),
    Rule(Category.DRAIN, "was stopped because its instance drains", ("draining",)),
    Rule(Category.SPOT, "lost its Spot capacity", ("spot task was interrupted",)),
    Rule(Category.HOST_LOSS, "lost the instance it ran on", ("host ec2", "deregistration forced")),
    Rule(Category.USER_STOP, "was stopped by a user", ("stopped by user",)),
)

ORDINARY_STOP_CODES = {
    "UserInitiated": (Category.USER_STOP, "was stopped by a user or a tool"),
    "SpotInterruption": (Category.SPOT, "lost its Spot capacity"),
    "InfrastructureHealth": (Category.HOST_LOSS, "was stopped because the health of its instance is impaired"),
}
"""Stop codes that decide alone, whatever text comes along: a caller of StopTask may write anything."""

TEXT_STOP_CODES = {
    "ServiceSchedulerInitiated": (Category.SCHEDULER_UNKNOWN, "was stopped by the service scheduler"),
    "TerminationNotice": (Category.HOST_LOSS, "lost the instance it ran on"),
}
"""Stop codes of several meanings: the text says which, and this is what they mean without one."""

ESSENTIAL_EXIT = "essential container in task exited"
"""What `EssentialContainerExited` says in words; events before 2019 have only the words."""

NOISE = (
    "cannotstopcontainererror",
    "cannotinspectcontainererror",
    "cannotdescribecontainererror",
    "cannotremovecontainererror",
    "cannotlistcontainerserror",
    "taskstoppedbeforepullbeginerror",
)
"""Texts that begin so tell of trouble during a stop that something else had caused."""

STICKY = ("cannotpull",)
"""Texts that begin so mean nothing beside an exit code: the first error of a container sticks to it, and after a failed
pull the agent runs the image it has cached."""

_NO_DISK = "could not get the disk space or the volume it needs"
_NO_RESOURCE = "could not get its secrets, registry login, log group, environment file or file system"
_NO_START = "could not be created or started"

CAUSES = (
    Rule(
        Category.OUT_OF_MEMORY,
        "was killed for using more memory than its limit",
        ("outofmemory", "out of memory", "oom-killed", "oomkilled", "killed due to memory usage"),
    ),
    Rule(
        Category.DISK,
        _NO_DISK,
        (
            "no space left",
            "thin pool",
            "ephemeralstorage",
            "ebs volume",
            "ecs infrastructure role",
            "cannotcreatevolumeerror",
            "cannotinspectvolumeerror",
            "invalidvolumeerror",
        ),
    ),
    # Of two names of errors the outer one tells more: this one is about an entry point that is not there, and Fargate
    # leaves the outer one out at times.
    Rule(
        Category.CANNOT_START,
        _NO_START,
        (
            "cannotstartcontainererror: resourceinitializationerror",
            "failed to create new container runtime task",
            "unable to create new container",
        ),
    ),
    # Names of errors come before words that may stand in the message of another error.
    Rule(
        Category.IMAGE_PULL,
        "could not pull its image",
        ("cannotpull", "t pull the image", "ref pull has been", "image manifest", "inspect image has been"),
    ),
    Rule(
        Category.RESOURCE_INIT,
        _NO_RESOURCE,
        ("resourceinitializationerror",),
    ),
    Rule(
        Category.CANNOT_START,
        _NO_START,
        (
            "cannotstartcontainer",
            "cannotcreatecontainer",
            "containerruntimeerror",
            "containerruntimetimeouterror",
            "dockertimeouterror",
            "dockerstateerror",
            "hostconfigerror",
            "dockerclientconfigerror",
            "unrecognizedtransportprotocol",
            "unparsableport",
            "taskdependencyerror",
        ),
    ),
    Rule(
        Category.NETWORK_ENI,
        "could not get its network interface",
        (
            "network interface",
            "networkinterface",
            "containernetworkingerror",
            "internalerror",
            "insufficientfreeaddresses",
            "securitygrouplimitexceeded",
            "eni attach",
        ),
    ),
    Rule(
        Category.RESOURCE_INIT,
        _NO_RESOURCE,
        (
            "fetching secret data",
            "retrieve the secret",
            "unable to retrieve secret",
            "unable to pull secrets",
            "cannot pull secrets",
            "cannot pull registry auth",
            "unable to retrieve ecr registry auth",
            "download env files",
            "validate logger args",
            "create cloudwatch log stream",
            "amazon cloudwatch log group",
            "efs utils",
            "resource cannot be initialized",
            "resourcenotfoundexception",
            "failed to fetch secret",
            "secretsmanager:getsecretvalue",
            "ssm:getparameter",
            "unable to assume the role",
            "unable to assume the service linked role",
        ),
    ),
    Rule(
        Category.IMAGE_PULL,
        "could not pull its image",
        ("the task cannot pull", "failed to pull image", "failed to resolve ref", "ecr:getauthorizationtoken"),
    ),
    Rule(
        Category.CANNOT_START,
        _NO_START,
        (
            "initialize logging driver",
            "oci runtime",
            "exec format error",
            "executable file not found",
            "could not transition to",
            "runc create failed",
            "unable to start container process",
            'exec: "',
            "could not select device driver",
            "nvidia-container-cli",
            "docker daemon",
            "error response from daemon",
        ),
    ),
    Rule(Category.DISK, _NO_DISK, ("volume",)),
)

PLACEMENT = (
    Rule(
        Category.PLACEMENT,
        "found no room: placement failures have a counter of their own, for capacity is not the application's fault",
        (
            "taskfailedtostart: resource:",
            "taskfailedtostart: agent",
            "taskfailedtostart: attribute",
            "resource:cpu",
            "resource:memory",
            "resource:port",
            "resource:eni",
            "resource:gpu",
            "resource:fargate",
            "resource:inference",
            "resource:dualstackip",
            "memberof",
            "no active instances",
            "no container instances were found",
            "no container instance met all of its requirements",
            "empty capacity provider",
            "capacity is unavailable",
            "insufficientinstancecapacity",
            "vcpulimitexceeded",
            "limit on the number of vcpus",
        ),
    ),
)

FAULTS = (
    Rule(
        Category.UNKNOWN,
        "was lost by the ECS agent or its container runtime",
        (
            "containervanishederror",
            "impossiblestatetransitionerror",
            "taskstateerror",
            "unrecognizedtaskerror",
            "unknownerror",
        ),
    ),
    Rule(
        Category.CANNOT_START,
        "waited for another container, which never was as it should be",
        ("dependency graph", "container dependency"),
    ),
    Rule(
        Category.UNKNOWN,
        "does not fit where it was to run",
        ("not compatible with the selected compute strategy",),
    ),
)
"""Texts that say something went wrong, but not what: anything else that is known goes before them."""

EXIT_CODES = (
    ExitRule(Category.SEGFAULT, "crashed with a segmentation fault", (139, 0xC0000005)),
    ExitRule(Category.CANNOT_START, "could not run its command", (125, 126, 127)),
    ExitRule(Category.APP_CRASH, "crashed", ()),
    ExitRule(Category.KILLED, "was killed with SIGKILL, perhaps for its memory", (137,)),
    ExitRule(Category.CLEAN_EXIT, "ended by itself without an error, which a service must not do", (0,)),
    ExitRule(Category.TERMINATED, "ended on a SIGTERM that ECS had not sent", (143,)),
    ExitRule(Category.APP_CRASH, "ended on Ctrl-C, which ECS had not sent", (0xC000013A,)),
)
"""Likeliest culprit first: those that come last are what the other containers of a stopping task end with."""

INJECTED = ("aws-guardduty-agent-", "ecs-service-connect-")
"""Containers that ECS puts beside ours; they are the culprit only where nobody else is."""
