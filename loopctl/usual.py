"""The three rules that people use instead: so many stops, or failures, of a service within a window. Taken kindly.

A task counts once however often its event is delivered, and an alarm that holds is told once until it is over.
"""

from collections import defaultdict
from dataclasses import dataclass, field

_MINUTE = 60.0


def is_failure(stop_code: str, reason: str) -> bool:
    """Whether a stop is a failure, by the stop codes of the "Stopped tasks error codes" page."""
    if stop_code == "ServiceSchedulerInitiated":
        return "health checks" in reason
    return stop_code in ("EssentialContainerExited", "TaskFailedToStart")


@dataclass(slots=True)
class StopsInWindow:
    """`threshold` stops of a service within `window` seconds; only failures, unless every stop counts.

    With every stop counted, 3 in 15 minutes, this is what the closest published peer does (an EventBridge rule,
    a table of stops, a query over the last 15 minutes). 5 failures in 10 minutes is the restart limit of process
    supervisors carried over, 3 in an hour the cautious way to catch slow loops with a counter.
    """

    threshold: int
    window: float
    every_stop: bool = False
    _stops: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    _holding: set[str] = field(default_factory=set)

    def stopped(self, service: str, task: str, *, at: float, failed: bool) -> bool | None:
        """A task stopped: True where the alarm begins by it, False where it ends, None where nothing changes."""
        if not failed and not self.every_stop:
            return None
        self._stops[service].setdefault(task, at)
        return self.judged(service, at=at)

    def judged(self, service: str, *, at: float) -> bool | None:
        """The same for the mere passing of time."""
        stops = self._stops[service]
        while stops and (oldest := next(iter(stops.items())))[1] <= at - self.window:
            del stops[oldest[0]]
        holds, held = len(stops) >= self.threshold, service in self._holding
        if holds and not held:
            self._holding.add(service)
            return True
        if held and not holds:
            self._holding.discard(service)
            return False
        return None


def usual_rules() -> dict[str, StopsInWindow]:
    """Each rule by its name, with nothing seen yet."""
    return {
        "3 stops in 15 min": StopsInWindow(3, 15 * _MINUTE, every_stop=True),
        "5 failures in 10 min": StopsInWindow(5, 10 * _MINUTE),
        "3 failures in 60 min": StopsInWindow(3, 60 * _MINUTE),
    }
