"""Regular deaths: tasks that live for hours, each about as long as the one it replaced. Told only. Pure.

What lives longer than the profiles look at is a bystander of theirs. That one dies says nothing; that several in a row
die at the same age, of the same cause, does.
"""

from math import expm1, log

from loopbreaker.model import Category
from loopbreaker.policy import Policy
from loopbreaker.remembering.rung import Ladder, Rung

# Times are true to about a second: no two lives are more alike than that.
_LEAST_SHARE = 1e-4


def regular_deaths(ladder: Ladder, policy: Policy) -> Ladder:
    """The last few tasks that died at the same age, each the replacement of the one before, oldest first.

    Empty where chance would show them with a probability above `flaky_chance`, and where they end by themselves
    without an error: that is how workers are renewed.
    """
    newest = max(ladder, key=lambda rung: rung.failed_at, default=None)
    if newest is None or newest.lifetime <= policy.fast.max_lifetime or newest.category is Category.CLEAN_EXIT:
        return ()
    deaths, choices = [newest], 0.0
    found: Ladder = ()
    while before := _before(deaths[-1], ladder, policy.slow.replacement_gap):
        deaths.append(min(before, key=lambda rung: abs(rung.lifetime - newest.lifetime)))
        choices += log(len(before))
        if len(deaths) >= policy.slow.depth and _surprise(deaths, policy) - choices >= -log(policy.flaky_chance):
            found = tuple(reversed(deaths))
    return found


def _before(rung: Rung, ladder: Ladder, gap: float) -> list[Rung]:
    """Those whose replacement it may be."""
    return [
        other
        for other in ladder
        if other.category is rung.category and other.failed_at < rung.created_at <= other.failed_at + gap
    ]


def _surprise(deaths: list[Rung], policy: Policy) -> float:
    """How little so many lives so alike look like those of a flaky service's tasks, as -ln(probability)."""
    shortest, longest = min(rung.lifetime for rung in deaths), max(rung.lifetime for rung in deaths)
    # Of those that live so long; how long that is says nothing.
    share = -expm1((shortest - longest) / policy.flaky_mtbf)
    return (len(deaths) - 1) * -log(max(share, _LEAST_SHARE)) - log(len(deaths))
