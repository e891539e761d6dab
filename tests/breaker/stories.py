"""The stories in which a breaker may do harm; together they pass through every step, and each is told many times."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from benchmarks.breaker.kinds.ways import dead
from benchmarks.breaker.oracle import Life, compare, live
from benchmarks.breaker.stage import CLUSTER, Kind, Stage, World
from benchmarks.breaker.summary import broken
from loopbreaker.policy import Policy
from loopbreaker.remembering.trip import Step
from simulation import healthy
from tests.breaker.world import BROKEN, COUNT, POLICY

# Held for longer than a story lasts, or for as long as the loop has lasted, so that there is a try in its time.
HELD_ON = replace(POLICY, cool_down=4000)
TRIED_SOON = replace(POLICY, cool_down=100, recovery_share=0.99, probe_allowance=1)
FIRST = "table.load"
"""The call with which each invocation begins."""
CHANGES = (
    "RegisterScalableTarget",
    "StopServiceDeployment",
    "TagResource",
    "UntagResource",
    "UpdateService",
    "table.archive",
    "table.gather",
    "table.save",
)
"""Calls that change something; all others only read."""

Disturb = Callable[[Stage], None]


@dataclass(frozen=True)
class Story:
    """script: what happens; minutes: for how long; kinds: what people are told, where nothing goes wrong."""

    script: Disturb
    minutes: float
    kinds: tuple[str, ...]
    policy: Policy = HELD_ON

    def world(self, disturb: Disturb) -> World:
        """The story, with something that happens to Loopbreaker in it."""

        def told(stage: Stage) -> None:
            if stage.ours:
                stage.ours.policy = self.policy
            self.script(stage)
            if stage.ours:
                disturb(stage)

        return World(Kind("a story", told, self.minutes / 60, 1), {}, 1)


def _loops(stage: Stage, *, tasks: int = COUNT, scaling: bool = True, until: float = 1e12, least: int = 1) -> None:
    stage.service(desired_count=tasks, behaviour=healthy(least=least))
    if scaling:
        stage.scaling(minimum=2)
    stage.began = 150
    stage.ended = None if until == 1e12 else until
    stage.breaks(150, dead(3, until=until, least=least))


def _fixed(stage: Stage) -> None:
    """Stopped with its scaling, then fixed by a deployment."""
    _loops(stage)
    stage.ended = 1200
    stage.deploys(1200)


def _half_suspended(stage: Stage) -> None:
    """The same, where somebody had suspended a kind of scaling before."""
    stage.service(desired_count=COUNT)
    half = {"DynamicScalingInSuspended": True}
    stage.sim.scaling.register(CLUSTER, "web", minimum=2, maximum=10, suspended=half)
    stage.began, stage.ended = 150, 1200
    stage.breaks(150, BROKEN)
    stage.deploys(1200)


def _deployed_meanwhile(stage: Stage) -> None:
    """Somebody deploys in the very moment in which the service is set to 0."""
    _loops(stage)
    done: list[str] = []

    def meanwhile(name: str, params: dict[str, object]) -> None:
        if name == "UpdateService" and params.get("desiredCount") == 0 and not done:
            done.append(stage.sim.deploy(CLUSTER, "web", behaviour=healthy()))

    if stage.ours:
        stage.ours.faults.meddling = meanwhile
    else:
        stage.deploys(560)
    stage.ended = 560


def _raised(stage: Stage) -> None:
    """Somebody raises the count while it is held, when what it needs works again."""
    _loops(stage, until=1180)
    stage.scales(1200, COUNT + 1)


def _lifted(stage: Stage) -> None:
    """A schedule asks for more while it is held: what it lifts is tried with that count, and lives."""
    _loops(stage, until=1180)
    stage.at(1200, lambda: stage.sim.scaling.scheduled_action(CLUSTER, "web", minimum=3))


def _night(stage: Stage) -> None:
    """A schedule wants no task while it is held, and some in the morning."""
    _loops(stage, until=1180)
    stage.at(1200, lambda: stage.sim.scaling.scheduled_action(CLUSTER, "web", minimum=0, maximum=0))
    stage.at(2400, lambda: stage.sim.scaling.scheduled_action(CLUSTER, "web", minimum=2, maximum=20))


def _rolled_back(stage: Stage) -> None:
    stage.service(desired_count=COUNT)
    stage.deploys(150, BROKEN)


def _survivor(stage: Stage) -> None:
    stage.service(desired_count=COUNT)
    stage.breaks(150, BROKEN, count=1)


def _daemon(stage: Stage) -> None:
    stage.sim.churn.add_host(CLUSTER)
    stage.service(strategy="DAEMON", launch_type="EC2", desired_count=0)
    stage.breaks(150, BROKEN)


def _code_deploy(stage: Stage) -> None:
    stage.service(desired_count=COUNT, controller="CODE_DEPLOY")
    stage.breaks(150, BROKEN)


STOPPED = ("looping", "stopped")
STORIES = {
    "stop, then a fix": Story(_fixed, 32, (*STOPPED, "back", "recovered")),
    "stop with scaling half suspended": Story(_half_suspended, 32, (*STOPPED, "back", "recovered")),
    "rollback": Story(_rolled_back, 20, ("looping", "rolled-back", "recovered")),
    "deployment started in the middle": Story(_deployed_meanwhile, 22, ("looping", "not-stopped", "recovered")),
    "raised by somebody": Story(_raised, 50, (*STOPPED, "back", "recovered")),
    "lifted by a schedule": Story(_lifted, 40, (*STOPPED, "probing", "back", "recovered")),
    "no task at night": Story(_night, 60, (*STOPPED, "not-stopped", "recovered")),
    "a survivor": Story(_survivor, 12, ("looping", "not-stopped")),
    "DAEMON": Story(_daemon, 12, ("looping", "not-stopped")),
    "CODE_DEPLOY": Story(_code_deploy, 12, ("looping", "not-stopped")),
    "a try fails": Story(_loops, 21, (*STOPPED, "probing", "stopped"), TRIED_SOON),
    "a try succeeds": Story(
        lambda stage: _loops(stage, until=540), 50, (*STOPPED, "probing", "back", "recovered"), TRIED_SOON
    ),
    "all are tried": Story(
        lambda stage: _loops(stage, tasks=3, until=540, least=2),
        100,
        (*STOPPED, "probing", "back", "recovered"),
        TRIED_SOON,
    ),
}


@cache
def undisturbed(name: str) -> tuple[Life, Life, tuple[Step, ...]]:
    """The story without Loopbreaker, and with it; and the steps on the way."""
    steps: list[Step] = []

    def note(stage: Stage) -> None:
        assert stage.ours
        told = stage.ours.table.on_save

        def saved(before: object, after: object) -> None:
            told(before, after)  # type: ignore[arg-type]
            if after.trip:  # type: ignore[attr-defined]
                steps.append(after.trip.step)  # type: ignore[attr-defined]

        stage.ours.table.on_save = saved

    world = STORIES[name].world(note)
    return live(world, with_us=False), live(world, with_us=True), tuple(steps)


def calls_of(name: str) -> list[str]:
    """The calls of the undisturbed story, in order."""
    life = undisturbed(name)[1]
    assert life.stage.ours
    return life.stage.ours.faults.names


def distinct(calls: list[str]) -> list[int]:
    """Numbers, from 1 on, of the calls before which the world is another one than before the call in front of them."""
    before = [FIRST, *calls]
    return [
        number
        for number, (last, call) in enumerate(zip(before, calls, strict=False), start=1)
        if call == FIRST or last in CHANGES
    ]


def wrong_with(name: str, disturb: Disturb) -> list[str]:
    """What is wrong once the story was disturbed; nothing where nobody was harmed and it ends as it would have.

    Where the same was done in the end, one message more of a kind is no harm, and none may be missing.
    """
    without, calm, _ = undisturbed(name)
    world = STORIES[name].world(disturb)
    life = live(world, with_us=True)
    judged = compare(world, "web", without, life)
    wrong = broken(judged)
    wrong += [f"lost {judged.lost_before:.0f}"] if judged.lost_before else []
    if STORIES[name].policy.recovery_share <= HELD_ON.recovery_share:
        wrong += [f"late by {judged.late:.0f}"] if judged.late else []
    wrong += ["wrongly rolled back"] if judged.wrong_rollbacks else []
    end, expected = life.courses["web"].final, calm.courses["web"].final
    wrong += [] if end == expected else [f"ends with {end} instead of {expected}"]
    tags, held = life.stage.sim.service(CLUSTER, "web").tags, "loopbreaker:held"
    wrong += [] if (held in tags) == (held in calm.stage.sim.service(CLUSTER, "web").tags) else ["the tag is wrong"]
    told, due = (Counter(message.kind for message in lived.told) for lived in (life, calm))
    wrong += [f"not told: {kind}" for kind in due - told if _done(life) == _done(calm)]
    wrong += [f"told too often: {kind}" for kind, more in (told - due).items() if more > 1]
    return wrong


def _done(life: Life) -> set[tuple[str, object]]:
    """What was done to the service."""
    assert life.stage.ours
    return {(call, params.get("desiredCount")) for _, call, params, _ in life.stage.ours.faults.acts}
