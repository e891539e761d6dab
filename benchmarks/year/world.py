"""Services as they live for a year: well, flaky, in a loop, at 0, deleted; and an ECS that does not always answer.

Knows nothing of Loopbreaker's rules: a loop is a service whose every task dies, for as long as the phase lasts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from loopbreaker.model import Category, ServiceRef, TaskFailure
from loopbreaker.treating.facts import Facts, RunningTask, Unknown

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
BEGIN = 1_767_225_600.0
_CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/production"
_OUTAGE = 3 * HOUR


class Kind(StrEnum):
    """How a service is for a while."""

    WELL = "well"
    FLAKY = "flaky"
    LOOP = "loop"
    ZERO = "zero"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of a service's life. `every`: seconds from one failure to the next, where tasks fail."""

    kind: Kind
    begin: float
    end: float
    every: float = 0.0
    lifetime: float = 0.0


@dataclass(frozen=True, slots=True)
class Service:
    """One service and its phases, which follow each other."""

    ref: ServiceRef
    phases: tuple[Phase, ...]
    seed: int

    def phase(self, at: float) -> Phase:
        return next(phase for phase in self.phases if at < phase.end)

    def failures(self) -> Iterator[TaskFailure]:
        """Its tasks that fail, in order."""
        random, number = Random(self.seed), 0
        for phase in self.phases:
            if not phase.every:
                continue
            at = phase.begin + phase.every * random.uniform(0.3, 1)
            while at < phase.end:
                number += 1
                yield self._failure(phase, at, number)
                at += phase.every * random.uniform(0.7, 1.3)

    def _failure(self, phase: Phase, at: float, number: int) -> TaskFailure:
        created = at - phase.lifetime - 10
        return TaskFailure(
            service=self.ref,
            task_id=f"{self.seed:016x}{number:016x}",
            created_at=created,
            failed_at=at,
            lifetime=phase.lifetime,
            category=Category.APP_CRASH,
            container="app",
            evidence="exit code 1",
            exit_code=1,
            deployment_id="ecs-svc/1234567890123456789",
            task_definition=f"arn:aws:ecs:us-east-1:123456789012:task-definition/{self.ref.name}:42",
        )

    def facts(self, at: float) -> Facts | Unknown:
        """What ECS says of it; nothing for three hours of each tenth day."""
        if at % (10 * DAY) < _OUTAGE:
            return Unknown(why="DescribeServices: ServiceUnavailable")
        phase = self.phase(at)
        if phase.kind is Kind.GONE:
            return Facts(exists=False)
        if phase.kind is Kind.ZERO:
            return Facts(exists=True, desired_count=0)
        runs = phase.kind is not Kind.LOOP
        return Facts(exists=True, desired_count=1, tasks=(self._task(phase.begin),) if runs else ())

    @staticmethod
    def _task(since: float) -> RunningTask:
        return RunningTask(
            last_status="RUNNING",
            health="HEALTHY",
            started_at=since + 10,
            deployment_id="ecs-svc/1234567890123456789",
            created_at=since,
        )


def services(number: int, *, days: float, seed: int = 1) -> tuple[Service, ...]:
    """So many services with so many days each. On the twentieth day all are down together for an hour."""
    return tuple(_service(n, days=days, random=Random(seed * 1_000_003 + n)) for n in range(number))


def _service(n: int, *, days: float, random: Random) -> Service:
    phases: list[Phase] = []
    at, end = BEGIN, BEGIN + days * DAY
    down = BEGIN + 20 * DAY + 600 * random.random()
    while at < end:
        phase = _phase(at, random)
        if phase.begin <= down < phase.end:
            cut = Phase(phase.kind, phase.begin, down, phase.every, phase.lifetime)
            phase = Phase(Kind.LOOP, down, down + HOUR, every=90.0, lifetime=12.0)
            phases.append(cut)
        phases.append(phase)
        at = phase.end
    return Service(ServiceRef(_CLUSTER, f"s{n:03}"), tuple(phases), seed=n + 1)


def _phase(at: float, random: Random) -> Phase:
    def of(kind: Kind, least: float, most: float, every: float = 0.0, lifetime: float = 0.0) -> Phase:
        return Phase(kind, at, at + random.uniform(least, most), every, lifetime)

    chance = random.random()
    if chance < 0.60:
        return of(Kind.WELL, 5 * DAY, 60 * DAY)
    if chance < 0.72:
        return of(Kind.FLAKY, 5 * DAY, 40 * DAY, random.uniform(8, 72) * HOUR, 4 * HOUR)
    if chance < 0.90:
        return of(Kind.LOOP, 5 * MINUTE, 6 * HOUR, random.uniform(45, 300), random.uniform(3, 30))
    if chance < 0.94:
        # As ECS slows down what cannot start.
        return of(Kind.LOOP, 6 * HOUR, 20 * DAY, 27 * MINUTE, 0.0)
    if chance < 0.97:
        return of(Kind.ZERO, HOUR, 20 * DAY)
    return of(Kind.GONE, HOUR, 20 * DAY)
