"""One failure in a ladder. What the ladders do with it stands in `judging.ladder`."""

from dataclasses import dataclass
from typing import ClassVar

from loopbreaker.model import FAILED_HEALTH_CHECKS, Category


@dataclass(frozen=True, slots=True)
class Rung:
    """One failure in a ladder, and the longest chain of failures that ends with it.

    generation: length of that chain; 0 for a bystander, a task that lived too long to be part of a loop.
    since: failure time of the chain's first task.
    shortest, longest: lifetimes in the chain.
    deployment_id: of the task, `ecs-svc/…`; empty where ECS did not say.
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
    deployment_id: str = ""

    @property
    def freed_at(self) -> float:
        """From when on a replacement of this task may have been created.

        ECS starts the replacement of an unhealthy task first and stops the unhealthy one later (developer guide,
        "Amazon ECS services"): the replacement is older than the failure. The unhealthy task was found so about in the
        middle of its life, for its replacement needed as long as it did itself to be judged, and only then was one of
        them stopped. Which one is left to chance, so it may also have lived for a third round.
        """
        if self.category in FAILED_HEALTH_CHECKS:
            return self.created_at + (self.failed_at - self.created_at) / 3
        return self.failed_at

    def may_precede(self, later: "Rung", gap: float) -> bool:
        """Whether the later task may have been started in place of this one."""
        if not self.created_at < later.created_at <= self.failed_at + gap:
            return False
        other = bool(self.deployment_id and later.deployment_id) and self.deployment_id != later.deployment_id
        # A deployment starts tasks that replace no failed one; of a start that fails once in each, none is a loop.
        if other and self.generation < 2:
            return False
        freed_at = self.freed_at
        # Of two unhealthy tasks either may be stopped first; but those that one bad moment of their health checks
        # stops side by side do not follow each other.
        apart = abs(later.failed_at - self.failed_at)
        return freed_at <= later.created_at and apart >= (self.failed_at - freed_at) / 3

    def after(self, below: "Rung") -> "Rung":
        """This rung on top of the chain that ends with `below`."""
        return Rung(
            created_at=self.created_at,
            failed_at=self.failed_at,
            lifetime=self.lifetime,
            category=self.category,
            generation=below.generation + 1,
            since=min(below.since, self.failed_at),
            shortest=min(below.shortest, self.lifetime),
            longest=max(below.longest, self.lifetime),
            deployment_id=self.deployment_id,
        )


Ladder = tuple[Rung, ...]
