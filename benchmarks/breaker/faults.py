"""What may go wrong between Loopbreaker and AWS: refusals, throttling, answers of yesterday, a function that dies."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from simulation import Simulation
from simulation.simulation import Hook


class Died(Exception):  # noqa: N818
    """The function was killed at this call."""


@dataclass
class Refusing:
    """From `since` to `until` AWS answers with an error `code` to these operations, where `when` holds."""

    operations: tuple[str, ...]
    code: str
    since: float
    until: float
    when: Callable[[dict[str, Any]], bool] = lambda params: True

    def applies(self, operation: str, params: dict[str, Any], now: float) -> bool:
        return self.since <= now < self.until and operation in self.operations and self.when(params)


@dataclass
class Killing:
    """The function dies at its calls with these numbers, counted over its whole life: before the call, or after."""

    at: frozenset[int]
    after: bool


@dataclass
class Faults:
    """Stands in the way of each call that Loopbreaker makes to ECS, Application Auto Scaling and its table.

    stale: from, until, age in seconds: between them each read is answered as it was answered up to `age` before.
    meddling: called before each call of Loopbreaker with its operation and parameters, for people who are quick.
    """

    sim: Simulation
    refusals: list[Refusing] = field(default_factory=list)
    killing: Killing | None = None
    stale: tuple[float, float, float] | None = None
    meddling: Callable[[str, dict[str, Any]], None] | None = None
    permissions: frozenset[str] = frozenset({"rollback", "stop"})
    calls: int = 0
    names: list[str] = field(default_factory=list)
    answers: dict[tuple[str, str], tuple[float, Any]] = field(default_factory=dict)
    acts: list[tuple[float, str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    _watching: bool = False

    def __post_init__(self) -> None:
        self.sim.before_call = _both(self.sim.before_call, self._before)
        self.sim.after_call = _both(self.sim.after_call, self._after)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Everything called within is called by Loopbreaker."""
        outer, self._watching = self._watching, True
        try:
            yield
        finally:
            self._watching = outer

    def guarded(self, target: Any, prefix: str) -> Any:
        """The target, with each of its calls counted as one of Loopbreaker's."""
        return _Guarded(target, self, prefix)

    def _before(self, operation: str, params: dict[str, Any]) -> None:
        if not self._watching:
            return
        self.calls += 1
        self.names.append(operation)
        if self.killing and self.calls in self.killing.at and not self.killing.after:
            raise Died(operation)
        if self.meddling:
            self.meddling(operation, params)
        for refusing in self.refusals:
            if refusing.applies(operation, params, self.sim.now):
                raise refused(operation, refusing.code)
        if not self._permitted(operation, params):
            raise refused(operation, "AccessDeniedException")

    def _after(self, operation: str, params: dict[str, Any]) -> None:
        if not self._watching:
            return
        if operation in ("UpdateService", "RegisterScalableTarget", "StopServiceDeployment"):
            self.acts.append((self.sim.now, operation, params, dict(self._tags_of(operation, params))))
        if self.killing and self.calls in self.killing.at and self.killing.after:
            raise Died(operation)

    def _permitted(self, operation: str, params: dict[str, Any]) -> bool:
        """What the installed policies allow: acts on opted-in services, and the way back of those that we hold."""
        tags = self._tags_of(operation, params)
        opted_in = tags.get("loopbreaker:action") == "stop" or "loopbreaker:held" in tags
        match operation:
            case "UpdateService":
                return "stop" in self.permissions and opted_in
            case "StopServiceDeployment":
                return "rollback" in self.permissions and tags.get("loopbreaker:action") in ("rollback", "stop")
            case "TagResource":
                return opted_in and {tag["key"] for tag in params["tags"]} == {"loopbreaker:held"}
            case "UntagResource":
                return set(params["tagKeys"]) == {"loopbreaker:held"}
            case "RegisterScalableTarget":
                return "stop" in self.permissions
        return True

    def _tags_of(self, operation: str, params: dict[str, Any]) -> dict[str, str]:
        """The tags of the service that a call is about, as they are now."""
        if operation == "StopServiceDeployment":
            name = params["serviceDeploymentArn"].split("/")[-2]
        else:
            named = next((params[key] for key in ("service", "ResourceId", "resourceArn") if key in params), "")
            name = named.rsplit("/", 1)[-1]
        return next((s.tags for s in self.sim.world.services.values() if s.name == name), {})


def _both(first: Hook | None, second: Hook) -> Hook:
    """Two installations in one account: whoever makes the call is watched."""

    def hook(operation: str, params: dict[str, Any]) -> None:
        if first:
            first(operation, params)
        second(operation, params)

    return hook


class _Guarded:
    def __init__(self, target: Any, faults: Faults, prefix: str) -> None:
        self._target, self._faults, self._prefix = target, faults, prefix

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._target, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self._faults._before(f"{self._prefix}{name}", {})
            answer = call(*args, **kwargs)
            self._faults._after(f"{self._prefix}{name}", {})
            return answer

        return counted


class Stale:
    """A client whose reads may be answered as they were a while ago: ECS promises eventual consistency only."""

    def __init__(self, client: Any, faults: Faults) -> None:
        self._client, self._faults = client, faults

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found) or not name.startswith(("describe_", "list_")) or self._faults.stale is None:
            return found
        return lambda **params: self._read(name, found, params)

    def _read(self, name: str, call: Callable[..., Any], params: dict[str, Any]) -> Any:
        assert self._faults.stale is not None
        since, until, age = self._faults.stale
        now, key = self._faults.sim.now, (name, repr(sorted(params.items())))
        kept = self._faults.answers.get(key)
        if since <= now < until and kept and now - kept[0] <= age:
            return deepcopy(kept[1])
        answer = call(**params)
        self._faults.answers[key] = (now, answer)
        return deepcopy(answer)


def refused(operation: str, code: str) -> ClientError:
    """The exception that boto3 raises for an error of AWS."""
    status = 400 if code != "ServerException" else 500
    body: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(body, operation)
