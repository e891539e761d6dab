"""A world of the benchmark, and what its script works with. Each world is lived twice from the same seed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import Any

from benchmarks.breaker.faults import Refusing
from benchmarks.breaker.living import Living
from simulation import Behaviour, ServiceSpec, Simulation, healthy

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
CLUSTER = "prod"
STOP = {"loopbreaker:action": "stop"}


Case = Mapping[str, Any]
"""Parameters of a script."""


@dataclass(frozen=True, slots=True)
class World:
    """One story: a kind's script with these parameters and this seed."""

    kind: "Kind"
    case: Case
    seed: int

    @property
    def key(self) -> str:
        """Its name, the same in every run."""
        parts = [f"{name} {value}" for name, value in self.case.items()]
        return " / ".join((self.kind.name, *parts, f"seed {self.seed}"))

    def play(self, stage: "Stage") -> None:
        """Plan what happens in it."""
        self.kind.script(stage, **self.case)


@dataclass(frozen=True, slots=True)
class Kind:
    """Worlds of one sort: a line in the table.

    script: takes the stage and the parameters of a case. `hours` is how long each world lasts.
    dead: nobody is served from begin to end, so that restarts are there to be avoided.
    excused, why: measures that no goal asks of this kind, because nobody could do better, and why that is so.
    """

    name: str
    script: Callable[..., None]
    hours: float
    seeds: int
    cases: Sequence[Case] = ({},)
    dead: bool = False
    excused: tuple[str, ...] = ()
    why: str = ""

    def worlds(self) -> Iterator[World]:
        """Each case with each seed; the cases of one seed first."""
        for seed in range(1, self.seeds + 1):
            for case in self.cases:
                yield World(self, case, seed)


def grid(**values: Iterable[Any]) -> list[Case]:
    """Every combination of the values, as parameters."""
    return [dict(zip(values, combination, strict=True)) for combination in product(*values.values())]


@dataclass
class Stage:
    """Where a script plays. `ours` is None in the life without Loopbreaker.

    began, ended: the script says when the cause began and when it was gone; None where it never is.
    returns: of a cause that comes again, when it was gone for a while, and how long it had lasted.
    """

    sim: Simulation
    rng: Random
    ours: Living | None
    began: float = 0.0
    ended: float | None = None
    returns: list[tuple[float, float]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    zeroed: dict[str, float] = field(default_factory=dict)  # since when a person wants a service at 0
    to_be_told: list[tuple[str, float, float]] = field(default_factory=list)  # service, between
    waits: float = 36 * HOUR  # for how long somebody waits for a deployment, as CloudFormation does

    def service(self, name: str = "web", *, tags: dict[str, str] | None = None, **spec: Any) -> None:
        """A service in the cluster, opted in to being stopped unless it is given other tags."""
        self.names.append(name)
        self.sim.create_service(ServiceSpec(cluster=CLUSTER, name=name, tags=STOP if tags is None else tags, **spec))

    def scaling(self, name: str = "web", *, minimum: int = 2, maximum: int = 20) -> None:
        """Application Auto Scaling looks after the service."""
        self.sim.scaling.register(CLUSTER, name, minimum=minimum, maximum=maximum)

    def at(self, when: float, action: Callable[[], object]) -> None:
        self.sim.at(when, action)

    def breaks(self, when: float, behaviour: Behaviour, *, name: str = "web", count: int | None = None) -> None:
        """From then on new tasks behave like this, and running ones (`count` of them, all where left out) die."""

        def happen() -> None:
            self.sim.behave(CLUSTER, name, behaviour)
            if count != 0:
                self.sim.churn.blip(CLUSTER, name, count=count)

        self.sim.at(when, happen)

    def heals(self, when: float, behaviour: Behaviour | None = None, *, name: str = "web") -> None:
        """From then on new tasks live."""
        self.sim.at(when, lambda: self.sim.behave(CLUSTER, name, behaviour or healthy()))

    def deploys(self, when: float, behaviour: Behaviour | None = None, *, name: str = "web", **changes: Any) -> None:
        """Somebody deploys a new revision then; one that works, unless it is given another behaviour."""
        self.sim.at(when, lambda: self.sim.deploy(CLUSTER, name, behaviour=behaviour, **changes))

    def restarts(self, when: float, *, name: str = "web") -> None:
        """Somebody forces a new deployment of the same revision."""
        self.sim.at(when, lambda: self.sim.restart(CLUSTER, name))

    def scales(self, when: float, desired: int, *, name: str = "web") -> None:
        """Somebody sets the desired count."""
        self.sim.at(when, lambda: self.sim.scale(CLUSTER, name, desired))

    def zero(self, name: str = "web") -> None:
        """A person sets 0, now, and means it."""
        self.zeroed[name] = self.sim.now
        self.sim.scale(CLUSTER, name, 0)

    def tags(self, when: float, *, name: str = "web", remove: tuple[str, ...] = (), **add: str) -> None:
        """Somebody changes tags of ours: `action="stop"` sets `loopbreaker:action`."""

        def happen() -> None:
            tags = self.sim.service(CLUSTER, name).tags
            tags.update({f"loopbreaker:{key.replace('_', '-')}": value for key, value in add.items()})
            for key in remove:
                tags.pop(f"loopbreaker:{key}", None)

        self.sim.at(when, happen)

    def refuses(
        self,
        *operations: str,
        code: str,
        since: float = 0.0,
        until: float = 1e12,
        when: Callable[[dict[str, Any]], bool] = lambda params: True,
    ) -> None:
        """AWS answers Loopbreaker with an error."""
        if self.ours:
            self.ours.faults.refusals.append(Refusing(operations, code, since, until, when))

    def must_tell(self, since: float, *, within: float, name: str = "web") -> None:
        """The people of the service are to hear something new within so many seconds."""
        self.to_be_told.append((name, since, since + within))

    def once_at_zero(self, action: Callable[[], object], *, delay: float, name: str = "web") -> None:
        """Somebody reacts, so long after Loopbreaker has set the service to 0; in the other life nobody needs to."""
        if self.ours is None:
            return
        done: list[float] = []

        def look() -> None:
            if not done and self.sim.service(CLUSTER, name).desired == 0:
                done.append(self.sim.now)
                self.sim.at(self.sim.now + delay, action)

        self.sim.every(10, look)
