"""What an installation is given to do, and what that took: exact counts, of which prices are made."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from benchmarks.cost.events import stopped
from benchmarks.cost.installation import WINDOW, Installation, installed
from loopbreaker.aws.store import from_item, to_item
from loopbreaker.remembering.trip import Step, Trip

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


def held(days: int) -> Counts:
    """What it takes to hold one service at 0 for so many days, which only people may bring back."""
    random = Random(1)
    with installed(BEGIN, mode="stop", pollers=5) as ours:
        for number in range(12):
            at = BEGIN + 60 * number
            ours.run(at + 1)
            ours.send(stopped("checkout", at=at, random=random), at=at + 1)
        ours.run(BEGIN + HOUR)
        ((key, item),) = ((key, item) for key, item in ours.table.items.items() if key[1] == "SERVICE")
        record = from_item(item)
        trip = Trip(
            step=Step.HELD,
            since=ours.now,
            lease_until=ours.now,
            desired_count=1,
            deployment_id="ecs-svc/1234567890123456789",
            task_definition="arn:aws:ecs:us-east-1:123456789012:task-definition/checkout:42",
            scaling=None,
            looping_since=BEGIN,
            zeroed=True,
        )
        ours.ecs.tags = {"loopbreaker:action": "stop", "loopbreaker:recovery": "manual"}
        ours.ecs.desired = lambda _service: 0
        ours.table.items[key] = to_item(replace(record, trip=trip, due_at=ours.now))
        before = counted(ours, 0)
        ours.run(ours.now + days * 24 * HOUR)
        assert from_item(ours.table.items[key]).trip is not None
        after = counted(ours, 0)
    return Counts(
        failures=0,
        messages=after.messages - before.messages,
        units={name: number - before.units.get(name, 0) for name, number in after.units.items()},
        calls={name: number - before.calls.get(name, 0) for name, number in after.calls.items()},
        invocations={name: number - before.invocations.get(name, 0) for name, number in after.invocations.items()},
        requests=after.requests - before.requests,
        looks=after.looks - before.looks,
        log_bytes=after.log_bytes - before.log_bytes,
        largest=after.largest,
    )


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
    read = table.units["read"] - ours.invocations["sweep"] * 0.5
    return Counts(
        failures=failures,
        messages=len(ours.outbox.sent),
        units={**table.units, "read": read},
        calls=dict(table.calls),
        invocations=dict(ours.invocations),
        requests=ours.requests["sqs"],
        looks=ours.ecs.looks,
        log_bytes=ours.log_bytes,
        largest=table.largest,
    )
