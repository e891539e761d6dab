"""The judge: what became of those who would have been served. It knows the simulation and nothing of the rules."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from math import inf
from random import Random

from benchmarks.breaker.acts import asked_for, is_muted, service_of
from benchmarks.breaker.judgement import Judgement
from benchmarks.breaker.living import Living, Told
from benchmarks.breaker.stage import CLUSTER, HOUR, MINUTE, Stage, World
from benchmarks.breaker.words import Reader
from simulation import Delivery, Simulation
from simulation.core.state import Task, TaskChange

STEP = 10.0
"""Seconds between two looks of the judge."""
# Who is served a moment later than otherwise: a start takes about a minute, and no two starts take the same time.
_SLACK = 3 * MINUTE
_OF_LATE = 120.0  # seconds before a rollback in which somebody was served by what it goes back to
# How soon people are to be told that a service is at 0.
_SAY_SO = 5 * MINUTE
# Who was at 0 in the last quarter of an hour of a world, in looks, may be in the middle of a try.
_UNFINISHED = 90
_USUAL = Delivery(duplicates=0.03, disorder=0.03, statuses=frozenset({"STOPPED", "DEACTIVATING"}))
_SILENT = Delivery(statuses=frozenset())


@dataclass(slots=True)
class Course:
    """How one service fared: at each look the tasks that serve, the desired count, whether its owner wants silence, or
    wants it acted on, and whether it was deleted.
    """

    serving: list[int] = field(default_factory=list)
    desired: list[int] = field(default_factory=list)
    muted: list[bool] = field(default_factory=list)
    asked: list[bool] = field(default_factory=list)
    gone: list[bool] = field(default_factory=list)
    failures: int = 0
    served: dict[str, float] = field(default_factory=dict)  # by deployment id, since when it serves
    settled: list[tuple[float, str, str, float | None]] = field(default_factory=list)
    final: tuple[object, ...] = ()


@dataclass(slots=True)
class Life:
    """One of the two lives of a world."""

    stage: Stage
    courses: dict[str, Course]
    told: list[Told] = field(default_factory=list)
    acts: list[tuple[float, str, str]] = field(default_factory=list)
    unasked: list[tuple[float, str, str]] = field(default_factory=list)
    untrue: dict[str, list[str]] = field(default_factory=dict)


def live(world: World, *, with_us: bool) -> Life:
    """Let a world happen, with Loopbreaker or without."""
    sim = Simulation(seed=world.seed, delivery=_USUAL if with_us else _SILENT)
    sim.create_cluster(CLUSTER, hosts=0)
    ours = Living(sim) if with_us else None
    stage = Stage(sim=sim, rng=Random(world.key), ours=ours)
    world.play(stage)
    courses = {name: Course() for name in stage.names}
    reader = Reader(sim, epoch=ours.epoch if ours else 0.0)
    if ours:
        ours.reads = reader.read
    _watch(sim, courses, reader)
    end = world.kind.hours * HOUR
    if ours:
        ours.run(end)
    else:
        sim.run_until(end)
    for name, course in courses.items():
        course.final = _final(sim, name)
        records = sim.service(CLUSTER, name).history
        course.settled = [(r.created_at, r.status, r.target.id, r.finished_at) for r in records]
    life = Life(stage, courses)
    if ours:
        life.told, life.untrue = ours.told, reader.untrue
        # A try that fails ends in the hold that was asked for, whatever was said since.
        holds: set[tuple[str, str | None]] = set()
        for at, operation, params, tags in ours.faults.acts:
            act = (at, service_of(params), operation)
            life.acts.append(act)
            harmful = operation == "StopServiceDeployment" or params.get("desiredCount") == 0
            hold = (service_of(params), tags.get("loopbreaker:held"))
            if harmful and hold not in holds and not asked_for(tags, sim.world.clock.moment(at).isoformat()):
                life.unasked.append(act)
            if harmful and hold[1]:
                holds.add(hold)
    return life


def _untold(name: str, life: Life) -> int:
    """Expected messages that did not come."""
    expected = [(since, by) for whose, since, by in life.stage.to_be_told if whose == name]
    times = [told.at for told in life.told if told.service == name]
    return sum(not any(since <= at <= by for at in times) for since, by in expected)


def _watch(sim: Simulation, courses: dict[str, Course], reader: Reader) -> None:
    def look() -> None:
        now = sim.utc_now.isoformat()
        for name, course in courses.items():
            course.serving.append(sim.serving(CLUSTER, name))
            course.desired.append(sim.service(CLUSTER, name).desired)
            course.muted.append(is_muted(sim.service(CLUSTER, name).tags, now))
            course.asked.append(asked_for(sim.service(CLUSTER, name).tags, now))
            reader.look(name)
            course.gone.append(sim.service(CLUSTER, name).status != "ACTIVE")
            for deployment in sim.service(CLUSTER, name).deployments:
                if deployment.id not in course.served and sim.answering(deployment):
                    course.served[deployment.id] = sim.now

    tell_scheduler = sim.world.on_change

    def overhear(task: Task, change: TaskChange) -> None:
        tell_scheduler(task, change)
        if change is TaskChange.STOPPING and task.stop and _failed(task.stop.code, task.stop.reason):
            courses[task.service.name].failures += 1
            reader.failed(task.service.name)

    sim.world.on_change = overhear
    sim.every(STEP, look)


def _failed(code: str, reason: str) -> bool:
    """Whether a stop is a failure, by the stop codes of the "Stopped tasks error codes" page."""
    if code == "ServiceSchedulerInitiated":
        return "health checks" in reason
    return code in ("EssentialContainerExited", "TaskFailedToStart")


def _final(sim: Simulation, name: str) -> tuple[object, ...]:
    target = sim.world.targets.get(f"service/{CLUSTER}/{name}")
    scaling = () if target is None else (target.minimum, target.maximum, *target.suspended.values())
    return (sim.service(CLUSTER, name).desired, *scaling)


def judge(world: World) -> list[Judgement]:
    """Both lives of a world, compared for each of its services."""
    without, with_us = live(world, with_us=False), live(world, with_us=True)
    return [compare(world, name, without, with_us) for name in with_us.courses]


def compare(world: World, name: str, without: Life, with_us: Life) -> Judgement:
    """What Loopbreaker did to one service: the difference between its two lives."""
    a, b, stage = without.courses[name], with_us.courses[name], without.stage
    lost = [max(0, min(x, want) - y) * STEP for x, y, want in zip(a.serving, b.serving, a.desired, strict=True)]
    ended = len(lost) if stage.ended is None else min(len(lost), int(stage.ended / STEP))
    coming_back = [
        any(at < (i + 1) * STEP <= at + _allowed(lasted) for at, lasted in stage.returns) for i in range(ended)
    ]
    before = sum(seconds for seconds, excused in zip(lost[:ended], coming_back, strict=True) if not excused)
    lasted = stage.returns[-1][1] if stage.returns else (stage.ended or 0.0) - stage.began
    allowed = _allowed(lasted)
    down = sum(STEP for x, y in zip(a.serving[ended:], b.serving[ended:], strict=True) if x and not y)
    rollbacks = [at for at, whose, call in with_us.acts if call == "StopServiceDeployment" and whose == name]
    told = [t for t in with_us.told if t.service == name]
    theirs = with_us.stage.zeroed.get(name, inf)
    ours = [x > 0 and (i + 1) * STEP < theirs for i, x in enumerate(a.desired)]
    at_zero = [y == 0 and own for y, own in zip(b.desired, ours, strict=True)]
    unsaid = [zero and not muted and not gone for zero, muted, gone in zip(at_zero, b.muted, b.gone, strict=True)]
    return Judgement(
        world=world.key,
        kind=world.kind.name,
        service=name,
        lost_before=before,
        lost_after=sum(lost) - before,
        down_after=down,
        late=_late(a, b, ended, allowed),
        allowed=allowed,
        acted=any(whose == name for _, whose, _ in with_us.acts),
        restarts=b.failures,
        restarts_without=a.failures,
        rollbacks=len(rollbacks),
        wrong_rollbacks=sum(_wrong(at, a, b, with_us.stage, name) for at in rollbacks),
        silent=_silent(unsaid, told),
        defied=sum(STEP for x, y in zip(a.desired, b.desired, strict=True) if x == 0 and y > 0),
        left=""
        if any(at_zero[-_UNFINISHED:])
        else _left(a.final, b.final, told_since_theirs=any(t.at >= theirs for t in told)),
        unasked=sum(1 for _, whose, _ in with_us.unasked if whose == name),
        untold=_untold(name, with_us),
        unserved=_longest([not x and y > 0 and z for x, y, z in zip(b.serving, b.desired, b.asked, strict=True)]),
        misled=_misled(a, b, waits=stage.waits, until=theirs),
        untrue=tuple(with_us.untrue.get(name, ())),
        calls=sum(whose == name for _, whose, _ in with_us.acts),
        messages=dict(Counter(t.kind for t in told)),
    )


def _longest(so: list[bool]) -> float:
    """Seconds for which something was so without a break, at most."""
    return max((sum(1 for _ in run) for what, run in groupby(so) if what), default=0) * STEP


def _allowed(lasted: float) -> float:
    """How long a service may take to be whole again after a cause that lasted so long, in seconds."""
    return max(15 * MINUTE, lasted / 2)


def _left(a: tuple[object, ...], b: tuple[object, ...], *, told_since_theirs: bool) -> str:
    """What is otherwise in the end. Flags cannot go back where a person wants 0: the call alone would lift it."""
    if a == b or (a[0] == b[0] == 0 and told_since_theirs):
        return ""
    return f"{b} instead of {a}"


def _late(a: Course, b: Course, ended: int, allowed: float) -> float:
    """Seconds beyond the allowance until as many serve as would have without us; 0 where in time."""
    whole = next((i for i in range(ended, len(a.serving)) if a.serving[i] and a.serving[i] >= a.desired[i]), None)
    if whole is None:
        return 0.0
    due = int(whole + (allowed + _SLACK) / STEP)
    if due >= len(b.serving):
        return 0.0
    back = next((i for i in range(whole, len(b.serving)) if b.serving[i] >= a.desired[i]), len(b.serving))
    return max(0.0, (back - due) * STEP)


def _wrong(at: float, a: Course, b: Course, stage: Stage, name: str) -> bool:
    """Whether what is rolled back had served or would have become good, or whether nobody was served beside it."""
    records = stage.sim.service(CLUSTER, name).history
    number = next(i for i in range(len(records) - 1, -1, -1) if records[i].created_at <= at)
    since = b.served.get(records[number].target.id)
    if since is not None and since <= at:
        return True
    if not any(b.serving[max(0, int((at - _OF_LATE) / STEP)) : int(at / STEP) + 1]):
        return True
    created = records[number].created_at
    twin = next((entry for entry in a.settled if abs(entry[0] - created) < 1), None)
    return twin is not None and twin[1] == "SUCCESSFUL"


def _misled(a: Course, b: Course, *, waits: float, until: float) -> int:
    """Deployments that turned green through us: no task of theirs ever served, and without us they did not. Whoever
    deploys what is at 0 already sees as much without us.
    """
    failed = {round(created) for created, status, _, _ in a.settled if status != "SUCCESSFUL"}
    return sum(
        status == "SUCCESSFUL"
        and finished is not None
        and finished < min(created + waits, until)
        and deployment not in b.served
        and round(created) in failed
        and b.desired[max(0, int(created / STEP) - 1)] > 0
        for created, status, deployment, finished in b.settled
    )


def _silent(at_zero: list[bool], told: list[Told]) -> float:
    """Seconds at 0 through us in which the last message, if there was one, did not say so."""
    said = [t for t in told if t.down is not None]
    times = [t.at for t in said]
    silent = unsaid = 0.0
    for i, zero in enumerate(at_zero):
        place = bisect_left(times, (i + 1) * STEP + 0.1)
        believed = bool(place and said[place - 1].down)
        unsaid = unsaid + STEP if zero and not believed else 0.0
        silent += STEP if unsaid > _SAY_SO else 0.0
    return silent
