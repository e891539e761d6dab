"""Commands to paste: what to look at, how to bring a service back, how to silence it. Pure.

Each command is one line of words; `wrapped` breaks it where a shell lets it go on.
"""

from shlex import quote

from loopbreaker import STACK
from loopbreaker.model import Category, ServiceRef
from loopbreaker.remembering.incident import Signal
from loopbreaker.remembering.trip import Trip

_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-cn": "console.amazonaws.cn",
}
# What of the task definition shows the cause.
_OF_DEFINITION = {
    Category.OUT_OF_MEMORY: "taskDefinition.[memory, containerDefinitions[].[name, memory]]",
    Category.SEGFAULT: "taskDefinition.[runtimePlatform, containerDefinitions[].image]",
    Category.CANNOT_START: "taskDefinition.containerDefinitions[].[entryPoint, command]",
    Category.DISK: "taskDefinition.[ephemeralStorage, volumes]",
    Category.IMAGE_PULL: "taskDefinition.[executionRoleArn, containerDefinitions[].image]",
    Category.RESOURCE_INIT: "taskDefinition.containerDefinitions[].secrets[]",
    Category.CONTAINER_HEALTH_CHECK: "taskDefinition.containerDefinitions[].[name, healthCheck]",
}
_OF_SERVICE = {
    Category.NETWORK_ENI: "services[0].[networkConfiguration]",
    Category.PLACEMENT: "services[0].events[:5].message",
    Category.ELB_HEALTH_CHECK: "services[0].[healthCheckGracePeriodSeconds, loadBalancers]",
}


def service_arn(service: ServiceRef) -> str:
    """The ARN of the service in the form with the cluster's name."""
    head, _, cluster = service.cluster_arn.partition(":cluster/")
    return f"{head}:service/{cluster}/{service.name}"


def console_url(service: ServiceRef) -> str:
    """The page of the service in the console of its partition."""
    return f"{_console(service)}/ecs/v2/clusters/{service.cluster}/services/{service.name}/tasks"


def clusters_url(service: ServiceRef) -> str:
    """The page of all clusters of its Region."""
    return f"{_console(service)}/ecs/v2/clusters"


def task_url(service: ServiceRef, task_id: str) -> str:
    """The page of one task, which ECS keeps for about an hour after it stopped."""
    return f"{console_url(service)}/{task_id}"


def logs_url(service: ServiceRef, group: str, stream: str) -> str:
    """The page of a log stream; the console wants its names escaped twice, with `$` for the second `%`."""

    def escaped(name: str) -> str:
        return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else f"$25{ord(c):02X}" for c in name)

    path = f"#logsV2:log-groups/log-group/{escaped(group)}/log-events/{escaped(stream)}"
    return f"{_console(service)}/cloudwatch/home?region={service.region}{path}"


def resume(service: ServiceRef, stack: str) -> str:
    """Bring it back, as it is."""
    return f"loopctl resume {_named(service)}{_installation(service, stack)}"


def acknowledge(service: ServiceRef, stack: str) -> str:
    return f"loopctl ack {_named(service)}{_installation(service, stack)}"


def show(service: ServiceRef, stack: str, *, number: str = "") -> str:
    """One loop of it; without a number the one that goes on."""
    name = quote(f"{service.cluster}/{service.name}" + (f"@{number}" if number else ""))
    return f"loopctl show {name}{_installation(service, stack)}"


def mute(service: ServiceRef, stack: str, *, span: str = "1d") -> str:
    return f"loopctl mute {_named(service)} {span}{_installation(service, stack)}"


def status(service: ServiceRef, stack: str) -> str:
    """What names all services that loop where this one does."""
    return f"loopctl status{_installation(service, stack)}"


def _named(service: ServiceRef) -> str:
    return quote(f"{service.cluster}/{service.name}")


def _installation(service: ServiceRef, stack: str) -> str:
    """Which installation is meant: whoever pastes a command may have another Region by default."""
    return f" --region {service.region}" + (f" --stack {quote(stack)}" if stack != STACK else "")


def resume_commands(service: ServiceRef, trip: Trip) -> list[str]:
    """The AWS CLI commands that bring a stopped service back to what it was.

    The count first: a call on a scaling target whose count is below its minimum lifts the count by itself.
    """
    where = f"--region {service.region}"
    commands = [
        f"aws ecs update-service {where} --cluster {quote(service.cluster)} --service {quote(service.name)} "
        f"--desired-count {trip.desired_count}"
    ]
    if trip.scaling and not trip.scaling.suspended:
        flags = (
            f"DynamicScalingInSuspended={_flag(trip.scaling.dynamic_in_suspended)},"
            f"DynamicScalingOutSuspended={_flag(trip.scaling.dynamic_out_suspended)},"
            f"ScheduledScalingSuspended={_flag(trip.scaling.scheduled_suspended)}"
        )
        commands.append(
            f"aws application-autoscaling register-scalable-target {where} --service-namespace ecs "
            f"--resource-id {quote(f'service/{service.cluster}/{service.name}')} "
            f"--scalable-dimension ecs:service:DesiredCount --suspended-state {flags}"
        )
    return commands


def silence(service: ServiceRef, *, until: str) -> list[str]:
    """The tag that mutes one service, whoever may set tags."""
    tag = f"key=loopbreaker:mute-until,value={until}"
    return [f"aws ecs tag-resource --region {service.region} --resource-arn {quote(service_arn(service))} --tags {tag}"]


def check(
    service: ServiceRef, category: Category, signal: Signal, *, task_definition: str, task_id: str, log_group: str
) -> str:
    """The one command that shows most about a cause, with what is known of the failed task."""
    if signal is Signal.EMPTY:
        # What ECS waits for stands where it also says that it finds no place.
        category = Category.PLACEMENT
    # Restarts inside a task leave it running.
    status = "RUNNING" if signal is Signal.RESTARTS else "STOPPED"
    where = f"--region {service.region}"
    cluster = f"--cluster {quote(service.cluster)}"
    if category in _OF_SERVICE:
        return (
            f"aws ecs describe-services {where} {cluster} --services {quote(service.name)} "
            f"--query '{_OF_SERVICE[category]}'"
        )
    if category in _OF_DEFINITION and task_definition:
        name = task_definition.rsplit("/", 1)[-1]
        return f"aws ecs describe-task-definition {where} --task-definition {name} --query '{_OF_DEFINITION[category]}'"
    if log_group:
        return f"aws logs tail {quote(log_group)} {where} --since 30m"
    if task_id:
        query = "tasks[0].containers[].[name, exitCode, reason]"
        return f"aws ecs describe-tasks {where} {cluster} --tasks {task_id} --query '{query}'"
    return f"aws ecs list-tasks {where} {cluster} --service-name {quote(service.name)} --desired-status {status}"


def wrapped(command: str, *, width: int) -> list[str]:
    """The command on lines of at most `width`, broken before a word that begins with `--`, or else before any."""
    words: list[str] = []
    lines, quoted = [""], False
    for word in command.split(" "):
        if quoted:
            words[-1] += f" {word}"
        else:
            words.append(word)
        quoted ^= word.count("'") % 2 == 1
    # An option stays with its value.
    pairs: list[str] = []
    for word in words:
        if pairs and pairs[-1].startswith("--") and " " not in pairs[-1] and not word.startswith("--"):
            pairs[-1] += f" {word}"
        else:
            pairs.append(word)
    for word in pairs:
        if lines[-1] and len(lines[-1]) + len(word) + 3 > width:
            lines[-1] += " \\"
            lines.append(f"    {word}")
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return lines


def _console(service: ServiceRef) -> str:
    host = _CONSOLES.get(service.cluster_arn.split(":")[1], _CONSOLES["aws"])
    return f"https://{service.region}.{host}"


def _flag(value: bool) -> str:
    return "true" if value else "false"
