"""The store of a replay: what the table would hold, in memory, and no more of it than a long recording allows."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace

from loopbreaker.judging.detection import Evidence
from loopbreaker.model import ServiceRef, TaskFailure
from loopbreaker.record import Incident, Record, keep_until

# A failure is known by its task for this long, in seconds, behind the newest of its service; then it is a number.
_KNOWN = 7200.0
# How often, in seconds of the service's own time, old failures become numbers.
_TIDY = 600.0
# The table keeps failures this long too.
_COUNTED = 30 * 86_400.0


class MemoryStore:
    """Satisfies `loopbreaker.stories.ports.Table`. A failure that arrives more than two hours late is not counted."""

    def __init__(self) -> None:
        self._records: dict[ServiceRef, Record] = {}
        self._stops: dict[ServiceRef, _Stops] = {}
        self._began: dict[ServiceRef, float] = {}

    def load(self, service: ServiceRef) -> Record:
        return self._records.get(service) or Record(service=service)

    def save(self, record: Record) -> bool:
        if record.version != self.load(record.service).version:
            return False
        self._records[record.service] = replace(record, version=record.version + 1)
        return True

    def keep(self, failures: Sequence[TaskFailure]) -> None:
        for failure in failures:
            self._stops.setdefault(failure.service, _Stops()).add(failure)

    def evidence(self, service: ServiceRef, *, since: float) -> Evidence:
        stops = self._stops.get(service)
        return stops.since(since) if stops else Evidence()

    def archive(self, service: ServiceRef, incident: Incident, *, closed_at: float, reason: str) -> None:
        """Nobody reads closed incidents of a replay."""

    def gather(self, service: ServiceRef, *, at: float, window: float) -> tuple[ServiceRef, ...]:
        if not at - window <= self._began.get(service, 0.0) <= at:
            self._began[service] = at
        return self.began(at=at, window=window)

    def began(self, *, at: float, window: float) -> tuple[ServiceRef, ...]:
        return tuple(service for service, began in self._began.items() if abs(began - at) <= window)

    def forget(self, *, now: float) -> None:
        """Drop every record that has nothing left to say, as the table's TTL does, and the failures behind it."""
        for service in [service for service, record in self._records.items() if keep_until(record) < now]:
            del self._records[service]
            self._stops.pop(service, None)
            self._began.pop(service, None)

    def records(self) -> Iterator[Record]:
        """Every record, in the order in which services were first seen."""
        yield from self._records.values()


class _Stops:
    """The failures of one service: of late ones the task, of older ones nothing but the time, eight bytes each."""

    def __init__(self) -> None:
        self._failed_at: dict[str, float] = {}
        self._older: array[float] = array("d")
        self._newest: TaskFailure | None = None
        self._tidied_at = 0.0

    def add(self, failure: TaskFailure) -> None:
        newest = self._newest
        if newest and failure.failed_at < newest.failed_at - _KNOWN:
            return
        known = self._failed_at.get(failure.task_id, failure.failed_at)
        self._failed_at[failure.task_id] = max(known, failure.failed_at)
        if newest is None or (failure.failed_at, failure.task_id) > (newest.failed_at, newest.task_id):
            self._newest = failure
        if failure.failed_at > self._tidied_at + _TIDY:
            self._tidy(failure.failed_at)

    def since(self, at: float) -> Evidence:
        failed = len(self._older) - bisect_left(self._older, at)
        failed += sum(failed_at >= at for failed_at in self._failed_at.values())
        newest = self._newest if self._newest and self._newest.failed_at >= at else None
        return Evidence(failed_tasks=failed, newest=newest)

    def _tidy(self, now: float) -> None:
        horizon = now - _KNOWN
        old = sorted(at for at in self._failed_at.values() if at < horizon)
        self._older.extend(old)
        del self._older[: bisect_left(self._older, now - _COUNTED)]
        self._failed_at = {task: at for task, at in self._failed_at.items() if at >= horizon}
        self._tidied_at = now
