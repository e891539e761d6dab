"""Whatever is deployed in whatever way: nothing that has served, or that comes to be good by itself, is rolled back.

Each history is lived twice and judged by `benchmarks/breaker/oracle.py`. More of them: `python -m tests.breaker 1000`.

What a new revision needs is away for less than half an hour at most: one that never served for longer than that beside
one that serves cannot be told from one that never will (docs/safety.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hypothesis import HealthCheck as Check
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.breaker.judgement import Judgement
from benchmarks.breaker.kinds.ways import dead, served_for
from benchmarks.breaker.oracle import judge
from benchmarks.breaker.stage import CLUSTER, MINUTE, Kind, Stage, World
from benchmarks.breaker.summary import broken
from simulation import (
    Behaviour,
    CircuitBreaker,
    Failure,
    HealthCheck,
    TargetGroup,
    TaskSpec,
    TrafficShift,
    constant,
    crash,
    healthy,
    uniform,
)

HOURS = 5.0
_LAST = int(60 * HOURS) - 70
REVISIONS: dict[str, Callable[[float], Behaviour]] = {
    "good": lambda until: healthy(),
    "good for a while": lambda until: healthy(),
    "bad": lambda until: dead(3),
    "bad, slowly": lambda until: dead(45),
    "one slot loops": lambda until: dead(3, slots=[0]),
    "serves for minutes": lambda until: served_for(uniform(150, 700)),
    "serves for long": lambda until: served_for(uniform(900, 2400)),
    "some starts fail once": lambda until: crash(Failure.APP_CRASH, after=constant(2), first_starts=1, share=0.4),
    "all starts fail thrice": lambda until: crash(
        Failure.APP_CRASH, after=constant(30), ready_after=constant(60), first_starts=3
    ),
    "needs what is away": lambda until: dead(3, until=until),
}
"""How the tasks of a new revision behave; what the last of them needs is there at the time that it is given."""


@dataclass(frozen=True)
class Rollouts:
    """What is deployed, in minutes since the start; for so many minutes something that it needs is away.

    restarts: when somebody forces a deployment of what runs. blips: when every task dies once.
    outages: since, until: what every revision needs is away. bake: in seconds, where traffic moves.
    """

    seed: int
    tasks: int
    health: str
    strategy: Literal["", "BLUE_GREEN", "CANARY", "LINEAR"]
    breaker: bool
    minimum: int
    deployed: tuple[tuple[int, str, int], ...]
    restarts: tuple[int, ...]
    blips: tuple[int, ...]
    outages: tuple[tuple[int, int], ...]
    bake: float
    stale: int

    def play(self, stage: Stage) -> None:
        """Plan it."""
        stage.service(
            desired_count=self.tasks,
            task=TaskSpec(health_check=HealthCheck() if self.health == "container" else None),
            target_group=TargetGroup(deregistration_delay=30) if self.health == "load balancer" else None,
            shift=TrafficShift(strategy=self.strategy, bake=self.bake) if self.strategy else None,
            circuit_breaker=CircuitBreaker() if self.breaker else None,
            minimum_percent=self.minimum,
        )
        for at, what, minutes in self.deployed:
            stage.deploys(at * MINUTE, REVISIONS[what]((at + minutes) * MINUTE))
            if what == "good for a while":
                stage.at(at * MINUTE + 1, lambda at=at, minutes=minutes: _spoil(stage, (at + minutes) * MINUTE))  # type: ignore[misc]
        for since, until in self.outages:
            stage.at(since * MINUTE, lambda until=until: _away(stage, until * MINUTE))  # type: ignore[misc]
        for at in self.restarts:
            stage.restarts(at * MINUTE)
        for at in self.blips:
            stage.at(at * MINUTE, lambda: stage.sim.churn.blip(CLUSTER, "web"))
        if stage.ours and self.stale:
            stage.ours.faults.stale = (0.0, 1e12, float(self.stale))


def _spoil(stage: Stage, at: float) -> None:
    """The revision that was just deployed breaks for ever at that time."""
    deployment = stage.sim.service(CLUSTER, "web").primary

    def happen() -> None:
        stage.sim.world.behaviours[deployment.definition.arn] = dead(3)
        for task in deployment.tasks():
            if task.last_status == "RUNNING":
                stage.sim.churn.end(task)

    stage.at(at, happen)


def _away(stage: Stage, until: float) -> None:
    """Every task dies, and those that follow until what they need is back."""
    behaviours = stage.sim.world.behaviours
    before = dict(behaviours)
    behaviours.update({arn: dead(3, until=until) for arn in before})
    stage.at(until, lambda: behaviours.update(before))
    stage.sim.churn.blip(CLUSTER, "web")


_MINUTES = st.integers(20, _LAST)


@st.composite
def rollouts(draw: st.DrawFn) -> Rollouts:
    """Any mixture; most have a revision that never serves, because only there something is done."""
    deployed = st.tuples(_MINUTES, st.sampled_from(["bad", *REVISIONS]), st.integers(1, 25))
    return Rollouts(
        seed=draw(st.integers(0, 10_000)),
        tasks=draw(st.integers(1, 5)),
        health=draw(st.sampled_from(["", "container", "load balancer"])),
        strategy=draw(st.sampled_from(["", "", "BLUE_GREEN", "CANARY", "LINEAR"])),
        breaker=draw(st.booleans()),
        minimum=draw(st.sampled_from([100, 100, 50, 0])),
        deployed=tuple(sorted(draw(st.lists(deployed, min_size=1, max_size=4)))),
        restarts=tuple(draw(st.lists(_MINUTES, max_size=2))),
        blips=tuple(draw(st.lists(_MINUTES, max_size=2))),
        outages=draw(st.sampled_from([(), (), ((70, 130),), ((100, 215),)])),
        bake=draw(st.sampled_from([300.0, 5400.0])),
        stale=draw(st.sampled_from([0, 0, 60, 300])),
    )


def judged(history: Rollouts) -> Judgement:
    """What Loopbreaker did in a history."""
    (found,) = judge(World(Kind("any rollout", history.play, HOURS, 1), {}, history.seed))
    return found


def live_any_rollout(number: int, *, again: bool) -> None:
    """Live so many histories. again: the same ones each time."""

    @settings(max_examples=number, derandomize=again, database=None, deadline=None, suppress_health_check=list(Check))
    @given(rollouts())
    def nothing_good_is_taken_back(history: Rollouts) -> None:
        found = judged(history)
        assert found.wrong_rollbacks == 0, found
        assert broken(found) == [], found
        assert found.rollbacks <= len(history.deployed), found

    nothing_good_is_taken_back()


def test_any_rollout() -> None:
    """In any history of deployments nothing is rolled back that served, or would, or beside which nothing serves."""
    live_any_rollout(30, again=True)


def test_a_rollout_that_is_taken_back() -> None:
    """Such histories do hold deployments that are rolled back, rightly, or nothing would be shown."""
    for strategy in ("", "CANARY"):
        alone = Rollouts(1, 2, "", strategy, False, 100, ((60, "bad", 1),), (), (), (), 300.0, 0)
        found = judged(alone)
        assert (found.rollbacks, found.wrong_rollbacks) == (1, 0), found
