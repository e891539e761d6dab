"""What stands in for ECS where nothing may be changed: in a drill, a recording, a scan. It refuses every call."""

from collections.abc import Callable
from dataclasses import dataclass

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.trip import Scaling
from loopbreaker.stories.ports import Records
from loopbreaker.treating.facts import Facts, Refusal, Unknown


@dataclass(frozen=True, slots=True)
class OnlyReads:
    """An ECS that answers with `facts_of`, has no client, and changes nothing because of `why`."""

    facts_of: Callable[[ServiceRef], Facts | Unknown]
    why: str

    def read(self, service: ServiceRef) -> Facts | Unknown:
        return self.facts_of(service)

    def set_desired_count(self, _service: ServiceRef, _count: int) -> Refusal:
        return Refusal(self.why)

    def set_suspended(self, _service: ServiceRef, _scaling: Scaling) -> Refusal:
        return Refusal(self.why)

    def tag_held(self, _service: ServiceRef, *, count: int, since: float) -> Refusal:
        return Refusal(f"{self.why}: {count} since {since}")

    def untag_held(self, _service: ServiceRef) -> Refusal:
        return Refusal(self.why)

    def roll_back(self, _service_deployment: str) -> Refusal:
        return Refusal(self.why)


def rehearsal(store: Records) -> OnlyReads:
    """The service of a drill is there until its loop was found, and gone at the next look, which ends it."""
    return OnlyReads(lambda service: Facts(exists=store.load(service).incident is None, desired_count=1), "a drill")
