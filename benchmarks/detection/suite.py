"""The whole suite: every scenario, its streams spread over the processors, as outcomes."""

from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import Pool

from benchmarks.detection.churn import churn
from benchmarks.detection.crowds import crowds
from benchmarks.detection.enemies import enemies
from benchmarks.detection.judging import Outcome, judge
from benchmarks.detection.loops import loops
from benchmarks.detection.mixtures import mixtures
from benchmarks.detection.oddities import oddities
from benchmarks.detection.recoveries import recoveries
from benchmarks.detection.relapses import relapses
from benchmarks.detection.rules import EVENTS, RULES
from benchmarks.detection.scenario import Scenario
from benchmarks.detection.strangers import strangers
from benchmarks.detection.watching import SHUFFLED, USUAL

_ATTACKS = (*relapses(), *crowds(), *oddities(), *enemies(), *mixtures(), *strangers())
SCENARIOS: dict[str, Scenario] = {scenario.key: scenario for scenario in (*loops(), *churn(), *recoveries(), *_ATTACKS)}
"""Every scenario by its key."""

QUICK = (
    "app crash after 2 s × 1",
    "app crash after 2 s × 20",
    "app crash after 10 min × 2",
    "image pull, throttled × 2",
    "container health check × 2",
    "ELB, grace 90 s, deregistration 300 s × 2",
    "bad roll-out beside healthy tasks: app crash after 2 s × 4",
    "one looping slot × 40",
    "registry lost for an hour, twice × 4",
    "rolling deployments, fast × 3",
    "scale-out and scale-in × 10",
    "spot storm, all tasks × 4",
    "lost hosts × 4",
    "all tasks die once × 20",
    "a dependency is away for 3 min × 4",
    "a start that fails once per deployment × 4",
    "a slow leak, dies every 4 to 8 h × 4",
    "flaky, each task fails every 6 h × 4",
)
"""A few of each sort, done in seconds."""


@dataclass(frozen=True, slots=True)
class Job:
    """One stream of one scenario: seed 1, 2, …; shuffled or as usual."""

    key: str
    seed: int
    shuffled: bool = False

    @property
    def cost(self) -> float:
        """About how long it takes, in no unit: the longest go first, so that the processors end together."""
        scenario = SCENARIOS[self.key]
        return scenario.hours * (scenario.tasks + 20)


def jobs(*, seeds: int, quick: bool, first: int = 1) -> list[Job]:
    """What is to be judged; of each scenario at most `seeds` streams, and one shuffled where it is not large."""
    keys = QUICK if quick else tuple(SCENARIOS)
    usual = [Job(key, seed) for key in keys for seed in range(first, first + min(seeds, SCENARIOS[key].seeds))]
    shuffled = [
        Job(key, first, shuffled=True) for key in keys if SCENARIOS[key].tasks < 200 and not SCENARIOS[key].attack
    ]
    return sorted(usual + shuffled, key=lambda job: -job.cost)


def run(todo: list[Job], *, processes: int) -> Iterator[tuple[Job, list[Outcome]]]:
    """The outcomes of each job, in the order in which they are done."""
    if processes == 1:
        yield from map(_run_one, todo)
        return
    with Pool(processes) as pool:
        yield from pool.imap_unordered(_run_one, todo)


def _run_one(job: Job) -> tuple[Job, list[Outcome]]:
    if job.shuffled:
        return job, judge(SCENARIOS[job.key], job.seed, rules=(EVENTS,), delivery=SHUFFLED)
    return job, judge(SCENARIOS[job.key], job.seed, rules=tuple(RULES), delivery=USUAL)
