"""The store of a replay: what the table would hold, in memory, and no more of it than a long recording allows."""

from collections.abc import Iterator
from dataclasses import replace

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.record import Record, keep_until
from loopbreaker.stories.ports import MOST_BEGINNINGS

_MOST_CLOSED = 1000


class MemoryStore:
    """Satisfies `loopbreaker.stories.ports.Table`."""

    def __init__(self) -> None:
        self._records: dict[ServiceRef, Record] = {}
        self._began: dict[ServiceRef, float] = {}
        self._summary: dict[ServiceRef, float] = {}
        self._told: tuple[int, float, ServiceRef | None] = (0, 0.0, None)
        self.closed: dict[tuple[ServiceRef, str], tuple[Incident, float, str]] = {}

    def load(self, service: ServiceRef) -> Record:
        return self._records.get(service) or Record(service=service)

    def save(self, record: Record) -> bool:
        if record.version != self.load(record.service).version:
            return False
        self._records[record.service] = replace(record, version=record.version + 1)
        return True

    def archive(self, service: ServiceRef, incident: Incident, *, closed_at: float, reason: str) -> None:
        """Keep the newest few, for pictures."""
        self.closed.pop((service, incident.id), None)
        self.closed[service, incident.id] = (incident, closed_at, reason)
        if len(self.closed) > _MOST_CLOSED:
            del self.closed[next(iter(self.closed))]

    def gather(self, service: ServiceRef, *, at: float, window: float) -> tuple[ServiceRef, ...]:
        if not at - window <= self._began.get(service, 0.0) <= at:
            self._began[service] = at
        return self.began(at=at, window=window)

    def began(self, *, at: float, window: float) -> tuple[ServiceRef, ...]:
        near = sorted((began, service) for service, began in self._began.items() if abs(began - at) <= window)
        return tuple(service for _, service in reversed(near[-MOST_BEGINNINGS:]))

    def number_began(self, *, at: float, window: float) -> int:
        return sum(abs(began - at) <= window for began in self._began.values())

    def announce(self, service: ServiceRef, number: int, *, at: float, window: float) -> bool:
        told, told_at, by = self._told
        if told >= number and told_at > at - window:
            return by == service and told == number
        self._told = (number, at, service)
        return True

    def enter_summary(self, service: ServiceRef, *, at: float) -> None:
        self._summary[service] = at

    def leave_summary(self, service: ServiceRef) -> None:
        self._summary.pop(service, None)

    def in_summary(self, *, most: int) -> tuple[ServiceRef, ...]:
        return tuple(sorted(self._summary, reverse=True)[:most])

    def announce_end(self, service: ServiceRef, *, at: float) -> bool:
        told, _, by = self._told
        if told == 0:
            return by == service
        self._told = (0, at, service)
        return True

    def forget(self, *, now: float) -> None:
        """Drop every record that has nothing left to say, as the table's TTL does."""
        for service in [service for service, record in self._records.items() if keep_until(record) < now]:
            del self._records[service]
            self._began.pop(service, None)

    def records(self) -> Iterator[Record]:
        """Every record, in the order in which services were first seen."""
        yield from self._records.values()
