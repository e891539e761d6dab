"""The ladder: how many times in a row a replacement failed.

A restart loop is not many stops but a chain of them: a task failed, its replacement failed, and the replacement
of that. The ladder holds the recent failures of one service as rungs. A rung's generation is one more than the
highest generation among the failures that its task may have replaced.

The generation is a function of the set of failures alone: a duplicate is the same rung again, and a late arrival
finds its place by its own times. So repeated and disordered delivery never inflates it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import exp, expm1, inf, log
from typing import ClassVar

from loopbreaker.model import Category, TaskFailure
from loopbreaker.policy import Profile

# Bound the record. Beyond them the oldest rungs go; what they led to is kept in the generations above them.
MAX_RUNGS = 32
MAX_BYSTANDERS = 16
# A failure may arrive this late, in seconds, and still find the rungs that it belongs between.
LATENESS = 900.0
# Failures of long-lived tasks in this window, in seconds, tell how often unrelated tasks start.
BYSTANDER_WINDOW = 3600.0

# ECS starts the replacement of an unhealthy task first and stops the unhealthy one later
# (developer guide, "Amazon ECS services"), so the replacement is older than the failure that it replaces.
_START_FIRST = (Category.ELB_HEALTH_CHECK, Category.CONTAINER_HEALTH_CHECK)


@dataclass(frozen=True, slots=True)
class Rung:
    """One failure in a ladder, and the longest chain of failures that ends with it.

    generation: length of that chain; 0 for a bystander, a task that lived too long to be part of a loop.
    since: failure time of the chain's first task.
    shortest, longest: lifetimes in the chain.
    """

    COMPACT: ClassVar[bool] = True

    created_at: float
    failed_at: float
    lifetime: float
    category: Category
    generation: int
    since: float
    shortest: float
    longest: float

    @property
    def freed_at(self) -> float:
        """From when on a replacement of this task may have been created.

        A task that fails its health check was found unhealthy, and replaced, about in the middle of its life: its
        replacement needed as long as it did itself to be judged, and only then was one of them stopped. Which one is
        left to chance, so it may also have lived for a third round.
        """
        if self.category in _START_FIRST:
            return self.created_at + (self.failed_at - self.created_at) / 3
        return self.failed_at

    def may_precede(self, later: "Rung", gap: float) -> bool:
        """Whether the later task may have been started in place of this one."""
        if not self.created_at < later.created_at <= self.failed_at + gap:
            return False
        freed_at = self.freed_at
        # Tasks that one bad moment of their health checks stops side by side do not follow each other.
        return freed_at <= later.created_at and later.failed_at - self.failed_at >= (self.failed_at - freed_at) / 2

    def after(self, below: "Rung") -> "Rung":
        """This rung on top of the chain that ends with `below`."""
        return replace(
            self,
            generation=below.generation + 1,
            since=min(below.since, self.failed_at),
            shortest=min(below.shortest, self.lifetime),
            longest=max(below.longest, self.lifetime),
        )


Ladder = tuple[Rung, ...]


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
    return _prune(placed, profile)


def chain(ladder: Ladder, profile: Profile) -> Ladder:
    """The rungs since something last failed after a pause, oldest task first; no bystanders."""
    gap, newest, start = profile.replacement_gap, -inf, 0
    rungs = [rung for rung in ladder if rung.generation]
    for position, rung in enumerate(rungs):
        if rung.created_at > newest + gap:
            start = position
        newest = max(newest, rung.failed_at)
    return tuple(rungs[start:])


def top(ladder: Ladder, profile: Profile) -> Rung | None:
    """The rung at the end of the longest chain that is still growing; its generation is the service's depth."""
    highest: Rung | None = None
    for rung in chain(ladder, profile):
        if highest is None or (rung.generation, rung.failed_at) > (highest.generation, highest.failed_at):
            highest = rung
    return highest


def surprise(rung: Rung, ladder: Ladder, profile: Profile, *, flaky_mtbf: float) -> float:
    """How little the rung's chain looks like a service that is merely flaky, as -ln(probability).

    A flaky service's tasks fail at random, on average once in `flaky_mtbf` seconds. The probability is the smaller
    of two: that every lifetime in a chain so long is at most the longest one seen; and that all of them lie as close
    together as they do. Where unrelated tasks start often, any of them may pass for a replacement: `starters`.
    """

    def share(lifetime: float) -> float:
        return -expm1(-lifetime / flaky_mtbf)

    # Of a flaky service's tasks only those count as bystanders that outlive the profile.
    starts = _bystander_rate(ladder) * exp(profile.max_lifetime / flaky_mtbf)
    n, starters = rung.generation, 1 + starts * profile.replacement_gap
    short = n * -_ln(starters * share(rung.longest))
    alike = (n - 1) * -_ln(starters * (share(rung.longest) - share(rung.shortest))) - log(n) if n > 1 else 0.0
    return max(short, alike)


def _ln(probability: float) -> float:
    # Times have a resolution; no chain of few tasks is surprising beyond every measure.
    return log(min(1.0, max(probability, 1e-6)))


def _bystander_rate(ladder: Ladder) -> float:
    """Long-lived tasks that failed per second of late: how often a task starts that replaces none of the chain."""
    times = [rung.failed_at for rung in ladder if not rung.generation]
    if len(times) < MAX_BYSTANDERS:
        return len(times) / BYSTANDER_WINDOW
    return len(times) / max(max(rung.failed_at for rung in ladder) - min(times), 1.0)


def _age(rung: Rung) -> tuple[float, float]:
    return rung.created_at, rung.failed_at


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
    )


def _place(rung: Rung, older: Sequence[Rung], profile: Profile) -> Rung:
    """The rung on the highest one that it may stand on. What was found before stands: its witnesses may be gone."""
    if not rung.generation:
        return rung
    gap = profile.replacement_gap
    below = [other for other in older if other.generation and other.may_precede(rung, gap)]
    if not below:
        return rung
    found = rung.after(max(below, key=_height))
    return found if _height(found) > _height(rung) else rung


def _height(rung: Rung) -> tuple[int, float]:
    return rung.generation, -rung.longest


def _prune(placed: Sequence[Rung], profile: Profile) -> Ladder:
    """The rungs that future failures may still stand on, as many as there is room for."""
    newest = max((rung.failed_at for rung in placed), default=0.0)
    horizon = newest - profile.max_lifetime - profile.replacement_gap - LATENESS
    recent = sorted(placed, key=lambda r: r.failed_at)
    bystanders = [r for r in recent if not r.generation and r.failed_at >= newest - BYSTANDER_WINDOW]
    rungs = _thin([r for r in recent if r.generation and r.failed_at >= horizon], profile.replacement_gap)
    return tuple(sorted(bystanders[-MAX_BYSTANDERS:] + rungs, key=_age))


def _thin(rungs: Sequence[Rung], gap: float) -> list[Rung]:
    """At most MAX_RUNGS: first those go whose place their neighbours hold, then the oldest."""
    excess = len(rungs) - MAX_RUNGS
    if excess <= 0:
        return [*rungs]
    following = dict(_following(rungs))
    kept_of: dict[int, Rung] = {}
    kept: list[Rung] = []
    for position, rung in enumerate(rungs):
        before, after = kept_of.get(rung.generation), following.get(position)
        if excess > 0 and before and after and _is_spare(rung, before=before, after=after, gap=gap):
            excess -= 1
        else:
            kept_of[rung.generation] = rung
            kept.append(rung)
    return kept[-MAX_RUNGS:]


def _following(rungs: Sequence[Rung]) -> Iterator[tuple[int, Rung]]:
    """For each position the next rung of the same generation, where there is one."""
    next_of: dict[int, Rung] = {}
    for position in range(len(rungs) - 1, -1, -1):
        generation = rungs[position].generation
        if generation in next_of:
            yield position, next_of[generation]
        next_of[generation] = rungs[position]


def _is_spare(rung: Rung, *, before: Rung, after: Rung, gap: float) -> bool:
    """Whether every task that may stand on this rung may stand on one of two others of its generation."""
    return before.freed_at <= rung.freed_at and after.freed_at <= before.failed_at + gap
