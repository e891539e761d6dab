"""What is no loop and worth a line in a digest: tasks that fail now and then, after hours or at their start. Pure.

Said of the last day, from the failures that are remembered anyway.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from loopbreaker.judging.storm import LEAST_LIFETIME
from loopbreaker.model import Category
from loopbreaker.policy import Policy
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.rung import Rung

_DAY = 86_400.0
_WEEK = 7 * _DAY
# Fewer within a day are chance.
_LEAST = 3
# So many of either kind are remembered (`judging.ladder`): more are not known.
_MOST = 16


@dataclass(frozen=True, slots=True)
class Ailment:
    """So many failed tasks of a service within a day, and what is said of them."""

    number: int
    words: str


def ailing(record: Record, policy: Policy, *, now: float) -> Ailment | None:
    """What ails a service that does not loop; None where nothing does, or people were told lately.

    What began to loop, or did within the last day, people know of.
    """
    if record.incident or record.past or record.suspicion or record.digested_at > now - _WEEK:
        return None
    failed = [rung for rung in record.slow if now - _DAY < rung.failed_at <= now]
    # Workers are renewed by an end without an error.
    old = [r for r in failed if r.lifetime > policy.fast.max_lifetime and r.category is not Category.CLEAN_EXIT]
    young = [rung for rung in failed if rung.lifetime < LEAST_LIFETIME]
    said = [*_leak(old), *_stumble(young)]
    return Ailment(number=len(old) + len(young), words=", and ".join(said)) if said else None


def _leak(failed: Sequence[Rung]) -> list[str]:
    if len(failed) < _LEAST:
        return []
    shortest, longest = (ask(rung.lifetime for rung in failed) for ask in (min, max))
    return [f"{_number(failed)} failed after {_hours(shortest)} to {_hours(longest)} h ({_causes(failed)})"]


def _stumble(failed: Sequence[Rung]) -> list[str]:
    if len(failed) < _LEAST:
        return []
    deployments = len({rung.deployment_id for rung in failed if rung.deployment_id})
    at = f" of {deployments} deployments" if deployments > 1 else ""
    return [f"{_number(failed)}{at} failed at their start, and others ran in their place ({_causes(failed)})"]


def _number(failed: Sequence[Rung]) -> str:
    return f"{len(failed)} tasks" if len(failed) < _MOST else f"{len(failed)} tasks or more"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f}".removesuffix(".0")


def _causes(failed: Sequence[Rung]) -> str:
    return ", ".join(category.value for category, _ in Counter(rung.category for rung in failed).most_common(2))
