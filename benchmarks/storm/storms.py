"""Storms, and what came of them: who was told when, what was lost, and what it took."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge
from random import Random

from benchmarks.cost.dynamodb import Item, throttled
from benchmarks.cost.events import CLUSTER, stopped
from benchmarks.cost.installation import Installation, installed
from benchmarks.cost.workloads import BEGIN
from loopbreaker.aws.store import from_item
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.record import Record

Sent = tuple[float, Item]


@dataclass(frozen=True, slots=True)
class Tally:
    """What a storm came to. `told` has (service, transition, time, characters of the longest form)."""

    told: tuple[tuple[str, str, float, int], ...]
    records: dict[str, Record]
    poison: int
    units: dict[str, float]
    hottest: int
    invocations: dict[str, int]

    def first(self, service: str, transition: str = "looping") -> float | None:
        """When people were first told of a service; None where they were not."""
        return min((at for name, kind, at, _ in self.told if (name, kind) == (service, transition)), default=None)


def loop(service: str, *, begin: float, failures: int, every: float, random: Random) -> Iterator[Sent]:
    """A task of the service fails every so many seconds: events as they reach the queue, a second later."""
    for number in range(failures):
        at = begin + number * every + random.uniform(0, every / 20)
        yield at + 1, stopped(service, at=at, random=random, ran=every / 3, started=every / 6)


def disordered(events: Iterator[Sent], *, random: Random, duplicates: float, late: float, by: float) -> list[Sent]:
    """Some of the events come twice, and some later than they should by up to so many seconds."""
    found: list[Sent] = []
    for at, event in events:
        found.append((at + random.uniform(0, by) if random.random() < late else at, event))
        if random.random() < duplicates:
            found.append((at + random.uniform(0, by), event))
    return sorted(found, key=lambda sent: sent[0])


def mass(services: int, *, failures: int, within: float, random: Random) -> Iterator[Sent]:
    """So many services begin to loop within so many seconds; each fails so often, a minute apart."""
    loops = (
        loop(f"s{n:05}", begin=BEGIN + within * n / services, failures=failures, every=60, random=random)
        for n in range(services)
    )
    return merge(*loops, key=lambda sent: sent[0])


def weather(
    events: Iterator[Sent],
    *,
    until: float,
    pollers: int = 5,
    prepare: Callable[[Installation], None] = lambda ours: None,
    meanwhile: Callable[[Installation], None] = lambda ours: None,
) -> Tally:
    """Let the events come, and the time until then pass. `meanwhile` is called before each event."""
    with installed(BEGIN, pollers=pollers) as ours:
        prepare(ours)
        for at, event in events:
            ours.run(at)
            meanwhile(ours)
            ours.send(event, at=at)
        ours.run(until)
        meanwhile(ours)
        ours.run(until + 1200)
        return outcome(ours)


def outcome(ours: Installation) -> Tally:
    sizes = (
        (message.detail["serviceName"], message.detail["transition"], at, len(message.text.encode()))
        for at, message in ours.outbox.sent
    )
    records = {pk.partition("#")[2]: from_item(item) for (pk, sk), item in ours.table.items.items() if sk == "SERVICE"}
    return Tally(
        told=tuple(sizes),
        records=records,
        poison=len(ours.poison),
        units=dict(ours.table.units),
        hottest=max(ours.table.hottest.values(), default=0),
        invocations=dict(ours.invocations),
    )


def ref(service: str) -> ServiceRef:
    return ServiceRef(cluster_arn=CLUSTER, name=service)


def throttle(share: float, *, random: Random, of: str = "") -> Callable[[str, str], None]:
    """A table that does not take a share of the calls, of one service or of all."""

    def fault(call: str, key: str) -> None:
        if of in key and random.random() < share:
            raise throttled(call)

    return fault


def totals(outcome: Tally) -> Counter[str]:
    """How many messages of each kind."""
    return Counter(kind for _, kind, _, _ in outcome.told)
