"""One look at one service, as a value: all that a decision rests on."""

from dataclasses import dataclass
from functools import cached_property

from loopbreaker.judging.ladder import highest, of_deployment
from loopbreaker.judging.lived import served_until
from loopbreaker.model import Category
from loopbreaker.policy import Mode, Policy
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.rung import Ladder
from loopbreaker.treating.facts import Facts, RunningTask, Unknown
from loopbreaker.treating.owner import Wishes, wishes
from loopbreaker.treating.served import serving

_DAY = 86_400.0
SERVED = frozenset({"serving", "serves-between"})
"""Of an incident: people were told that a task serves, or that tasks live long enough to serve before they fail."""
_PATIENCE = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """What this installation allows. `began` counts the services that began to loop about when this one did."""

    mode: Mode
    in_scope: bool = True
    began: int = 1


@dataclass(frozen=True)
class Case:
    """The record, what ECS says, what this installation allows, and the time: the whole of one look.

    now: seconds since the epoch.
    """

    record: Record
    facts: Facts | Unknown
    limits: Limits
    policy: Policy
    now: float

    @cached_property
    def wishes(self) -> Wishes:
        """What the owner's tags ask for; the defaults where they could not be read."""
        return wishes(self.facts.tags) if isinstance(self.facts, Facts) else Wishes()

    @property
    def incident(self) -> Incident:
        assert self.record.incident is not None
        return self.record.incident

    @property
    def known(self) -> Facts:
        assert isinstance(self.facts, Facts)
        return self.facts

    @property
    def silent(self) -> bool:
        """Whether nothing is to be told, and nothing done."""
        incident = self.record.incident
        history = incident.history if incident else self.record.history
        return self.wishes.silent(self.now, history.shown)

    @property
    def serving_after(self) -> float:
        return self.wishes.serving_after or self.policy.serving_after

    @property
    def stop_after(self) -> float:
        """For how long nobody must have been served: twice as long each time that the service has come back.

        What was seen to serve in between may do so again: then four times as long.
        """
        came_back = sum(at > self.now - _DAY for at in self.record.trips)
        between = self.record.incident is not None and not SERVED.isdisjoint(self.record.incident.told)
        once: float = self.wishes.stop_after or self.policy.stop_after
        return once * float(2**came_back) * (_PATIENCE if between else 1)

    @property
    def abandoned_after(self) -> float:
        """For how long a deployment may be waited for: by a stack, or by a pipeline where no stack does."""
        if self.wishes.abandoned_after:
            return self.wishes.abandoned_after
        by_a_stack, by_a_pipeline = self.policy.abandoned_after, self.policy.pipeline_waits
        return min(by_a_stack, by_a_pipeline) if self.known.stack_waits is False else by_a_stack

    @property
    def hours_to_wait(self) -> str:
        """The same, as people are told."""
        return f"{self.abandoned_after / 3600:.3g}"

    @property
    def deploying(self) -> bool:
        """Whether a deployment is under way that somebody may still wait for: at 0 it would count as successful.

        CloudFormation gives up after 36 hours (`timeoutInMinutes` of the resource type AWS::ECS::Service, 2160 for
        creating and updating), and nobody waits longer; where it says that it does not wait, pipelines wait for six.
        One that moves traffic from another revision may wait at a hook for two weeks, and is never taken for abandoned.
        """
        facts = self.known
        if not facts.in_progress:
            return False
        if facts.primary is None or not (facts.rolls or (facts.rollout and not facts.rollout.sources)):
            return True
        began = max(facts.primary.created_at, facts.rollout.began_at if facts.rollout else 0.0)
        return self.now < began + self.abandoned_after

    @cached_property
    def causes(self) -> frozenset[Category]:
        """Why tasks failed of late."""
        of_late = {rung.category for rung in self.record.fast if rung.generation}
        return frozenset(of_late | ({self.record.incident.category} if self.record.incident else set()))

    @cached_property
    def serving(self) -> tuple[RunningTask, ...]:
        """The tasks that serve now."""
        tasks = self.facts.tasks if isinstance(self.facts, Facts) else ()
        return serving(tasks, serving_after=self.serving_after, causes=self.causes, now=self.now)

    def serving_of(self, deployment_id: str) -> tuple[RunningTask, ...]:
        return tuple(task for task in self.serving if task.deployment_id == deployment_id)

    @cached_property
    def own_chain(self) -> Ladder:
        """The failures in a row of the PRIMARY deployment alone, oldest first."""
        primary = self.known.primary
        return of_deployment(self.record.fast, primary.id, self.policy.fast) if primary else ()

    @property
    def own_depth(self) -> int:
        """How many times in a row replacements of the PRIMARY deployment failed."""
        rung = highest(self.own_chain)
        return rung.generation if rung else 0

    @property
    def newest_own_failure(self) -> float:
        return max((rung.failed_at for rung in self.own_chain), default=0.0)

    @property
    def failing_since(self) -> float:
        """From when on the PRIMARY deployment has failed without a pause, under our eyes."""
        primary, rung = self.known.primary, highest(self.own_chain)
        if primary is None or rung is None:
            return self.now
        return max(rung.since, primary.created_at, self.incident.watched_since)

    @property
    def condemned_since(self) -> float:
        """From when on, besides, the service served nobody."""
        served = served_until(self.record.lived, serving_after=self.serving_after)
        return max(self.failing_since, self.incident.unserved_since, served)
