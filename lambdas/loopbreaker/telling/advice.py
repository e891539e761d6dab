"""What to do about each cause, in the words of the message. A table to read and to extend."""

from loopbreaker.model import Category

ADVICE: dict[Category, str] = {
    Category.OUT_OF_MEMORY: "Raise the memory of the container or task, or find what grew.",
    Category.APP_CRASH: "Read the last log lines of the container: the application ends by itself with an error.",
    Category.SEGFAULT: "Look at native libraries and at the CPU architecture of the image.",
    Category.KILLED: "The container was killed with SIGKILL, maybe for memory. "
    "Look at its memory use and its stop time-out.",
    Category.TERMINATED: "Something inside the task sent SIGTERM: look at supervisors, sidecars and scripts.",
    Category.CLEAN_EXIT: "The main process ends by itself, without an error. A service must keep running: "
    "run a job as a scheduled task instead.",
    Category.CANNOT_START: "Check the entry point, command, file permissions and architecture of the image.",
    Category.DISK: "Free or enlarge the storage of the task or of its host.",
    Category.IMAGE_PULL: "Check that the image and tag exist, that the execution role may pull them, "
    "and that the task reaches the registry.",
    Category.RESOURCE_INIT: "Check the secrets, parameters, log group and volumes that the task definition names, "
    "the execution role, and the network.",
    Category.NETWORK_ENI: "Check free addresses in the subnets and the limit of network interfaces.",
    Category.PLACEMENT: "Add capacity, or allow more zones or capacity providers. The application is not at fault.",
    Category.ELB_HEALTH_CHECK: "Check the port and path of the target group's health check, "
    "and whether its grace period is long enough.",
    Category.CONTAINER_HEALTH_CHECK: "Run the container's health check command by hand, and check its start period.",
    Category.UNKNOWN: "Look at the stopped tasks in the console while ECS still shows them, for about an hour.",
}


def advice(category: Category) -> str:
    """The next step for a cause; a category of ordinary life has none."""
    return ADVICE.get(category, ADVICE[Category.UNKNOWN])
