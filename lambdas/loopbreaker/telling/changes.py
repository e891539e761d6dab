"""In what two task definitions differ, as DescribeTaskDefinition gives them; values of variables stay here. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from loopbreaker.telling.diagnosis import Difference
from loopbreaker.telling.letter import clean
from loopbreaker.telling.masking import masked

Definition = Mapping[str, Any]
_OF_TASK = ("cpu", "memory", "networkMode", "taskRoleArn", "executionRoleArn")
_OF_CONTAINER = ("image", "cpu", "memory", "memoryReservation", "entryPoint", "command", "user", "essential")
_OF_CHECK = ("command", "interval", "timeout", "retries", "startPeriod")


def changes(before: Definition, after: Definition) -> tuple[Difference, ...]:
    """What of the second was otherwise in the first, what loops most often first: the image."""
    return tuple(_containers(before, after)) + tuple(_task(before, after))


def _task(before: Definition, after: Definition) -> Iterator[Difference]:
    for key in _OF_TASK:
        yield from _change(f"{key} of the task", before.get(key), after.get(key))
    for group, key in (("runtimePlatform", "cpuArchitecture"), ("ephemeralStorage", "sizeInGiB")):
        yield from _change(f"{key} of the task", _at(before, group, key), _at(after, group, key))
    yield from _names("volumes of the task", _named(before, "volumes"), _named(after, "volumes"))


def _containers(before: Definition, after: Definition) -> Iterator[Difference]:
    old, new = _by_name(before, "containerDefinitions"), _by_name(after, "containerDefinitions")
    yield from _names("containers", set(old), set(new))
    for name in sorted(old.keys() & new.keys()):
        yield from _container(name, old[name], new[name])


def _container(name: str, before: Definition, after: Definition) -> Iterator[Difference]:
    for key in _OF_CONTAINER:
        yield from _change(f"{key} of {name}", before.get(key), after.get(key))
    yield from _change(f"ports of {name}", _ports(before), _ports(after))
    for key in _OF_CHECK:
        what = f"health check {key} of {name}"
        yield from _change(what, _at(before, "healthCheck", key), _at(after, "healthCheck", key))
    yield from _variables(name, _pairs(before, "environment", "value"), _pairs(after, "environment", "value"))
    old, new = _pairs(before, "secrets", "valueFrom"), _pairs(after, "secrets", "valueFrom")
    for secret in sorted(old.keys() | new.keys()):
        # Where a secret is kept, not what it is.
        yield from _change(f"secret {clean(secret, most=60)} of {name}", old.get(secret), new.get(secret))


def _variables(name: str, before: dict[str, str], after: dict[str, str]) -> Iterator[Difference]:
    yield from _names(f"variables of {name}", set(before), set(after))
    for variable in sorted(before.keys() & after.keys()):
        if before[variable] != after[variable]:
            yield Difference(f"value of {clean(variable, most=60)} in {name}", "one value", "another")


def _names(what: str, before: set[str], after: set[str]) -> Iterator[Difference]:
    if before != after:
        yield Difference(what, ", ".join(sorted(before - after)), ", ".join(sorted(after - before)))


def _change(what: str, before: object, after: object) -> Iterator[Difference]:
    if before != after:
        yield Difference(what, _shown(before), _shown(after))


def _shown(value: object) -> str:
    """Commands may hold a password, so they are masked too."""
    if value is None:
        return ""
    text = " ".join(str(part) for part in value) if isinstance(value, list | tuple) else str(value)
    return clean(masked(text), most=160)


def _at(definition: Definition, group: str, key: str) -> object:
    found = definition.get(group)
    return found.get(key) if isinstance(found, Mapping) else None


def _by_name(definition: Definition, key: str) -> dict[str, Definition]:
    return {str(item.get("name", "")): item for item in definition.get(key) or ()}


def _named(definition: Definition, key: str) -> set[str]:
    return set(_by_name(definition, key))


def _pairs(container: Definition, key: str, value: str) -> dict[str, str]:
    return {str(item.get("name", "")): str(item.get(value, "")) for item in container.get(key) or ()}


def _ports(container: Definition) -> list[str]:
    return sorted(
        f"{port.get('containerPort')}/{port.get('protocol', 'tcp')}" for port in container.get("portMappings") or ()
    )
