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
from loopbreaker.record import NoticeKind
from loopctl.replay import Replay

_MINUTE = 60.0


class Rule(Protocol):
    """Something that watches the services of an account."""

    def see(self, seen: Seen) -> Iterator[Message]:
        """The messages that this gives rise to."""


@dataclass(slots=True)
class StopsInWindow:
    """So many stops of a service within a window.

    With every stop counted, 3 in 15 minutes, this is what the closest published peer does (an EventBridge rule,
    a table of stops, a query over the last 15 minutes). 5 failures in 10 minutes is the restart limit of process
    supervisors carried over, 3 in an hour the cautious way to catch slow loops with a counter.
    """

    threshold: int
    window: float
    every_stop: bool = False
    _stops: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    _holds: set[str] = field(default_factory=set)

    def see(self, seen: Seen) -> Iterator[Message]:
        if isinstance(seen, Stopped) and (seen.failed or self.every_stop):
            self._stops[seen.service].setdefault(seen.task, seen.at)
        elif not isinstance(seen, Sample):
            return
        stops = self._stops[seen.service]
        while stops and (oldest := next(iter(stops.items())))[1] <= seen.at - self.window:
            del stops[oldest[0]]
        holds, held = len(stops) >= self.threshold, seen.service in self._holds
        if holds and not held:
            self._holds.add(seen.service)
            yield Message(seen.at, seen.service)
        elif held and not holds:
            self._holds.discard(seen.service)
            yield Message(seen.at, seen.service, over=True)


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

RULES: dict[str, Callable[[Watch], Rule]] = {
    OURS: Operated,
    EVENTS: Loopbreaker,
    UNDOUBTING: lambda watch: Loopbreaker(watch, _DEPTH_ALONE),
    "3 stops in 15 min": lambda _: StopsInWindow(3, 15 * _MINUTE, every_stop=True),
    "5 failures in 10 min": lambda _: StopsInWindow(5, 10 * _MINUTE),
    "3 failures in 60 min": lambda _: StopsInWindow(3, 60 * _MINUTE),
    "deployment circuit breaker": lambda _: DeploymentBreaker(),
    "running < desired for 3 min": lambda _: FewerThanDesired(),
}
"""Each rule by its name: takes what is watched, which only the first of them asks anything."""
