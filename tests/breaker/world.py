"""The whole of Loopbreaker around a simulated ECS: detect, respond and sweep on a virtual clock, the table in memory.

Every call that `respond` makes, to the table, to ECS and to Application Auto Scaling, is counted; one of them can be
made to fail, before it is made or after (its answer lost), as when the function dies there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from loopbreaker.aws.ecs import Fleet
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode, Policy
from loopbreaker.remembering.notice import Notice
from loopbreaker.remembering.owed import owed
from loopbreaker.remembering.record import Record
from loopbreaker.seeing.events import parse
from loopbreaker.stories.detect import detect, observation
from loopbreaker.stories.respond import Outcome, Tools, respond
from loopbreaker.treating.look import ask
from loopbreaker.treating.scope import Scope
from loopctl.memory import MemoryStore
from simulation import Delivery, Simulation

CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:cluster/prod"


def ref(name: str = "web") -> ServiceRef:
    return ServiceRef(cluster_arn=CLUSTER, name=name)


class Died(Exception):  # noqa: N818
    """The function was killed at this call."""


@dataclass
class Crash:
    """Kill the function at the call with this number; `after`: once the call is made."""

    at: int
    after: bool
    seen: int = 0
    fired: bool = False
    names: list[str] = field(default_factory=list)


class Table(MemoryStore):
    """The store of a replay; it says what it saves, as the table's stream does."""

    def __init__(self) -> None:
        super().__init__()
        self.on_save: Callable[[Record, Record], None] = lambda before, after: None

    def save(self, record: Record) -> bool:
        before = self.load(record.service)
        saved = super().save(record)
        if saved:
            self.on_save(before, self.load(record.service))
        return saved


class Faulty:
    """Stands before an adapter and kills the function at the chosen call."""

    def __init__(self, target: Any, world: "World", prefix: str = "") -> None:
        self._target, self._world, self._prefix = target, world, prefix

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._target, name)
        if not callable(call):
            return call

        def guarded(*args: Any, **kwargs: Any) -> Any:
            return self._world.guard(f"{self._prefix}{name}", lambda: call(*args, **kwargs))

        return guarded


class World:
    """One cluster `prod`, Loopbreaker beside it."""

    def __init__(
        self, sim: Simulation, *, mode: Mode = Mode.STOP, policy: Policy | None = None, scope: Scope | None = None
    ) -> None:
        self.sim = sim
        self.policy = policy or Policy()
        self.epoch = sim.utc_now.timestamp() - sim.now
        self.table = Table()
        self.table.on_save = self._saved
        self.crash: Crash | None = None
        self.in_respond = False
        self.before_call: Callable[[str, dict[str, Any]], None] | None = None
        self.calls = 0
        self.notices: list[tuple[ServiceRef, Notice]] = []
        self.outcomes: list[Outcome] = []
        self.invariants: list[Callable[[str, dict[str, Any]], None]] = []
        self._pending: list[ServiceRef] = []
        self._retry: dict[ServiceRef, float] = {}
        sim.before_call = self._enter
        sim.after_call = self._leave
        fleet = Fleet(sim.client("ecs"), sim.client("application-autoscaling"), _no_balancer)
        self.tools = Tools(
            store=Faulty(self.table, self, "table."),
            ecs=fleet,
            mode=mode,
            scope=scope or Scope(),
            policy=self.policy,
            clock=lambda: self.now,
        )
        sim.every(60, self.sweep)

    @property
    def now(self) -> float:
        return self.epoch + self.sim.now

    def kinds(self, name: str = "web") -> list[str]:
        """What was told of a service, in order."""
        return [notice.kind.value for service, notice in self.notices if service.name == name]

    def record(self, name: str = "web") -> Record:
        return self.table.load(ref(name))

    def run(self, seconds: float) -> None:
        """Let time pass: events go to detect, what it saves to respond, once a minute the sweep."""
        for event in self.sim.stream(self.sim.now + seconds):
            self.detect(event)
            self.drain()
        self.drain()

    def detect(self, event: dict[str, Any]) -> None:
        seen = observation(parse(event))
        if seen:
            detect([seen], store=self.table, policy=self.policy, now=self.now)

    def drain(self) -> None:
        """Deliver what the stream holds, and what failed before and is due again."""
        due = [service for service, at in self._retry.items() if at <= self.now]
        for service in due:
            del self._retry[service]
            self._pending.append(service)
        while self._pending:
            self.respond(self._pending.pop(0))

    def respond(self, service: ServiceRef) -> None:
        nested, self.in_respond = self.in_respond, True
        try:
            outcome = respond(service, self.tools)
        except Died:
            self.retry(service)
        else:
            if outcome:
                self.outcomes.append(outcome)
        finally:
            self.in_respond = nested

    def retry(self, service: ServiceRef) -> None:
        """The stream delivers the record again soon."""
        self._retry[service] = self.now + 2

    def sweep(self) -> None:
        for record in list(self.table.records()):
            if record.due_at is not None and record.due_at <= self.now:
                self.table.save(ask(record, now=self.now))
        self.drain()

    def guard(self, name: str, call: Callable[[], Any]) -> Any:
        self._enter(name, {})
        answer = call()
        self._leave(name, {})
        return answer

    def _enter(self, name: str, kwargs: dict[str, Any]) -> None:
        if not self.in_respond:
            return
        self.calls += 1
        for invariant in self.invariants:
            invariant(name, kwargs)
        if self.before_call:
            self.before_call(name, kwargs)
        if self.crash and not self.crash.fired:
            self.crash.seen += 1
            self.crash.names.append(name)
            if self.crash.seen == self.crash.at and not self.crash.after:
                self.crash.fired = True
                raise Died(name)

    def _leave(self, name: str, _kwargs: dict[str, Any]) -> None:
        crash = self.crash
        if self.in_respond and crash and not crash.fired and crash.after and crash.seen == crash.at:
            crash.fired = True
            raise Died(name)

    def _saved(self, before: Record, after: Record) -> None:
        self.notices += [(after.service, notice) for notice in owed(before, after)]
        if after.asked_at is not None:
            self._pending.append(after.service)


def _no_balancer() -> Any:
    raise AssertionError("no service here has a target group")


def quiet_delivery() -> Delivery:
    """Only the events that the rule lets through, once each."""
    return Delivery(statuses=frozenset({"STOPPED"}))
