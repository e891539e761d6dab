"""Loopbreaker through that year: its stories around a store in memory, each thing at its time."""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from heapq import merge

from benchmarks.cost.dynamodb import size
from benchmarks.year.world import BEGIN, DAY, HOUR, MINUTE, Kind, Phase, Service
from loopbreaker.aws.store import to_item
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode, Policy
from loopbreaker.remembering.owed import owed
from loopbreaker.remembering.record import Record
from loopbreaker.stories.detect import Observation, detect
from loopbreaker.stories.respond import Tools, respond
from loopbreaker.stories.sweep import sweep
from loopbreaker.treating.facts import Facts, Unknown
from loopbreaker.treating.scope import Scope
from loopctl.memory import MemoryStore

# For so long may an incident outlast its loop: what came again lasts for a day, and a look may be half an hour away.
_GRACE = 1.5 * DAY
_LATE = 5 * MINUTE


class Calendar(MemoryStore):
    """A store that knows what is due, as the table's index does, and counts what it writes."""

    def __init__(self) -> None:
        super().__init__()
        self.saves = 0
        self.messages: Counter[str] = Counter()
        self._due: list[tuple[float, ServiceRef]] = []

    def save(self, record: Record) -> bool:
        before = self.load(record.service)
        saved = super().save(record)
        self.saves += saved
        if saved:
            self.messages.update(notice.kind.value for notice in owed(before, record))
        if saved and record.due_at is not None:
            heapq.heappush(self._due, (record.due_at, record.service))
        return saved

    @property
    def next_due(self) -> float:
        while self._due and self.load(self._due[0][1]).due_at != self._due[0][0]:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else float("inf")

    def due(self, *, now: float, limit: int) -> list[ServiceRef]:
        found: list[ServiceRef] = []
        while self.next_due <= now and len(found) < limit:
            found.append(heapq.heappop(self._due)[1])
        return found


@dataclass
class Year:
    """The services, what is remembered of them, and every complaint about it."""

    services: tuple[Service, ...]
    store: Calendar = field(default_factory=Calendar)
    now: float = BEGIN
    failures: int = 0
    looks: int = 0
    largest: int = 0
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._known = {service.ref: service for service in self.services}
        self._tools = Tools(
            store=self.store,
            ecs=self,  # type: ignore[arg-type] # in mode alert it is only read
            mode=Mode.ALERT,
            scope=Scope(),
            policy=Policy(),
            clock=lambda: round(self.now, 3),
        )

    def read(self, service: ServiceRef) -> Facts | Unknown:
        self.looks += 1
        return self._known[service].facts(self.now)

    def live(self) -> None:
        """All failures in their order, the sweep each minute in which something is due, an inspection each day."""
        inspected, end = BEGIN, min(service.phases[-1].end for service in self.services)
        for failure in merge(*(service.failures() for service in self.services), key=lambda one: one.failed_at):
            at = failure.failed_at + 2
            if at > end:
                break
            while inspected + DAY <= at:
                inspected += DAY
                self._pass(inspected)
                self._inspect()
            self._pass(at)
            self.failures += 1
            seen = [Observation(service=failure.service, failure=failure)]
            change = detect(seen, store=self.store, policy=Policy(), now=self.now)
            if change and change.after.asked_at is not None:
                respond(failure.service, self._tools)
        self._pass(end - 1)
        self._inspect()

    def _pass(self, until: float) -> None:
        while (due := self.store.next_due) < until:
            self.now = max(self.now, due + MINUTE - due % MINUTE)
            asked = self.store.due(now=self.now, limit=1000)
            for service in asked:
                heapq.heappush(self.store._due, (self.store.load(service).due_at or 0.0, service))
            sweep(self.store, clock=lambda: self.now, seconds=45, limit=1000)
            for service in asked:
                respond(service, self._tools)
        self.now = max(self.now, until)

    def _inspect(self) -> None:
        """Held against the world: what is open is true, what is true is open, nothing waits, nothing grows."""
        self.store.forget(now=self.now)
        for record in self.store.records():
            service, name = self._known[record.service], record.service.name
            self.largest = max(self.largest, size(to_item(record)))
            if record.due_at is not None and record.due_at < self.now - _LATE:
                self._complain(f"{name} was due {(self.now - record.due_at) / 60:.0f} minutes ago")
            if record.asked_at is not None:
                self._complain(f"{name} was asked for and not looked at")
            if record.incident and record.due_at is None:
                self._complain(f"{name} loops and will never be looked at")
            if record.incident and self._well_since(service) > _GRACE + 3 * record.incident.longest_gap:
                self._complain(f"{name} has an incident, and no task has failed in a loop for days")
        open_ones = {record.service for record in self.store.records() if record.incident}
        for service in self.services:
            if self._loops_since(service) > 2 * HOUR and service.ref not in open_ones:
                self._complain(f"{service.ref.name} has looped for hours without an incident")
        if strangers := set(self.store.in_summary(most=10**6)) - open_ones:
            self._complain(f"a summary stands for {len(strangers)} loops that are over")

    def _complain(self, what: str) -> None:
        self.complaints.append(f"day {(self.now - BEGIN) / DAY:.0f}: {what}")

    def _well_since(self, service: Service) -> float:
        """For how many seconds no phase of a loop has been."""
        loops = [phase for phase in service.phases if phase.kind is Kind.LOOP and phase.begin <= self.now]
        return self.now - min(loops[-1].end, self.now) if loops else self.now - BEGIN

    def _loops_since(self, service: Service) -> float:
        """For how many seconds it has looped fast; 0 where it does not."""
        phase: Phase = service.phase(self.now)
        return self.now - phase.begin if phase.kind is Kind.LOOP and 0 < phase.every < HOUR / 6 else 0.0
