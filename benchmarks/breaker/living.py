"""Loopbreaker beside a simulated ECS: its own stories, driven on the virtual clock. The only place that knows it.

What Lambda, EventBridge and IAM do around the stories stands here too: which events come through, what is invoked
again, what is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.breaker.faults import Died, Faults, Stale
from loopbreaker.aws.ecs import LiveEcs, unreadable
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode, Policy
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import owed
from loopbreaker.remembering.record import Record
from loopbreaker.seeing.events import parse
from loopbreaker.stories.detect import detect, observation
from loopbreaker.stories.ports import ConflictError, UnreadableError
from loopbreaker.stories.respond import Tools, respond
from loopbreaker.stories.sweep import sweep
from loopbreaker.telling.messages import Message, compose
from loopbreaker.treating.scope import Scope
from loopctl.memory import MemoryStore
from simulation import Simulation

# How soon a record whose invocation failed is delivered again, in seconds, and how often (infra/functions.py).
_AGAIN, _MOST_TRIES = 2.0, 10
# Messages after which a reader believes that the service is at 0, and those after which not any more.
_DOWN = {NoticeKind.STOPPED, NoticeKind.DOWN}
_UP = {NoticeKind.BACK, NoticeKind.RECOVERED, NoticeKind.PROBING}


@dataclass(frozen=True, slots=True)
class Told:
    """One message. `down`: what its reader then believes of the service, where the message says."""

    at: float
    service: str
    kind: str
    text: str
    down: bool | None


class Table(MemoryStore):
    """The store of a replay; it says what it saves, as the table's stream does."""

    def __init__(self) -> None:
        super().__init__()
        self.on_save: Callable[[Record, Record], None] = lambda before, after: None
        self.unreadable: set[str] = set()

    def load(self, service: ServiceRef) -> Record:
        if service.name in self.unreadable:
            raise UnreadableError(f"{service.key}: not a record")
        return super().load(service)

    def due(self, *, now: float, limit: int) -> list[ServiceRef]:
        """As the table's index of times gives it."""
        waiting = sorted((r.due_at, r.service) for r in self.records() if r.due_at is not None and r.due_at <= now)
        return [service for _, service in waiting[:limit]]

    def save(self, record: Record) -> bool:
        before = self.load(record.service)
        saved = super().save(record)
        if saved:
            self.on_save(before, self.load(record.service))
        return saved


@dataclass
class Invocation:
    """One record of the stream that waits for `respond`."""

    service: ServiceRef
    due: float
    tries: int = 0


@dataclass
class Living:
    """Loopbreaker, installed in the account of a simulation. Attach it before time runs, then `run`."""

    sim: Simulation
    mode: Mode = Mode.STOP
    policy: Policy = field(default_factory=Policy)
    scope: Scope = field(default_factory=Scope)
    faults: Faults = field(init=False)
    told: list[Told] = field(default_factory=list)
    dropped: int = 0
    deaf: tuple[float, float, float] | None = None  # events from, until are delivered at
    loses: Callable[[dict[str, Any]], bool] = lambda event: False  # which events never arrive
    skew: float = 0.0  # seconds by which the clock of the functions is ahead of ECS's
    second: "Living | None" = None  # another installation in the same account
    reads: Callable[[Message], None] = lambda message: None  # whoever gets the messages

    def __post_init__(self) -> None:
        self.epoch = self.sim.utc_now.timestamp() - self.sim.now
        self.faults = Faults(self.sim)
        self.table = Table()
        self.table.on_save = self._saved
        self.connect()
        self.sim.every(60, self._sweep)

    def connect(self, *, unknown: tuple[str, ...] = ()) -> None:
        """Talk to AWS, perhaps with an SDK that has never heard of some fields and drops them without a word."""
        names = ("ecs", "application-autoscaling", "elbv2", "cloudformation")
        ecs, scaling, balancing, stacks = (Stale(self.sim.client(name, unknown=unknown), self.faults) for name in names)
        self._live_ecs = LiveEcs(ecs, scaling, lambda: balancing, blind=unreadable(ecs), stacks=lambda: stacks)

    @property
    def now(self) -> float:
        """Seconds since 1970, as precise as a record keeps them."""
        return round(self.epoch + self.sim.now + self.skew, 3)

    def run(self, until: float) -> None:
        """Let time pass to `until`."""
        for event in self.sim.stream(until):
            self._hear(event)
            if self.second:
                self.second._hear(event)

    def _hear(self, event: dict[str, Any]) -> None:
        if self.loses(event):
            return
        if self.deaf and self.deaf[0] <= self.sim.now < self.deaf[1]:
            self.sim.at(self.deaf[2], lambda: self._detect(event))
        else:
            self._detect(event)

    # -- detect -------------------------------------------------------------------------------------

    def _detect(self, event: dict[str, Any]) -> None:
        if not _comes_through(event["detail"]):
            return
        seen = observation(parse(event))
        if seen is None:
            return
        try:
            detect([seen], store=self.table, policy=self.policy, now=self.now)
        except UnreadableError:
            self.dropped += 1

    # -- respond ------------------------------------------------------------------------------------

    def _saved(self, before: Record, after: Record) -> None:
        for notice in owed(before, after):
            down = True if notice.kind in _DOWN else False if notice.kind in _UP else None
            self.told.append(Told(self.sim.now, after.service.name, notice.kind.value, notice.reason, down))
            self.reads(compose(before, after, notice))
        if after.asked_at is not None:
            self._invoke(Invocation(after.service, due=self.sim.now))

    def attend(self, name: str) -> None:
        """A second invocation for a service, now, in the middle of whatever is under way."""
        for record in list(self.table.records()):
            if record.service.name == name:
                self._respond(Invocation(record.service, due=self.sim.now))

    def _invoke(self, invocation: Invocation) -> None:
        self.sim.at(invocation.due, lambda: self._respond(invocation))

    def _respond(self, invocation: Invocation) -> None:
        try:
            with self.faults.watching():
                respond(invocation.service, self._tools())
        except (Died, ClientError, BotoCoreError, ConflictError, UnreadableError):
            if invocation.tries == _MOST_TRIES:
                self.dropped += 1
                return
            wait = _AGAIN * 2**invocation.tries
            self._invoke(Invocation(invocation.service, self.sim.now + wait, invocation.tries + 1))

    def _tools(self) -> Tools:
        return Tools(
            store=self.faults.guarded(self.table, "table."),
            ecs=self._live_ecs,
            mode=self.mode,
            scope=self.scope,
            policy=self.policy,
            clock=lambda: self.now,
        )

    def _sweep(self) -> None:
        sweep(self.table, clock=lambda: self.now, seconds=45, limit=200)


def _comes_through(detail: dict[str, Any]) -> bool:
    """What the installed rules let through of tasks: STOPPED, and DEACTIVATING where ECS stops one for its health."""
    status = detail.get("lastStatus")
    if status == "DEACTIVATING":
        return bool(detail["stoppedReason"].startswith("Task failed "))
    return status in (None, "STOPPED")


def without_rights(living: Living) -> None:
    """The installation is deployed again with mode `alert`: it may not act, and its rights are gone."""
    living.mode = Mode.ALERT
    living.faults.permissions = frozenset()
