"""Chance in a crowd: where many tasks start at once, some that fail may pass for replacements of each other. Pure.

Events tell of failures alone. Who asks ECS also knows the tasks that started meanwhile and run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loopbreaker.judging.ladder import chain
from loopbreaker.policy import Profile
from loopbreaker.remembering.rung import Ladder, Rung

# ECS creates the replacement of a task that ran within about half a minute of its failure.
_AT_ONCE = 75.0
# A chain that a crowd shows with a greater probability than this is put down to it.
_CHANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Well:
    """A task that runs and is not unhealthy."""

    created_at: float
    started_at: float


def may_be_chance(
    rung: Rung, ladder: Ladder, profile: Profile, *, failed: int, well: Sequence[Well], now: float
) -> bool:
    """Whether starts that fail now and then show such a chain as ends with this rung.

    `failed` tasks failed since the chain began. Of all tasks that were created since then some failed, and some run
    and lived longer than those. Where most failed it is no chance.
    """
    lived = sum(task.created_at >= rung.since and now - task.started_at > rung.longest for task in well)
    if lived <= failed:
        return False
    span = max(rung.failed_at - rung.since, 1.0)
    links = ((rung.generation, profile.replacement_gap), (_close_links(rung, ladder, profile), _AT_ONCE))
    return all(_expected(n, gap, failed=failed, lived=lived, span=span) > _CHANCE for n, gap in links)


def _expected(links: int, gap: float, *, failed: int, lived: int, span: float) -> float:
    """How many chains of so many failures chance shows.

    Let a start fail with the share of those that failed and are not of the chain. A link needs one failure among all
    tasks that are created within `gap` seconds of the one before; and any failure may begin a chain.
    """
    others = max(failed - links, 0)
    share = (others + 1) / (others + 1 + lived)
    candidates = 1 + (lived + others) * gap / max(span, gap)
    expected: float = failed * (1 - (1 - share) ** candidates) ** (links - 1)
    return expected


def _close_links(rung: Rung, ladder: Ladder, profile: Profile) -> int:
    """Length of the longest chain in which each task was created soon after the failure of the one before."""
    length: dict[Rung, int] = {}
    for later in chain(ladder, profile):
        before = (number for one, number in length.items() if one.may_precede(later, _AT_ONCE))
        length[later] = 1 + max(before, default=0)
    return length.get(rung, 1)
