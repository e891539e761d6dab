"""A scenario becomes what can be seen of it: the events as they arrive, the count each minute, ECS's own breaker.

Beside that runs the truth: when tasks failed, which the simulation knows and no rule is told.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.detection.scenario import CLUSTER, HOUR, Loop, Scenario
from loopctl.usual import is_failure
from simulation import CircuitBreaker, Delivery, Simulation, uniform
from simulation.core.state import Task, TaskChange

# The installed rules let through STOPPED, and DEACTIVATING where ECS stops a task for failed health checks.
_STATUSES = ("STOPPED", "DEACTIVATING")
# 3 % of the events come twice, 3 % come late and so behind younger ones.
USUAL = Delivery(duplicates=0.03, disorder=0.03, statuses=_STATUSES)
# Half of the events come twice, and all of them in any order within two minutes.
SHUFFLED = Delivery(duplicates=0.5, disorder=1.0, late=uniform(0, 120), statuses=_STATUSES)

# Gigabytes of image, by seed: how fast tasks start.
_IMAGES = (0.4, 0.1, 1.0)


@dataclass(frozen=True, slots=True)
class Stopped:
    """A task's STOPPED event has arrived. `failed`: by itself or by its health checks, and not in ordinary life."""

    at: float
    service: str
    task: str
    failed: bool
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """ECS said something else, of a service, of a deployment, or of a task that it is about to stop."""

    at: float
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """A minute has passed: tasks RUNNING and desired."""

    at: float
    service: str
    running: int
    desired: int


@dataclass(frozen=True, slots=True)
class Rollout:
    """ECS counts failed tasks of a deployment in progress, with its breaker's default threshold beside."""

    at: float
    service: str
    deployment: str
    failures: int
    threshold: int


Seen = Stopped | Said | Sample | Rollout


@dataclass(slots=True)
class Watch:
    """One stream of a scenario. `failed_at` is the truth, by service, complete once the stream has been taken."""

    scenario: Scenario
    seed: int
    delivery: Delivery = USUAL
    loops: tuple[Loop, ...] = ()
    failed_at: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    events: int = 0
    sim: Simulation = field(init=False)
    _pending: deque[Seen] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.sim = Simulation(seed=self.seed, delivery=self.delivery)

    def stream(self) -> Iterator[Seen]:
        """Everything that is seen, in the order in which it is seen. To be taken once."""
        sim = self.sim
        sim.create_cluster(CLUSTER)
        self._listen(sim)
        self.loops = self.scenario.script(sim, _IMAGES[(self.seed - 1) % len(_IMAGES)])
        sim.every(60, lambda: self._sample(sim))
        for event in sim.stream(self.scenario.hours * HOUR):
            yield from self._take()
            if sim.now >= self.scenario.installed_at and _is_let_through(event["detail"]):
                self.events += 1
                yield _arrived(sim.now, self.scenario.told(event))
        yield from self._take()

    def _take(self) -> Iterator[Seen]:
        while self._pending:
            yield self._pending.popleft()

    def _listen(self, sim: Simulation) -> None:
        """Overhear what the tasks tell the scheduler."""
        tell_scheduler = sim.world.on_change

        def overhear(task: Task, change: TaskChange) -> None:
            tell_scheduler(task, change)
            if change is TaskChange.STOPPING and task.stop is not None and is_failure(task.stop.code, task.stop.reason):
                self.failed_at[task.service.name].append(sim.now)
            if change in (TaskChange.STOPPING, TaskChange.UNHEALTHY):
                self._count_as_ecs(task, sim.now)

        sim.world.on_change = overhear

    def _count_as_ecs(self, task: Task, now: float) -> None:
        service = task.service
        record = service.history[-1]
        if record.status == "IN_PROGRESS":
            threshold = CircuitBreaker().threshold(service.wanted)
            self._pending.append(Rollout(now, service.name, record.target.id, record.failures, threshold))

    def _sample(self, sim: Simulation) -> None:
        for service in sim.world.services.values():
            running = sum(1 for task in service.live.values() if task.last_status == "RUNNING")
            self._pending.append(Sample(sim.now, service.name, running, service.wanted))


def _is_let_through(detail: dict[str, Any]) -> bool:
    return detail.get("lastStatus") != "DEACTIVATING" or detail["stoppedReason"].startswith("Task failed ")


def _arrived(at: float, event: dict[str, Any]) -> Seen:
    detail = event["detail"]
    if detail.get("lastStatus") != "STOPPED":
        return Said(at, event)
    service = detail["group"].removeprefix("service:")
    return Stopped(at, service, detail["taskArn"], is_failure(detail["stopCode"], detail["stoppedReason"]), event)
