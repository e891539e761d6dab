"""Whatever happens in whatever order: who would have been served is, and nothing of anybody's is lost.

Each history is lived twice, with Loopbreaker and without, and judged by `benchmarks/breaker/oracle.py`, which knows the
simulation and none of our rules. More of them: `python -m tests.breaker 1000`.

What nobody could know is left out, as docs/safety.md says: a dependency that is back for a shorter while than it takes
to see that, a count that a person sets while our own answers are minutes old, a new count that equals that of a try.
"""

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import HealthCheck as Check
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.breaker.faults import Killing
from benchmarks.breaker.kinds.ways import dead, served_for
from benchmarks.breaker.oracle import judge
from benchmarks.breaker.stage import CLUSTER, MINUTE, Kind, Stage, World
from benchmarks.breaker.summary import broken
from simulation import Behaviour, Failure, HealthCheck, TargetGroup, TaskSpec, constant, crash, healthy, uniform

HOURS = 7.0
_LEAST = 15 * MINUTE
BAD = dead(3)
THROTTLED = ("DescribeServices", "DescribeTasks", "UpdateService", "RegisterScalableTarget", "TagResource")
REFUSED = ("TagResource", "RegisterScalableTarget", "StopServiceDeployment")
MINUTES = st.integers(min_value=1, max_value=int(60 * HOURS) - 60)


@dataclass(frozen=True)
class History:
    """What happens, in minutes since the start.

    software: whether it is sound, leaks (each task serves for some minutes), loops in one slot, or fails at first.
    outages: since, until. people: when, what they do. throttled: since, until. stale: how old answers may be, in s.
    """

    seed: int
    tasks: int
    health: str
    software: str
    scaling: bool
    outages: tuple[tuple[int, int], ...]
    people: tuple[tuple[int, str], ...]
    throttled: tuple[tuple[int, int], ...]
    refused: str
    stale: int
    lost: float
    killed: frozenset[int]
    after: bool


SOFTWARE = {
    "sound": healthy(),
    "leaks": served_for(uniform(130, 700), cause=Failure.OUT_OF_MEMORY),
    "one slot": dead(3, slots=[0]),
    "fails at first": crash(Failure.APP_CRASH, after=constant(2), ready_after=constant(9), first_starts=1, share=0.4),
}
PEOPLE = ("scale 2", "scale 5", "off", "on", "mute", "speak", "no action", "action", "deploy", "deploy bad", "restart")


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Any history; after each outage there is time to see that it is over."""
    software = draw(st.sampled_from(["sound", "sound", *SOFTWARE]))
    # What is unsound parts in its two lives by chance, once something was done: then only the end is compared.
    most = 3 if software == "sound" else 1
    outages, at = [], 20
    for _ in range(draw(st.integers(0, most))):
        since = at + draw(st.integers(1, 60))
        until = since + draw(st.integers(1, 110))
        if until > 60 * HOURS - 90:
            break
        outages.append((since, until))
        at = until + max(15, (until - since) // 2) + 40
    stale = draw(st.sampled_from([0, 0, 0, 20, 120, 600]))
    people = () if stale else draw(st.lists(st.tuples(MINUTES, st.sampled_from(PEOPLE)), max_size=5))
    throttled = [(at, at + draw(st.integers(1, 5))) for at in draw(st.lists(MINUTES, max_size=4))]
    return History(
        seed=draw(st.integers(0, 10_000)),
        tasks=draw(st.integers(1, 4)),
        health=draw(st.sampled_from(["", "container", "load balancer"])),
        software=software,
        scaling=draw(st.booleans()),
        outages=tuple(outages),
        people=tuple(sorted(people)),
        throttled=tuple(throttled),
        refused=draw(st.sampled_from(["", "", "", *REFUSED])),
        stale=stale,
        lost=draw(st.sampled_from([0.0, 0.0, 0.3])),
        killed=frozenset(draw(st.lists(st.integers(1, 400), max_size=8))),
        after=draw(st.booleans()),
    )


@dataclass
class Player:
    """Plays a history on a stage. Software of every revision fails while what it needs is away."""

    history: History
    stage: Stage

    def play(self) -> None:
        history, stage = self.history, self.stage
        task = TaskSpec(health_check=HealthCheck() if history.health == "container" else None)
        group = TargetGroup(deregistration_delay=30) if history.health == "load balancer" else None
        sound = SOFTWARE[history.software]
        stage.service(desired_count=history.tasks, task=task, target_group=group, behaviour=sound)
        if history.scaling:
            stage.scaling(minimum=min(2, history.tasks))
        waits = sum(until - since for since, until in history.throttled) * MINUTE
        for since, until in history.outages:
            stage.at(since * MINUTE, lambda until=until: self.break_all(until * MINUTE))  # type: ignore[misc]
            allowed = max(_LEAST, (until - since) * MINUTE / 2) + waits + history.stale
            stage.returns.append((until * MINUTE, 2 * allowed))
            stage.ended = until * MINUTE
        stage.began = history.outages[0][0] * MINUTE if history.outages else 0.0
        for at, deed in history.people:
            stage.at(at * MINUTE, self.deed(deed))
        if stage.ours:
            self.disturb()

    def break_all(self, until: float) -> None:
        behaviours, sound = self.stage.sim.world.behaviours, SOFTWARE[self.history.software]
        for arn in behaviours:
            if behaviours[arn] is not BAD:
                behaviours[arn] = dead(3, until=until)
                self.stage.at(until, lambda arn=arn: behaviours.__setitem__(arn, sound))  # type: ignore[misc]
        self.stage.sim.churn.blip(CLUSTER, "web")

    def now_possible(self) -> Behaviour:
        """A revision that is deployed now works, unless what it needs is away."""
        now = self.stage.sim.now / MINUTE
        until = next((until for since, until in self.history.outages if since <= now < until), None)
        return SOFTWARE[self.history.software] if until is None else dead(3, until=until * MINUTE)

    def deed(self, deed: str) -> Callable[[], object]:
        stage, sim = self.stage, self.stage.sim
        tags = sim.service(CLUSTER, "web").tags

        def off() -> None:
            tags["loopbreaker:recovery"] = "manual"
            stage.zero()

        def on(count: int) -> None:
            stage.zeroed.pop("web", None)
            tags.pop("loopbreaker:recovery", None)
            sim.scale(CLUSTER, "web", count)

        return {
            "scale 2": lambda: on(2),
            "scale 5": lambda: on(5),
            "off": off,
            "on": lambda: on(3),
            "mute": lambda: tags.update({"loopbreaker:mute-until": "2030-01-01T00:00Z"}),
            "speak": lambda: tags.pop("loopbreaker:mute-until", None),
            "no action": lambda: tags.update({"loopbreaker:action": "alert"}),
            "action": lambda: tags.update({"loopbreaker:action": "stop"}),
            "deploy": lambda: sim.deploy(CLUSTER, "web", behaviour=self.now_possible()),
            "deploy bad": lambda: sim.deploy(CLUSTER, "web", behaviour=BAD),
            "restart": lambda: sim.restart(CLUSTER, "web"),
        }[deed]

    def disturb(self) -> None:
        history, ours = self.history, self.stage.ours
        assert ours is not None
        for since, until in history.throttled:
            self.stage.refuses(*THROTTLED, code="ThrottlingException", since=since * MINUTE, until=until * MINUTE)
        if history.refused:
            self.stage.refuses(history.refused, code="AccessDeniedException")
        if history.stale:
            ours.faults.stale = (0.0, 1e12, float(history.stale))
        if history.killed:
            ours.faults.killing = Killing(history.killed, after=history.after)
        if history.lost:
            rng = self.stage.rng
            ours.loses = lambda _event: rng.random() < history.lost


def wrong_with(history: History) -> list[str]:
    """What Loopbreaker did wrong in a history, in the words of the judge."""
    kind = Kind("any history", lambda stage: Player(history, stage).play(), HOURS, 1)
    (judged,) = judge(World(kind, {}, history.seed))
    found = broken(judged)
    found += [f"lost {judged.lost_before:.0f} task-seconds"] if judged.lost_before else []
    found += [f"late by {judged.late:.0f} s"] if judged.late else []
    found += ["a good revision was rolled back"] if judged.wrong_rollbacks else []
    return found


def live_any(number: int, *, again: bool) -> None:
    """Live so many histories. again: the same ones each time."""

    @settings(max_examples=number, derandomize=again, database=None, deadline=None, suppress_health_check=list(Check))
    @given(histories())
    def nobody_is_harmed(history: History) -> None:
        assert wrong_with(history) == []

    nobody_is_harmed()


def test_any_history() -> None:
    """In any history nobody loses what would have been served, and nothing that people set is lost or left untold."""
    live_any(25, again=True)
