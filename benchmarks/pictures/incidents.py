"""The five incidents. Each is a script for the simulated ECS; what is drawn is what Loopbreaker remembers of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from benchmarks.breaker.living import Living
from loopbreaker.picture.loops import Loop
from loopbreaker.picture.timeline import Mark, Moment, Task, Timeline
from loopbreaker.picture.timelines import timeline, together, with_tasks
from loopbreaker.policy import Mode as Treatment
from loopbreaker.seeing.events import parse
from loopbreaker.stories.detect import observation
from loopctl.seen import SeenFailures
from simulation import Failure, ServiceSpec, Simulation, crash, healthy, uniform

CLUSTER = "prod"
_START = datetime(2026, 9, 26, 8, 50, tzinfo=UTC)
_HOUR, _DAY = 3600.0, 86_400.0
_STOP = {"loopbreaker:action": "stop", "loopbreaker:recovery": "probe"}


@dataclass(frozen=True, slots=True)
class Incident:
    """What is drawn: the loops, each with what is known of its tasks, and the picture of all of them."""

    loops: tuple[Loop, ...]
    drawn: Timeline


@dataclass
class Watched(Living):
    """Loopbreaker in a simulation, and the failed tasks one by one beside it."""

    seen: SeenFailures = field(default_factory=SeenFailures)
    deployed: list[float] = field(default_factory=list)

    def _detect(self, event: dict[str, Any]) -> None:
        told = observation(parse(event))
        if told and told.failure and told.final:
            self.seen.add(told.failure)
        super()._detect(event)

    def loops(self) -> list[Loop]:
        """Every loop so far, those that are over first."""
        over = [
            Loop(service, incident, closed_at=closed_at, closed_because=reason)
            for (service, _), (incident, closed_at, reason) in self.table.closed.items()
        ]
        return over + [Loop(r.service, r.incident, record=r) for r in self.table.records() if r.incident]

    def draw(self, loop: Loop) -> Timeline:
        """One loop, with the tasks that are known and those that run now in its place."""
        drawn = timeline(loop, now=self.now)
        first, last = self.seen.of(loop.service, since=loop.incident.first_failure_at, until=drawn.until)
        drawn = with_tasks(drawn, first, last)
        marks = [Mark(Moment.DEPLOYMENT, at) for at in self.deployed]
        return replace(drawn, marks=tuple(sorted([*marks, *drawn.marks], key=lambda mark: mark.at)))

    def running(self, name: str, *, since: float) -> tuple[Task, ...]:
        """The tasks of a service that run, of those created since then."""
        return tuple(
            Task(name, self.epoch + task.created_at, self.epoch + task.started_at, None)
            for task in self.sim.tasks(CLUSTER, name)
            if task.started_at is not None and task.stopped_at is None and self.epoch + task.created_at >= since
        )


def _world(seed: int) -> Watched:
    sim = Simulation(seed=seed, start=_START)
    sim.create_cluster(CLUSTER, hosts=2)
    return Watched(sim, mode=Treatment.STOP)


def stopped(*, hours: float = 3.5) -> Incident:
    """A deployment brings a crash loop; it is stopped, its cause goes away, and a probe brings it back."""
    world = _world(3)
    world.sim.create_service(ServiceSpec(cluster=CLUSTER, name="checkout", desired_count=2, tags=_STOP))
    gone = 55 * 60.0

    def deploys() -> None:
        world.deployed.append(world.now)
        world.sim.deploy(CLUSTER, "checkout", behaviour=healthy())

    def breaks() -> None:
        world.sim.behave(CLUSTER, "checkout", crash(Failure.APP_CRASH, after=uniform(35, 50), until=gone))
        world.sim.churn.blip(CLUSTER, "checkout")

    world.sim.at(600, deploys)
    world.sim.at(1200, breaks)
    world.run(hours * _HOUR)
    loop = world.loops()[0]
    drawn = world.draw(loop)
    back = world.running("checkout", since=loop.incident.opened_at)
    return Incident((loop,), replace(drawn, first=drawn.first + back))


def one_slot() -> Incident:
    """One slot of forty runs out of memory again and again; the others serve."""
    world = _world(4)
    world.sim.create_service(
        ServiceSpec(
            cluster=CLUSTER,
            name="search",
            desired_count=40,
            behaviour=crash(Failure.OUT_OF_MEMORY, after=uniform(100, 140), slots=(7,)),
        )
    )
    world.run(1.5 * _HOUR)
    loop = world.loops()[0]
    return Incident((loop,), replace(world.draw(loop), serving=39))


def slow_leak() -> Incident:
    """Each task grows until it is killed, 40 to 48 minutes after its start."""
    world = _world(5)
    leak = crash(Failure.OUT_OF_MEMORY, after=uniform(2400, 2900))
    world.sim.create_service(ServiceSpec(cluster=CLUSTER, name="reports", desired_count=2, behaviour=leak))
    world.run(8 * _HOUR)
    loop = world.loops()[0]
    return Incident((loop,), world.draw(loop))


def mass() -> Incident:
    """A registry is away for twenty minutes: twenty-five services cannot pull their images."""
    world = _world(6)
    names = [f"{word}-api" for word in _WORDS]
    for name in names:
        world.sim.create_service(ServiceSpec(cluster=CLUSTER, name=name, desired_count=1))

    def away() -> None:
        for name in names:
            world.sim.behave(CLUSTER, name, crash(Failure.IMAGE_PULL, until=600 + 20 * 60.0))
            world.sim.churn.blip(CLUSTER, name)

    world.sim.at(600, away)
    world.run(600 + 22 * 60.0)
    loops = world.loops()
    return Incident(tuple(loops), together([world.draw(loop) for loop in loops]))


def week() -> Incident:
    """Nobody looks for a week: ten thousand failures of one slot."""
    world = _world(7)
    life = crash(Failure.APP_CRASH, after=uniform(25, 35))
    spec = ServiceSpec(cluster=CLUSTER, name="worker", desired_count=1, launch_type="EC2", behaviour=life)
    world.sim.create_service(spec)
    while not (loops := world.loops()) or loops[0].incident.failed_tasks < 10_000:
        world.run(world.sim.now + _HOUR / 6)
    return Incident((loops[0],), world.draw(loops[0]))


INCIDENTS: dict[str, Callable[[], Incident]] = {
    "stopped": stopped,
    "one-slot": one_slot,
    "slow-leak": slow_leak,
    "mass": mass,
    "week": week,
}

_WORDS = (
    "account",
    "address",
    "audit",
    "basket",
    "billing",
    "catalog",
    "coupon",
    "customer",
    "delivery",
    "email",
    "export",
    "invoice",
    "ledger",
    "login",
    "media",
    "offer",
    "order",
    "partner",
    "payment",
    "pricing",
    "profile",
    "refund",
    "review",
    "stock",
    "tax",
)
