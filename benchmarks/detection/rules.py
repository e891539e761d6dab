"""The rules that are compared: Loopbreaker, and what people use instead. Each sees the same and raises alarms.

A rule is told of what is seen and answers with messages. The rules that people use are taken kindly: a task counts
once however often its event is delivered, and an alarm that holds is told once, and once more when it is over.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from benchmarks.detection.operating import Operated
from benchmarks.detection.saying import Message
from benchmarks.detection.watching import Rollout, Said, Sample, Seen, Stopped, Watch
from loopbreaker.policy import Policy
from loopbreaker.remembering.notice import NoticeKind
from loopctl.replay import Replay
from loopctl.usual import StopsInWindow, usual_rules


class Rule(Protocol):
    """Something that watches the services of an account."""

    def see(self, seen: Seen) -> Iterator[Message]:
        """The messages that this gives rise to."""


@dataclass(slots=True)
class Counted:
    """One of the rules that count stops within a window, with each minute's passing."""

    counter: StopsInWindow

    def see(self, seen: Seen) -> Iterator[Message]:
        if isinstance(seen, Stopped):
            changed = self.counter.stopped(seen.service, seen.task, at=seen.at, failed=seen.failed)
        elif isinstance(seen, Sample):
            changed = self.counter.judged(seen.service, at=seen.at)
        else:
            return
        if changed is not None:
            yield Message(seen.at, seen.service, over=not changed)


@dataclass(slots=True)
class DeploymentBreaker:
    """ECS's own deployment circuit breaker, as an alarm: failed tasks of a deployment in progress reach its threshold.

    Counted as ECS does, with the default threshold, where a healthy task sets the count back ("How the Amazon ECS
    deployment circuit breaker detects failures"). Its rollback is not carried out, so that all rules see one stream.
    """

    _told: set[str] = field(default_factory=set)

    def see(self, seen: Seen) -> Iterator[Message]:
        if isinstance(seen, Rollout) and seen.failures >= seen.threshold and seen.deployment not in self._told:
            self._told.add(seen.deployment)
            yield Message(seen.at, seen.service)


@dataclass(slots=True)
class FewerThanDesired:
    """An alarm on RunningTaskCount < DesiredTaskCount for three data points of a minute each (Container Insights)."""

    periods: int = 3
    _missing: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def see(self, seen: Seen) -> Iterator[Message]:
        if not isinstance(seen, Sample):
            return
        missing = self._missing[seen.service]
        if seen.running < seen.desired:
            self._missing[seen.service] = missing + 1
            if missing + 1 == self.periods:
                yield Message(seen.at, seen.service)
        else:
            self._missing[seen.service] = 0
            if missing >= self.periods:
                yield Message(seen.at, seen.service, over=True)


class Loopbreaker:
    """The detector that ships, run by the replay engine of `loopctl`: it knows the events and nothing else."""

    def __init__(self, watch: Watch, policy: Policy | None = None) -> None:
        self._replay = Replay(policy or Policy())
        self._epoch = watch.sim.utc_now.timestamp() - watch.sim.now

    def see(self, seen: Seen) -> Iterator[Message]:
        if not isinstance(seen, Stopped | Said):
            return
        for change in self._replay.feed(seen.event):
            incident, kind = change.incident, change.notice.kind
            why = f"{incident.signal.value}, depth {incident.depth}"
            # That it is quiet shows with the next event; told is when the quiet was long enough.
            over = kind is NoticeKind.RECOVERED
            at = change.notice.at - self._epoch if over else seen.at
            yield Message(at, change.service.name, over=over, why=why)


OURS = "Loopbreaker"
"""As in operation: ECS answers."""
EVENTS = "Loopbreaker, events alone"
UNDOUBTING = "Loopbreaker, depth alone"
"""Without the tests whether a merely flaky service, or a short outage, could show such a chain."""
_DEPTH_ALONE = replace(
    Policy(), fast=replace(Policy().fast, chance=1), slow=replace(Policy().slow, chance=1), flaky_chance=1, outage=1e-6
)


def _counted(name: str) -> Callable[[Watch], Rule]:
    return lambda _: Counted(usual_rules()[name])


RULES: dict[str, Callable[[Watch], Rule]] = {
    OURS: Operated,
    EVENTS: Loopbreaker,
    UNDOUBTING: lambda watch: Loopbreaker(watch, _DEPTH_ALONE),
    **{name: _counted(name) for name in usual_rules()},
    "deployment circuit breaker": lambda _: DeploymentBreaker(),
    "running < desired for 3 min": lambda _: FewerThanDesired(),
}
"""Each rule by its name: takes what is watched, which only the first of them asks anything."""
