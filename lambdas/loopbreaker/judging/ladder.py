"""The ladder: how many times in a row a replacement failed.

A restart loop is not many stops but a chain of them: a task failed, its replacement failed, and the replacement
of that. The ladder holds the recent failures of one service as rungs. A rung's generation is one more than the
highest generation among the failures that its task may have replaced.

The generation is a function of the set of failures alone: a duplicate is the same rung again, and a late arrival
finds its place by its own times. So repeated and disordered delivery never inflates it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import takewhile
from math import exp, expm1, inf, log

from loopbreaker.model import TaskFailure
from loopbreaker.policy import Profile
from loopbreaker.remembering.rung import Ladder, Rung

# Bound the record. What the rungs that go led to is kept in the generations above them.
MAX_RUNGS = 24
MAX_BYSTANDERS = 16
# A ladder that is full is thinned to so many rungs, for some failures to come.
_THINNED = 20
# Failures of long-lived tasks in this window, in seconds, tell how often unrelated tasks start.
BYSTANDER_WINDOW = 3600.0
# What failed longer ago than this, in seconds, before the newest failure is forgotten; as late may a failure arrive.
MEMORY = 86_400.0


def climb(ladder: Ladder, failures: Iterable[TaskFailure], profile: Profile) -> Ladder:
    """The ladder with these failures in it, given in any order, repeated or not."""
    known = {(rung.created_at, rung.failed_at) for rung in ladder}
    fresh = {(f.created_at, f.failed_at): f for f in failures}
    added = [_first(fresh[key], profile) for key in fresh.keys() - known]
    if not added:
        return ladder
    # A rung stands on rungs of older tasks alone: what is older than every new one stays as it is.
    oldest = min(rung.created_at for rung in added)
    placed = [rung for rung in ladder if rung.created_at < oldest]
    for rung in sorted([*added, *ladder[len(placed) :]], key=_age):
        placed.append(_place(rung, placed, profile))
    pruned = _prune(placed)
    return ladder if pruned == ladder else pruned


def chain(ladder: Ladder, profile: Profile) -> Ladder:
    """The rungs since something last failed after a pause, oldest task first, while more may follow; no bystanders."""
    ended_at, start = -inf, 0
    rungs = [rung for rung in ladder if rung.generation]
    for position, rung in enumerate(rungs):
        if rung.created_at > ended_at:
            start = position
        ended_at = max(ended_at, rung.failed_at + profile.replacement_gap)
    return tuple(rungs[start:]) if _may_go_on(ladder, ended_at, profile) else ()


def top(ladder: Ladder, profile: Profile) -> Rung | None:
    """The rung at the end of the longest chain that is still growing; its generation is the service's depth."""
    return highest(chain(ladder, profile))


def highest(rungs: Ladder) -> Rung | None:
    """Of rungs of one chain the newest of the highest generation."""
    return max(rungs, key=lambda rung: (rung.generation, rung.failed_at), default=None)


def depth(ladder: Ladder, profile: Profile) -> int:
    """How many times in a row a replacement has failed by now; 0 where nothing did, or something long ago."""
    rung = top(ladder, profile)
    return rung.generation if rung else 0


def of_deployment(ladder: Ladder, deployment_id: str, profile: Profile) -> Ladder:
    """The chain of one deployment's tasks alone: what failed of another is no reason to act on this one.

    `since` of a rung stays that of the whole chain, older deployments included.
    """
    if all(rung.deployment_id == deployment_id for rung in ladder if rung.generation):
        return chain(ladder, profile)
    placed: list[Rung] = []
    for rung in ladder:
        if rung.generation and rung.deployment_id == deployment_id:
            placed.append(_place(replace(rung, generation=1), placed, profile))
    return chain(tuple(placed), profile)


def _may_go_on(ladder: Ladder, ended_at: float, profile: Profile) -> bool:
    """Whether a task created until `ended_at` could still be part of a loop by the time of the newest failure."""
    return ended_at + profile.max_lifetime >= max([rung.failed_at for rung in ladder], default=-inf)


def bystanders(ladder: Ladder) -> Ladder:
    """The long-lived tasks that failed within the last day, the newest few of them."""
    return tuple(rung for rung in ladder if not rung.generation)


def surprise(rung: Rung, ladder: Ladder, profile: Profile, *, flaky_mtbf: float, old: float = inf) -> float:
    """How little the rung's chain looks like a service that is merely flaky, as -ln(probability).

    A flaky service's tasks fail at random, on average once in `flaky_mtbf` seconds. The probability is the smaller
    of two: that every lifetime in a chain so long is at most the longest one seen; and that all of them lie as close
    together as they do. Where unrelated tasks start often, any of them may pass for a replacement: `starters`.
    old: of tasks that lived longer than this the last few are judged by themselves too, so that an earlier one that
        was unlike them does not spoil the chain for good; that there are many such ends to try is taken off.
    """
    # Of a flaky service's tasks only those count as bystanders that outlive the profile.
    starts = _bystander_rate(ladder) * exp(profile.max_lifetime / flaky_mtbf)
    starters = 1 + starts * profile.replacement_gap

    def of(n: int, shortest: float, longest: float) -> float:
        share = -expm1(-longest / flaky_mtbf)
        short = n * -_ln(starters * share)
        between = share + expm1(-shortest / flaky_mtbf)
        alike = (n - 1) * -_ln(starters * between) - log(n)
        return max(short, alike)

    whole = of(rung.generation, rung.shortest, rung.longest)
    lifetimes = (one.lifetime for one in _last_links(rung, ladder, profile))
    last = list(takewhile(lambda lifetime: lifetime > old, lifetimes))
    tries = range(profile.depth, len(last) + 1)
    return max([whole, *(of(n, min(last[:n]), max(last[:n])) - log(len(tries)) for n in tries)])


def _last_links(rung: Rung, ladder: Ladder, profile: Profile) -> Iterator[Rung]:
    """The rung and those below it, newest first, of each generation the one that lived most like it."""
    link = rung
    yield link
    for generation in range(rung.generation - 1, 0, -1):
        same = [other for other in ladder if other.generation == generation]
        below = [other for other in same if other.may_precede(link, profile.replacement_gap)]
        if not below:
            return
        link = min(below, key=lambda other: abs(other.lifetime - rung.lifetime))
        yield link


def _ln(probability: float) -> float:
    # Times have a resolution; no chain of few tasks is surprising beyond every measure.
    return log(min(1.0, max(probability, 1e-6)))


def _bystander_rate(ladder: Ladder) -> float:
    """Long-lived tasks that failed per second of late: how often a task starts that replaces none of the chain."""
    newest = max(rung.failed_at for rung in ladder)
    times = [rung.failed_at for rung in bystanders(ladder)]
    late = sum(at >= newest - BYSTANDER_WINDOW for at in times) / BYSTANDER_WINDOW
    return max(late, len(times) / max(newest - min(times), 1.0)) if len(times) == MAX_BYSTANDERS else late


def _age(rung: Rung) -> tuple[float, float]:
    return rung.created_at, rung.failed_at


def _end(rung: Rung) -> float:
    return rung.failed_at


def _first(failure: TaskFailure, profile: Profile) -> Rung:
    return Rung(
        created_at=failure.created_at,
        failed_at=failure.failed_at,
        lifetime=failure.lifetime,
        category=failure.category,
        generation=int(failure.lifetime <= profile.max_lifetime),
        since=failure.failed_at,
        shortest=failure.lifetime,
        longest=failure.lifetime,
        deployment_id=failure.deployment_id,
    )


def _place(rung: Rung, older: Sequence[Rung], profile: Profile) -> Rung:
    """The rung on the highest one that it may stand on. What was found before stands: its witnesses may be gone."""
    if not rung.generation:
        return rung
    below: Rung | None = None
    for other in reversed(older):
        higher = below is None or (other.generation >= below.generation and _height(other) > _height(below))
        if higher and other.may_precede(rung, profile.replacement_gap):
            below = other
    if below is None:
        return rung
    found = rung.after(below)
    return found if _height(found) > _height(rung) else rung


def _height(rung: Rung) -> tuple[int, float]:
    return rung.generation, -rung.longest


def _prune(placed: Sequence[Rung]) -> Ladder:
    """What happened within the last day, as much of it as there is room for. Both are sorted by age."""
    newest = max([rung.failed_at for rung in placed])
    known = [rung for rung in placed if rung.failed_at >= newest - MEMORY]
    remembered = sorted([rung for rung in known if not rung.generation], key=_end)[-MAX_BYSTANDERS:]
    rungs = [rung for rung in known if rung.generation]
    if len(rungs) > MAX_RUNGS:
        rungs = _thin(rungs)
    if len(remembered) + len(rungs) == len(placed):
        return tuple(placed)
    return tuple(sorted([*remembered, *rungs], key=_age))


def _thin(rungs: Iterable[Rung]) -> list[Rung]:
    """Of each generation the earliest and the newest few: what may stand on one between them may stand on those."""
    generations: dict[int, list[Rung]] = defaultdict(list)
    for rung in sorted(rungs, key=_end):
        generations[rung.generation].append(rung)
    few = max(1, _THINNED // len(generations) - 1)
    newest_first = sorted(generations.values(), key=lambda same: _end(same[-1]), reverse=True)
    return [rung for same in newest_first for rung in (*same[:1], *same[1:][-few:])][:_THINNED]
