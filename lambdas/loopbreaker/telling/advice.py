"""What each cause means and what to do first, in the words of the message. Tables to read and to extend.

Each category has a page in docs/runbook/: likely causes, how to tell them apart, the usual fix and the wrong one.
"""

from dataclasses import dataclass

from loopbreaker.model import Category
from loopbreaker.remembering.incident import Signal


@dataclass(frozen=True, slots=True)
class Advice:
    """`means`: what happened, as half a sentence. `first`: what to do first, as sentences."""

    means: str
    first: str


ADVICE: dict[Category, Advice] = {
    Category.OUT_OF_MEMORY: Advice(
        "the container used more memory than it may",
        "Compare what it uses with its limit. Raise the limit if it was always close; find what grew if it was not.",
    ),
    Category.APP_CRASH: Advice(
        "the application ends by itself with an error",
        "Read its last log lines: the error stands there. Roll back if the revision is new; "
        "look at what it depends on if nothing changed.",
    ),
    Category.SEGFAULT: Advice(
        "the process died of a memory fault in native code",
        "Compare the CPU architecture of the image with that of the task, then look at native libraries "
        "that changed with the image.",
    ),
    Category.KILLED: Advice(
        "the process was killed from outside with SIGKILL",
        "Look at its memory use first; then at what sends signals inside the task, and at its stop time-out.",
    ),
    Category.TERMINATED: Advice(
        "something inside the task asked the process to end",
        "Find who sends SIGTERM: a supervisor, a sidecar or a script in the image. "
        "ECS did not stop this task by itself.",
    ),
    Category.CLEAN_EXIT: Advice(
        "the main process ends by itself, without an error",
        "A service must keep running. Start its server in the foreground, "
        "or run the job as a scheduled task instead of a service. "
        "Where it is meant to end so, tag it loopbreaker:expected-exit = 0.",
    ),
    Category.CANNOT_START: Advice(
        "the container could not be started at all",
        "Check the entry point, the command, their file permissions and the architecture of the image.",
    ),
    Category.DISK: Advice(
        "no space was left on a disk",
        "Enlarge the ephemeral storage of the task, or free space on the host; find what fills it.",
    ),
    Category.IMAGE_PULL: Advice(
        "the image could not be pulled",
        "Check that image and tag exist, that the execution role may pull them, "
        "and that the task reaches the registry.",
    ),
    Category.RESOURCE_INIT: Advice(
        "a secret, parameter, log group or volume of the task could not be had",
        "Check that each one named in the task definition exists, that the execution role may read it, "
        "and that the subnet reaches its service.",
    ),
    Category.NETWORK_ENI: Advice(
        "the task got no network interface",
        "Check the free addresses of its subnets and the account's limit of network interfaces.",
    ),
    Category.PLACEMENT: Advice(
        "ECS found no capacity for its tasks",
        "Add capacity, or allow more zones or capacity providers. The application is not at fault.",
    ),
    Category.ELB_HEALTH_CHECK: Advice(
        "the load balancer's health check failed, so ECS stopped the task",
        "Request the health check's path from a running task. If it answers, lengthen the grace period; "
        "if not, read the task's log.",
    ),
    Category.CONTAINER_HEALTH_CHECK: Advice(
        "the container's own health check failed, so ECS stopped the task",
        "Run the check's command inside a task by hand, and compare its start period with how long a start takes.",
    ),
    Category.UNKNOWN: Advice(
        "ECS gave no reason that is known",
        "Look at the stopped tasks in the console while ECS still shows them, for about an hour.",
    ),
}

EXIT_CODES: dict[int, str] = {
    0: "it ended without an error",
    1: "an error that the application chose",
    2: "wrong use of a command, or an error that the application chose",
    125: "the container runtime could not run the container",
    126: "the command was found but is not executable",
    127: "the command was not found",
    128: "an exit code that is not valid",
    132: "illegal instruction: the image may be of another CPU architecture",
    134: "the process ended itself with SIGABRT",
    135: "bus error",
    136: "arithmetic error",
    137: "killed with SIGKILL, often for memory",
    139: "memory fault, SIGSEGV",
    143: "asked to end with SIGTERM",
    255: "an error that the application chose, or a lost container",
}


_STOPPED_BY_ECS = (Category.ELB_HEALTH_CHECK, Category.CONTAINER_HEALTH_CHECK)


_READ = {
    Signal.RESTARTS: Advice(
        "containers with a restart policy end and are started again inside their tasks, of which ECS sends no event",
        "Read the last log lines of the container before each of its starts; the service's metric RestartCount says "
        "when. Without a restart policy ECS would replace the task, and say with which exit code it ended.",
    ),
    Signal.EMPTY: Advice(
        "ECS runs none of the tasks that it shall run, and said nothing that explains it",
        "Look at the events of the service in the console, newest first: they say what ECS waits for.",
    ),
}


def advice(category: Category, signal: Signal = Signal.FAST) -> Advice:
    """What is known of a cause, or of what was read; a category of ordinary life has only the general advice."""
    return _READ.get(signal) or ADVICE.get(category, ADVICE[Category.UNKNOWN])


def meaning(exit_code: int, category: Category | None = None) -> str:
    """What an exit code usually means, by itself or with its cause; empty where nothing is usual about it."""
    if category in _STOPPED_BY_ECS and exit_code in (137, 143):
        return "ended by ECS, after its health check"
    if exit_code in EXIT_CODES:
        return EXIT_CODES[exit_code]
    return f"ended by signal {exit_code - 128}" if 128 < exit_code < 160 else ""
