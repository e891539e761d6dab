"""What stands in for ECS in a drill: it answers by itself, refuses everything else, and has no client to ask with."""

from dataclasses import dataclass

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.trip import Scaling
from loopbreaker.stories.ports import Records
from loopbreaker.treating.facts import Facts, Refusal


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The service of a drill is there until its loop was found, and gone at the next look, which ends it."""

    store: Records

    def read(self, service: ServiceRef) -> Facts:
        return Facts(exists=self.store.load(service).incident is None, desired_count=1)

    def set_desired_count(self, _service: ServiceRef, _count: int) -> Refusal:
        return Refusal("a drill")

    def set_suspended(self, _service: ServiceRef, _scaling: Scaling) -> Refusal:
        return Refusal("a drill")

    def tag_held(self, _service: ServiceRef, *, count: int, since: float) -> Refusal:
        return Refusal(f"a drill: {count} since {since}")

    def untag_held(self, _service: ServiceRef) -> Refusal:
        return Refusal("a drill")

    def roll_back(self, _service_deployment: str) -> Refusal:
        return Refusal("a drill")
