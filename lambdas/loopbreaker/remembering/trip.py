"""One treatment of a service: what it was before we touched it, and how far we are."""

from dataclasses import dataclass
from enum import StrEnum


class BreakerState(StrEnum):
    """Whether Loopbreaker stopped the service: OPEN while it holds it at 0."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Step(StrEnum):
    """Where the treatment of a service stands. A step that names a call is saved before the call is made.

    What each step means stands in one table, `treating.steps.CALLS`.
    """

    TAG = "tag"
    SUSPEND_SCALING = "suspend-scaling"
    READY = "ready"
    SET_ZERO = "set-zero"
    HELD = "held"
    SET_ONE = "set-one"
    PROBING = "probing"
    SET_ALL = "set-all"
    PROBING_ALL = "probing-all"
    STOP_AGAIN = "stop-again"
    RESTORE_COUNT = "restore-count"
    RESTORE_SCALING = "restore-scaling"
    UNTAG = "untag"
    STOP_DEPLOYMENT = "stop-deployment"
    ROLLING_BACK = "rolling-back"


_OPEN = frozenset({Step.HELD, Step.RESTORE_COUNT})


_HALF_OPEN = frozenset({Step.SET_ONE, Step.PROBING, Step.SET_ALL, Step.PROBING_ALL, Step.STOP_AGAIN})


NO_MAXIMUM = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Scaling:
    """An Application Auto Scaling target: its least and its greatest count, and its three suspended flags."""

    minimum: int
    dynamic_in_suspended: bool
    dynamic_out_suspended: bool
    scheduled_suspended: bool
    maximum: int = NO_MAXIMUM

    @property
    def suspended(self) -> bool:
        """Whether nothing scales the service by its load; its schedule may."""
        return self.dynamic_in_suspended and self.dynamic_out_suspended


@dataclass(frozen=True, slots=True)
class Trip:
    """What a service was before we touched it, and how far we are.

    step, since: where the treatment stands, and from when on.
    lease_until: until then the invocation that took the step works on it, and nobody else does.
    desired_count, scaling: what comes back in the end, within the limits that its scaling target has by then.
    deployment_id, task_definition: what looped; another one is a fix, or somebody's change.
    looping_since: when the loop began; how long the service is held goes by how long that is ago.
    cause, shortest, longest: how its tasks died: the category, and how long they lived, in seconds.
    service_deployment: ARN of the service deployment that is rolled back; else empty.
    zeroed: whether we set the count to 0, or may have.
    tries: probes that failed.
    whole: whether all tasks are tried next, together, and at once.
    first_at: when ECS made the first task of a try; of an earlier one before the first look at a try.
    another_back_at: when a service that began to loop about when this one did was last well again.
    why: what people are told when the way back is done; undo: whether it undoes a stop that did not come about.
    odd_at: the first look at which the count was not ours; a second one has to agree.
    blind_since: ECS has not answered since then; 0 where it does.
    down, down_at: why people were told that the service is down and cannot be brought back, and when.
    """

    step: Step
    since: float
    lease_until: float
    desired_count: int
    deployment_id: str
    task_definition: str
    scaling: Scaling | None
    looping_since: float = 0.0
    cause: str = ""
    shortest: float = 0.0
    longest: float = 0.0
    service_deployment: str = ""
    zeroed: bool = False
    tries: int = 0
    whole: bool = False
    first_at: float = 0.0
    another_back_at: float = 0.0
    why: str = ""
    undo: bool = False
    odd_at: float = 0.0
    blind_since: float = 0.0
    down: str = ""
    down_at: float = 0.0

    @property
    def state(self) -> BreakerState:
        """OPEN while we hold the service at 0, HALF_OPEN while we let it try."""
        if self.step is Step.RESTORE_COUNT and not self.zeroed:
            return BreakerState.CLOSED
        if self.step in _OPEN:
            return BreakerState.OPEN
        return BreakerState.HALF_OPEN if self.step in _HALF_OPEN else BreakerState.CLOSED
