"""How events travel: EventBridge promises them at least once, in no order.

Source: "Handling Amazon ECS events", Amazon ECS developer guide. A copy has the same id and the same `detail.version`.
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from random import Random

from simulation.core.clock import Clock
from simulation.core.state import Event
from simulation.scripting.behaviour import Draw, uniform


@dataclass(frozen=True, slots=True)
class Delivery:
    """The quality of the road. Shares are between 0 and 1.

    delay: seconds from the happening to the delivery.
    duplicates: share of events that come a second time, `late` seconds later.
    disorder: share of events that are `late` seconds late, and so behind younger ones.
    statuses: the task states (`lastStatus`) whose events are sent at all; None: all of them.
    source: the `source` of each event; nobody but AWS can put `aws.ecs` on a real bus.
    """

    delay: Draw = field(default_factory=lambda: uniform(0.1, 1.0))
    duplicates: float = 0.0
    disorder: float = 0.0
    late: Draw = field(default_factory=lambda: uniform(1, 60))
    statuses: Collection[str] | None = None
    source: str = "aws.ecs"


class Bus:
    """Takes events as they happen and has them ready when they arrive.

    Its chance is its own, so another quality of the road leaves what happens to the services as it was.
    """

    def __init__(self, delivery: Delivery, *, clock: Clock, seed: int, account: str, region: str) -> None:
        self._delivery, self._clock, self._rng = delivery, clock, Random(f"delivery {seed}")
        self._account, self._region = account, region
        self.arrived: deque[Event] = deque()

    def wants_status(self, status: str) -> bool:
        """Whether events of tasks in this state are sent."""
        return self._delivery.statuses is None or status in self._delivery.statuses

    def emit(self, detail_type: str, resources: list[str], detail: Event) -> None:
        """Send an event: it arrives once or twice, sooner or later."""
        rng, way = self._rng, self._delivery
        event = {
            "version": "0",
            "id": self._id(),
            "detail-type": detail_type,
            "source": way.source,
            "account": self._account,
            "time": self._clock.iso(self._clock.now)[:-5] + "Z",
            "region": self._region,
            "resources": resources,
            "detail": detail,
        }
        delay = way.delay(rng) + (way.late(rng) if rng.random() < way.disorder else 0)
        self._clock.after(delay, self.arrived.append, event)
        if rng.random() < way.duplicates:
            self._clock.after(delay + way.late(rng), self.arrived.append, event)

    def _id(self) -> str:
        h = f"{self._rng.getrandbits(128):032x}"
        return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
