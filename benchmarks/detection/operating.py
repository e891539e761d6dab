"""Loopbreaker as in operation: its stories beside the simulated ECS, which answers when it is asked.

The installation alerts and changes nothing, so that all rules see one stream.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

from benchmarks.detection.saying import Message
from benchmarks.detection.watching import Said, Seen, Stopped, Watch
from loopbreaker.aws.ecs import LiveEcs
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode, Policy
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import owed
from loopbreaker.remembering.record import Record
from loopbreaker.seeing.events import parse
from loopbreaker.stories.detect import detect, observation
from loopbreaker.stories.respond import Tools, respond
from loopbreaker.treating.look import ask
from loopbreaker.treating.scope import Scope
from loopctl.memory import MemoryStore


class _Table(MemoryStore):
    """The table in memory; each save is followed at once by what its stream sets off."""

    def __init__(self, changed: Any) -> None:
        super().__init__()
        self._changed = changed

    def save(self, record: Record) -> bool:
        before = self.load(record.service)
        saved = super().save(record)
        if saved:
            self._changed(before, self.load(record.service))
        return saved


class Operated:
    """The functions of an installation on the clock of what is watched: `sweep` each minute, the others as called."""

    def __init__(self, watch: Watch, policy: Policy | None = None) -> None:
        self._sim = watch.sim
        self._policy = policy or Policy()
        self._epoch = self._sim.utc_now.timestamp() - self._sim.now
        self._table = _Table(self._changed)
        self._tools = Tools(
            store=self._table,
            ecs=LiveEcs(self._sim.client("ecs"), self._sim.client("application-autoscaling"), self._balancing),
            mode=Mode.ALERT,
            scope=Scope(),
            policy=self._policy,
            clock=lambda: self._now,
        )
        self._asked: deque[ServiceRef] = deque()
        self._said: deque[Message] = deque()
        self._sim.every(60, self._sweep)

    @property
    def _now(self) -> float:
        return self._epoch + self._sim.now

    def see(self, seen: Seen) -> Iterator[Message]:
        """What was told since the last time, and what this event leads to."""
        if isinstance(seen, Stopped | Said):
            self._detect(seen.event)
        while self._said:
            yield self._said.popleft()

    def _balancing(self) -> Any:
        return self._sim.client("elbv2")

    def _detect(self, envelope: dict[str, Any]) -> None:
        seen = observation(parse(envelope))
        if seen:
            detect([seen], store=self._table, policy=self._policy, now=self._now)
            self._respond()

    def _respond(self) -> None:
        while self._asked:
            respond(self._asked.popleft(), self._tools)

    def _sweep(self) -> None:
        self._table.forget(now=self._now)
        for record in list(self._table.records()):
            if record.due_at is not None and record.due_at <= self._now:
                self._table.save(ask(record, now=self._now))
        self._respond()

    def _changed(self, before: Record, after: Record) -> None:
        if after.asked_at is not None:
            self._asked.append(after.service)
        notices, incident = owed(before, after), after.incident or before.incident
        why = f"{incident.signal.value}, depth {incident.depth}" if incident else ""
        for notice in notices:
            over = notice.kind is NoticeKind.RECOVERED
            alarm = notice.kind in (NoticeKind.LOOPING, NoticeKind.MASS)
            self._said.append(Message(self._sim.now, after.service.name, over=over, why=why, alarm=alarm))
        opened = after.incident is not None and before.incident is None
        if opened and not any(notice.kind is NoticeKind.LOOPING for notice in notices):
            self._said.append(Message(self._sim.now, after.service.name, why=why, sent=False))
