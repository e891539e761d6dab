"""Which of the tasks that failed may have served: what is remembered of how long they lived."""

from collections.abc import Iterable
from math import ceil, log

from loopbreaker.model import FAILED_HEALTH_CHECKS, Category, TaskFailure
from loopbreaker.remembering.record import Lived

# Bounds the record. Where there are more, the oldest are told as one that lived as long and failed as late as both.
_KEPT = 12
# Lifetimes are told in steps, upwards, so that those that differ by chance need one entry: 60 s, a quarter more each.
_UNIT, _STEP = 60.0, 1.25
_MEMORY = 86_400.0
# No task that lived shorter, in seconds, is ever taken for one that served: the least `serving_after`.
LEAST = 10.0
# Who ended with exit code 0 did its work, as far as anybody can tell, however soon it was done: it is remembered as one
# that lived for the greatest `serving_after`, in seconds.
_DONE = 3600.0


def remember(known: tuple[Lived, ...], failures: Iterable[TaskFailure]) -> tuple[Lived, ...]:
    """The tasks that no later one of their deployment outlived, newest first.

    For any time of life `x` the newest failure of a task that lived longer than `x` is among them, or an entry that is
    later still: in doubt a task is taken for one that served. Any order and repetition of the same failures gives the
    same answer.
    """
    new = {Lived(f.failed_at, _in_steps(_life(f)), f.deployment_id) for f in failures if _may_have_served(f)}
    newest_first = sorted({*known, *new}, key=lambda one: (-one.failed_at, -one.lifetime, one.deployment_id))
    kept: list[Lived] = []
    longest: dict[str, float] = {}
    for one in newest_first:
        fresh = one.failed_at >= newest_first[0].failed_at - _MEMORY
        if fresh and one.lifetime > longest.get(one.deployment_id, 0.0):
            kept.append(one)
            longest[one.deployment_id] = one.lifetime
    while len(kept) > _KEPT:
        oldest, older = kept.pop(), kept.pop()
        kept.append(Lived(older.failed_at, max(older.lifetime, oldest.lifetime), older.deployment_id))
    return known if tuple(kept) == known else tuple(kept)


def served_until(lived: tuple[Lived, ...], *, serving_after: float, deployment_id: str | None = None) -> float:
    """When the newest task failed that lived longer than `serving_after` seconds; 0 where none did.

    deployment_id: where given, only tasks of that deployment are looked at.
    """
    served = [
        one.failed_at for one in lived if one.lifetime > serving_after and deployment_id in (None, one.deployment_id)
    ]
    return max(served, default=0.0)


def _in_steps(lifetime: float) -> float:
    return _UNIT * _STEP ** ceil(log(lifetime / _UNIT, _STEP) - 1e-9)


def _life(failure: TaskFailure) -> float:
    return max(failure.lifetime, _DONE) if failure.category is Category.CLEAN_EXIT else failure.lifetime


def _may_have_served(failure: TaskFailure) -> bool:
    return failure.lifetime > LEAST and failure.category not in FAILED_HEALTH_CHECKS
