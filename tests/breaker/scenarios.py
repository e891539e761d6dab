"""The stories in which a breaker may do harm, each a world and the time at which its end is looked at."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from loopbreaker.policy import Mode, Policy
from loopbreaker.remembering.trip import BreakerState
from simulation import Behaviour, ServiceSpec, Simulation, constant, crash, healthy
from simulation import Mode as Cause
from tests.breaker.world import World, quiet_delivery

# Shorter waits than in life: each story is told hundreds of times.
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
# Held for as long as the loop has lasted, so that there is one try in the time of a story.
TRIED_SOON = replace(POLICY, cool_down=100, recovery_share=0.99, probe_allowance=1)
BROKEN = crash(Cause.APP_CRASH, after=constant(3))
COUNT = 2


@dataclass(frozen=True)
class Scenario:
    """build: the world at its start; ends: seconds until it is looked at; kinds, desired: what is right in the end."""

    build: Callable[[], World]
    ends: float
    kinds: tuple[str, ...]
    desired: int


def world(
    *,
    tags: dict[str, str] | None = None,
    behaviour: Behaviour | None = None,
    mode: Mode = Mode.STOP,
    policy: Policy | None = None,
    **spec: Any,
) -> World:
    """A service `web` of two tasks whose owner opted in to being stopped."""
    sim = Simulation(seed=7, delivery=quiet_delivery())
    sim.create_cluster("prod", hosts=2)
    sim.create_service(
        ServiceSpec(
            cluster="prod",
            name="web",
            desired_count=spec.pop("desired_count", COUNT),
            tags={"loopbreaker:action": "stop", **(tags or {})},
            behaviour=behaviour or healthy(),
            **spec,
        )
    )
    made = World(sim, mode=mode, policy=policy or POLICY)
    made.invariants.append(_nothing_that_serves_is_stopped(made))
    return made


def breaks(made: World, *, at: float = 150, tasks: int | None = None) -> World:
    """From then on the service's new tasks die; `tasks` of its old ones die as well, all where left out."""

    def happen() -> None:
        made.sim.behave("prod", "web", BROKEN)
        made.sim.churn.blip("prod", "web", count=tasks)

    made.sim.at(at, happen)
    return made


def fixed(made: World, *, at: float) -> World:
    """Somebody deploys a revision that works."""
    made.sim.at(at, lambda: made.sim.deploy("prod", "web", behaviour=healthy()))
    return made


def bad_deployment(made: World) -> World:
    """Somebody deploys a revision that does not work."""
    made.sim.at(150, lambda: made.sim.deploy("prod", "web", behaviour=BROKEN))
    return made


def scaled(made: World, **suspended: bool) -> World:
    """Application Auto Scaling looks after the service."""
    made.sim.scaling.register("prod", "web", minimum=2, maximum=10, suspended=suspended or None)
    return made


def deployed_meanwhile(made: World) -> World:
    """Somebody deploys in the very moment in which the service is set to 0."""
    done: list[str] = []

    def meanwhile(name: str, kwargs: dict[str, Any]) -> None:
        if name == "UpdateService" and kwargs.get("desiredCount") == 0 and not done:
            done.append(made.sim.deploy("prod", "web", behaviour=healthy()))

    made.before_call = meanwhile
    return made


def raised_by_schedule(made: World) -> World:
    """A scheduled action lifts the service after it was stopped; it was meant to run with scaling suspended before."""
    made.sim.at(860, lambda: made.sim.scale("prod", "web", COUNT))
    return made


def healed(made: World, *, at: float) -> World:
    """What the service depends on works again: new tasks live."""
    made.sim.at(at, lambda: made.sim.behave("prod", "web", healthy()))
    return made


def _nothing_that_serves_is_stopped(made: World) -> Callable[[str, dict[str, Any]], None]:
    """Asks the simulated tasks themselves whether anybody is served, not what the breaker was told of them."""

    def check(name: str, kwargs: dict[str, Any]) -> None:
        if name == "UpdateService" and kwargs.get("desiredCount") == 0:
            assert not made.sim.serving("prod", "web")

    return check


def no_count_is_lost(made: World) -> None:
    """Whoever holds the service at 0 remembers what it was."""
    record = made.record()
    if record.breaker is not BreakerState.CLOSED:
        assert record.trip is not None
        assert record.trip.desired_count == COUNT


SCENARIOS: dict[str, Scenario] = {
    "stop, then a fix": Scenario(
        lambda: fixed(breaks(world()), at=800), 1500, ("looping", "stopped", "back", "recovered"), COUNT
    ),
    "stop with scaling, then a fix": Scenario(
        lambda: fixed(breaks(scaled(world())), at=800), 1500, ("looping", "stopped", "back", "recovered"), COUNT
    ),
    "stop with scaling half suspended": Scenario(
        lambda: fixed(breaks(scaled(world(), DynamicScalingInSuspended=True)), at=800),
        1500,
        ("looping", "stopped", "back", "recovered"),
        COUNT,
    ),
    "rollback": Scenario(lambda: bad_deployment(world()), 1200, ("looping", "rolled-back", "recovered"), COUNT),
    "deployment started in the middle": Scenario(
        lambda: deployed_meanwhile(breaks(scaled(world()))), 1300, ("looping", "not-stopped", "recovered"), COUNT
    ),
    "raised by somebody": Scenario(
        lambda: healed(raised_by_schedule(breaks(scaled(world()))), at=840),
        2300,
        ("looping", "stopped", "back", "recovered"),
        COUNT,
    ),
    "a survivor": Scenario(lambda: breaks(world(), tasks=1), 700, ("looping", "not-stopped"), COUNT),
    "DAEMON": Scenario(
        lambda: breaks(world(strategy="DAEMON", launch_type="EC2", desired_count=0)),
        700,
        ("looping", "not-stopped"),
        0,  # a DAEMON service has none
    ),
    "CODE_DEPLOY": Scenario(lambda: breaks(world(controller="CODE_DEPLOY")), 700, ("looping", "not-stopped"), COUNT),
    "a probe fails": Scenario(
        lambda: breaks(scaled(world(policy=TRIED_SOON))),
        1250,
        ("looping", "stopped", "probing", "stopped"),
        0,
    ),
    "a probe succeeds": Scenario(
        lambda: healed(breaks(scaled(world(policy=TRIED_SOON))), at=540),
        1900,
        ("looping", "stopped", "probing", "back", "recovered"),
        COUNT,
    ),
}
