"""What an installation is given to do, and what that took: exact counts, of which prices are made."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from benchmarks.cost.events import stopped
from benchmarks.cost.installation import WINDOW, Installation, installed

BEGIN = 1_767_225_600.0
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Counts:
    """What a workload took. `units` of the table: write, read, index; `invocations` by function; `log_bytes`."""

    failures: int
    messages: int
    units: dict[str, float]
    calls: dict[str, int]
    invocations: dict[str, int]
    requests: int
    looks: int
    log_bytes: int
    largest: int


@dataclass(frozen=True, slots=True)
class Loop:
    """One service whose `tasks` each fail once a minute, for `hours`.

    pollers: over how many the messages of the queue spread, each with a batch of its own. Lambda starts with five, and
    "can optimize to as few as 2" where no maximum of concurrency is set (Lambda developer guide, "Configuring scaling
    behavior for SQS event source mappings"); one is set here, so that a storm does not take the account's.
    window: how long a message waits for others, in seconds.
    """

    name: str
    tasks: int
    hours: float
    pollers: int = 5
    window: float = WINDOW

    def run(self) -> Counts:
        random = Random(1)
        with installed(BEGIN, pollers=self.pollers, window=self.window) as ours:
            ours.ecs.desired = lambda _service: self.tasks
            failures = 0
            for at in self._times(random):
                ours.run(at + 1)
                ours.send(stopped("checkout", at=at, random=random), at=at + 1)
                failures += 1
            return counted(ours, failures)

    def _times(self, random: Random) -> Iterator[float]:
        for minute in range(int(self.hours * 60)):
            starts = sorted(random.uniform(0, 60) for _ in range(self.tasks)) if self.tasks > 1 else [random.random()]
            yield from (BEGIN + 60 * minute + at for at in starts)


def delay(window: float) -> float:
    """Seconds from the third failure of a service of one task to its message, for most of which it waits for others."""
    random = Random(1)
    with installed(BEGIN, pollers=5, window=window) as ours:
        for number in range(4):
            at = BEGIN + 60 * number
            ours.run(at + 1)
            ours.send(stopped("checkout", at=at, random=random), at=at + 1)
        ours.run(BEGIN + 400)
        (told, _), *_ = ours.outbox.sent
        return told - (BEGIN + 120)


def counted(ours: Installation, failures: int) -> Counts:
    """What was counted, without the queries of the clock: they are paid for whether a service loops or not."""
    table = ours.table
    table.units["read"] -= ours.invocations["sweep"] * 0.5  # type: ignore[assignment]
    return Counts(
        failures=failures,
        messages=len(ours.outbox.sent),
        units=dict(table.units),
        calls=dict(table.calls),
        invocations=dict(ours.invocations),
        requests=ours.requests["sqs"],
        looks=ours.ecs.looks,
        log_bytes=ours.log_bytes,
        largest=table.largest,
    )
