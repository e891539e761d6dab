"""Loopbreaker beside one service of a simulated ECS, with shorter waits than in life: each world is made many times.

It is driven by `benchmarks/breaker/living.py`, as the worlds of the benchmark are.
"""

from random import Random
from typing import Any

from benchmarks.breaker.kinds.ways import dead
from benchmarks.breaker.living import Living
from benchmarks.breaker.stage import CLUSTER, Stage
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode, Policy
from loopbreaker.remembering.record import Record
from loopbreaker.treating.scope import Scope
from simulation import Behaviour, Delivery, Simulation, healthy

POLICY = Policy(
    quiet_after=90,
    survivor_age=60,
    serving_after=30,
    stop_after=200,
    probe_age=60,
    cool_down=600,
    probe_allowance=30,
    long_quiet_after=200,
)
BROKEN = dead(3)
COUNT = 2


def ref(name: str = "web") -> ServiceRef:
    return ServiceRef(cluster_arn=f"arn:aws:ecs:eu-west-1:123456789012:cluster/{CLUSTER}", name=name)


class World(Living):
    """An installation that can be looked into."""

    def go(self, seconds: float) -> None:
        """Let so much time pass."""
        self.run(self.sim.now + seconds)

    def kinds(self, name: str = "web") -> list[str]:
        """What was told of a service, in order."""
        return [told.kind for told in self.told if told.service == name]

    def record(self, name: str = "web") -> Record:
        return self.table.load(ref(name))

    @property
    def stage(self) -> Stage:
        """Where something can be made to happen."""
        return Stage(sim=self.sim, rng=Random(7), ours=self)


def empty(*, mode: Mode = Mode.STOP, scope: Scope | None = None) -> World:
    """A cluster without a service."""
    sim = Simulation(seed=7, delivery=Delivery(statuses=frozenset({"STOPPED"})))
    sim.create_cluster(CLUSTER, hosts=2)
    return World(sim, mode=mode, policy=POLICY, scope=scope or Scope())


def world(
    *, tags: dict[str, str] | None = None, behaviour: Behaviour | None = None, mode: Mode = Mode.STOP, **spec: Any
) -> World:
    """A service `web` of two tasks whose owner opted in to being stopped."""
    made = empty(mode=mode)
    opted_in = {"loopbreaker:action": "stop", **(tags or {})}
    made.stage.service(tags=opted_in, desired_count=COUNT, behaviour=behaviour or healthy(), **spec)
    return made


def broken(**of_the_world: Any) -> World:
    """The same, of which all tasks die from second 150 on."""
    made = world(**of_the_world)
    made.stage.breaks(150, BROKEN)
    return made


def fixed(made: World, *, at: float) -> World:
    """Somebody deploys a revision that works."""
    made.stage.deploys(at, healthy())
    return made


def scaled(made: World) -> World:
    """Application Auto Scaling looks after the service."""
    made.stage.scaling(minimum=2, maximum=10)
    return made
