"""What is remembered of one service: one folded record, changed only by pure functions.

Verdict is about the service (does it loop?), breaker about us (did we stop it?).
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from loopbreaker.history import NO_FAILURES, History
from loopbreaker.model import FAILED_HEALTH_CHECKS, Category, ServiceRef


@dataclass(frozen=True, slots=True)
class Rung:
    """One failure in a ladder, and the longest chain of failures that ends with it.

    generation: length of that chain; 0 for a bystander, a task that lived too long to be part of a loop.
    since: failure time of the chain's first task.
    shortest, longest: lifetimes in the chain.
    deployment_id: of the task, `ecs-svc/…`; empty where ECS did not say.
    """

    COMPACT: ClassVar[bool] = True

    created_at: float
    failed_at: float
    lifetime: float
    category: Category
    generation: int
    since: float
    shortest: float
    longest: float
    deployment_id: str = ""

    @property
    def freed_at(self) -> float:
        """From when on a replacement of this task may have been created.

        ECS starts the replacement of an unhealthy task first and stops the unhealthy one later (developer guide,
        "Amazon ECS services"): the replacement is older than the failure. The unhealthy task was found so about in the
        middle of its life, for its replacement needed as long as it did itself to be judged, and only then was one of
        them stopped. Which one is left to chance, so it may also have lived for a third round.
        """
        if self.category in FAILED_HEALTH_CHECKS:
            return self.created_at + (self.failed_at - self.created_at) / 3
        return self.failed_at

    def may_precede(self, later: "Rung", gap: float) -> bool:
        """Whether the later task may have been started in place of this one."""
        if not self.created_at < later.created_at <= self.failed_at + gap:
            return False
        other = bool(self.deployment_id and later.deployment_id) and self.deployment_id != later.deployment_id
        # A deployment starts tasks that replace no failed one; of a start that fails once in each, none is a loop.
        if other and self.generation < 2:
            return False
        freed_at = self.freed_at
        # Of two unhealthy tasks either may be stopped first; but those that one bad moment of their health checks
        # stops side by side do not follow each other.
        apart = abs(later.failed_at - self.failed_at)
        return freed_at <= later.created_at and apart >= (self.failed_at - freed_at) / 3

    def after(self, below: "Rung") -> "Rung":
        """This rung on top of the chain that ends with `below`."""
        return Rung(
            created_at=self.created_at,
            failed_at=self.failed_at,
            lifetime=self.lifetime,
            category=self.category,
            generation=below.generation + 1,
            since=min(below.since, self.failed_at),
            shortest=min(below.shortest, self.lifetime),
            longest=max(below.longest, self.lifetime),
            deployment_id=self.deployment_id,
        )


Ladder = tuple[Rung, ...]


class Verdict(StrEnum):
    """Whether the service is in a restart loop."""

    HEALTHY = "healthy"
    LOOPING = "looping"


class Signal(StrEnum):
    """What showed the loop. Only `fast` may lead to action."""

    FAST = "fast"
    SLOW = "slow"
    IMPAIRED = "impaired"
    PLACEMENT = "placement"
    STORM = "storm"


class BreakerState(StrEnum):
    """Whether Loopbreaker stopped the service: OPEN while it holds it at 0."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class NoticeKind(StrEnum):
    """A change of state that people are told of."""

    LOOPING = "looping"
    MASS = "mass"
    STOPPED = "stopped"
    ROLLED_BACK = "rolled-back"
    NOT_STOPPED = "not-stopped"
    PROBING = "probing"
    BACK = "back"
    ROLLBACK_FAILED = "rollback-failed"
    BAD_TAG = "bad-tag"
    STILL_LOOPING = "still-looping"
    DOWN = "down"
    MASS_OVER = "mass-over"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Notice:
    """One message that is owed. `number` grows by one with each, so that comparing two versions of a record
    tells which are new. `version` is that of the record which brings it."""

    number: int
    kind: NoticeKind
    at: float
    reason: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """One message of an incident, kept with it for those who look back."""

    COMPACT: ClassVar[bool] = True

    at: float
    kind: NoticeKind
    reason: str


@dataclass(frozen=True, slots=True)
class Suspicion:
    """The ladder is high enough for a loop, but ECS has not been asked yet how large the service is."""

    signal: Signal
    at: float
    depth: int
    since: float


@dataclass(frozen=True, slots=True)
class Finding:
    """The service was once found fit for action; a second finding, on a later failure, lets it happen.

    failed_at: the newest failure of the deployment at that time.
    """

    at: float
    deployment_id: str
    failed_at: float


@dataclass(frozen=True, slots=True)
class Lived:
    """A task that failed after `lifetime` seconds, and not by its health checks: it may have served until then."""

    COMPACT: ClassVar[bool] = True

    failed_at: float
    lifetime: float
    deployment_id: str


@dataclass(frozen=True, slots=True)
class Incident:
    """One restart loop, from its first failure until it is over.

    opened_at: when it was found; one that comes again within a day keeps the time of the first.
    openings, times: when it was found the last few times, the newest last; how often in all.
    depth: most generations in a row.
    failed_tasks: distinct tasks that failed since `first_failure_at`; see `history` for what "distinct" takes.
    longest_lifetime, longest_gap: of the failed tasks, and between two failures, in seconds.
    container, exit_code, evidence, task_definition, deployment_id: of the newest failure.
    finding, told: the first of two findings; what people were told of it already.
    watching: whether a further generation may change what is done about it.
    silent: its owner asked for silence; nothing is told until that ends.
    history: its failures.
    channel: where its owner wants to read of it as well; empty where nothing is wanted.
    reminded: how many reminders were told. acknowledged: somebody asked for no more of them.
    messages: what people were told of it, the first few and the last few.
    looked_at: the newest look at which ECS answered.
    watched_since: from then on there was no long pause between two such looks.
    unserved_since: the newest of them at which somebody was served; when the loop began, where nobody ever was.
    rolled_back_at: when a deployment of it was rolled back; 0 where none was.
    served_by: deployments of which tasks were seen to serve, the newest few.
    refused_until: AWS refused to act; until then it is not tried again.
    ecs_failures, ecs_grew_at: what ECS's own circuit breaker counted at last, and when that was first seen.
    """

    signal: Signal
    opened_at: float
    first_failure_at: float
    last_failure_at: float
    depth: int
    category: Category
    failed_tasks: int = 0
    longest_lifetime: float = 0.0
    longest_gap: float = 0.0
    container: str = ""
    exit_code: int | None = None
    evidence: str = ""
    task_definition: str = ""
    deployment_id: str = ""
    desired_count: int | None = None
    finding: Finding | None = None
    told: tuple[str, ...] = ()
    watching: bool = True
    silent: bool = False
    history: History = NO_FAILURES
    openings: tuple[float, ...] = ()
    times: int = 1
    channel: str = ""
    reminded: int = 0
    acknowledged: bool = False
    messages: tuple[Told, ...] = ()
    looked_at: float = 0.0
    watched_since: float = 0.0
    unserved_since: float = 0.0
    served_by: tuple[str, ...] = ()
    rolled_back_at: float = 0.0
    refused_until: float = 0.0
    ecs_failures: int = -1
    ecs_grew_at: float = 0.0

    @property
    def found_at(self) -> float:
        """When it was found the last time."""
        return self.openings[-1] if self.openings else self.opened_at

    @property
    def id(self) -> str:
        """Stable name of the incident within its service, for threads and links."""
        return f"{self.opened_at:.0f}"


@dataclass(frozen=True, slots=True)
class Storm:
    """In which spans of five minutes of the last day tasks failed: one bit each, the lowest is the span `first`.

    tasks: the desired count when ECS was last asked whether it is a storm.
    """

    first: int = 0
    failing: int = 0
    tasks: int = 1


NO_STORM = Storm()


@dataclass(frozen=True, slots=True)
class Past:
    """What is remembered of the last incident for a day: another loop within it is the same one again."""

    opened_at: float
    openings: tuple[float, ...]
    times: int
    last_failure_at: float
    longest_gap: float
    deployment_id: str
    closed_at: float


class Step(StrEnum):
    """Where the treatment of a service stands. A step that names a call is saved before the call is made.

    What each step means stands in one table, `treating.steps.CALLS`.
    """

    TAG = "tag"
    SUSPEND_SCALING = "suspend-scaling"
    READY = "ready"
    SET_ZERO = "set-zero"
    HELD = "held"
    SET_ONE = "set-one"
    PROBING = "probing"
    SET_ALL = "set-all"
    PROBING_ALL = "probing-all"
    STOP_AGAIN = "stop-again"
    RESTORE_COUNT = "restore-count"
    RESTORE_SCALING = "restore-scaling"
    UNTAG = "untag"
    STOP_DEPLOYMENT = "stop-deployment"
    ROLLING_BACK = "rolling-back"


_OPEN = frozenset({Step.HELD, Step.RESTORE_COUNT})
_HALF_OPEN = frozenset({Step.SET_ONE, Step.PROBING, Step.SET_ALL, Step.PROBING_ALL, Step.STOP_AGAIN})


@dataclass(frozen=True, slots=True)
class Scaling:
    """An Application Auto Scaling target: its least count and its three suspended flags."""

    minimum: int
    dynamic_in_suspended: bool
    dynamic_out_suspended: bool
    scheduled_suspended: bool

    @property
    def suspended(self) -> bool:
        return self.dynamic_in_suspended and self.dynamic_out_suspended and self.scheduled_suspended


@dataclass(frozen=True, slots=True)
class Trip:
    """What a service was before we touched it, and how far we are.

    step, since: where the treatment stands, and from when on.
    lease_until: until then the invocation that took the step works on it, and nobody else does.
    desired_count, scaling: what comes back in the end, exactly.
    deployment_id, task_definition: what looped; another one is a fix, or somebody's change.
    looping_since: when the loop began; how long the service is held goes by how long that is ago.
    service_deployment: ARN of the service deployment that is rolled back; else empty.
    zeroed: whether we set the count to 0, or may have.
    tries: probes that failed.
    why: what people are told when the way back is done; undo: whether it undoes a stop that did not come about.
    odd_at: the first look at which the count was not ours; a second one has to agree.
    blind_since: ECS has not answered since then; 0 where it does.
    down, down_at: why people were told that the service is down and cannot be brought back, and when.
    """

    step: Step
    since: float
    lease_until: float
    desired_count: int
    deployment_id: str
    task_definition: str
    scaling: Scaling | None
    looping_since: float = 0.0
    service_deployment: str = ""
    zeroed: bool = False
    tries: int = 0
    why: str = ""
    undo: bool = False
    odd_at: float = 0.0
    blind_since: float = 0.0
    down: str = ""
    down_at: float = 0.0

    @property
    def state(self) -> BreakerState:
        """OPEN while we hold the service at 0, HALF_OPEN while we let it try."""
        if self.step is Step.RESTORE_COUNT and not self.zeroed:
            return BreakerState.CLOSED
        if self.step in _OPEN:
            return BreakerState.OPEN
        return BreakerState.HALF_OPEN if self.step in _HALF_OPEN else BreakerState.CLOSED


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is remembered of one service.

    version: 0 while it was never saved; the store counts it up.
    impaired, unplaced: times at which ECS said that it cannot start, or cannot place, tasks.
    extra_generations: how many more generations a service of this size needs, once ECS was asked.
    asked_at: set while `respond` is to look at the service; due_at: when the sweep is to ask it.
    past: the last incident, for as long as a loop counts as that one come again.
    storm: how often tasks failed within the last day, chain or no chain.
    history_until: what failed before is history: an incident ended, or the service came back.
    trips: when the service was set to 0 within the last day.
    resume_asked: somebody asked for the service to be brought back.
    history: the failures of the chain that may become an incident, which then has them.
    lived: of the tasks that failed within a day, those that no later one outlived.
    """

    service: ServiceRef
    version: int = 0
    fast: Ladder = ()
    slow: Ladder = ()
    impaired: tuple[float, ...] = ()
    unplaced: tuple[float, ...] = ()
    verdict: Verdict = Verdict.HEALTHY
    suspicion: Suspicion | None = None
    extra_generations: int = 0
    incident: Incident | None = None
    past: Past | None = None
    storm: Storm = NO_STORM
    trip: Trip | None = None
    notices: tuple[Notice, ...] = ()
    asked_at: float | None = None
    due_at: float | None = None
    history_until: float = 0.0
    trips: tuple[float, ...] = ()
    resume_asked: bool = False
    touched_at: float = 0.0
    history: History = NO_FAILURES
    lived: tuple[Lived, ...] = ()

    @property
    def breaker(self) -> BreakerState:
        """What we do to the service; CLOSED while it runs as its owner set it."""
        return self.trip.state if self.trip else BreakerState.CLOSED


# A notice is read by the one stream record that brings it; a few more help the person who looks at the table.
_KEPT_NOTICES = 4
# Messages of an incident that are kept at either end, and characters of each one's reason.
_KEPT_MESSAGES, _KEPT_REASON = 6, 120


def tell(record: Record, kind: NoticeKind, *, at: float, reason: str) -> Record:
    """The record with one more message owed, unless the owner of the service asked for silence."""
    if record.incident and record.incident.silent:
        return record
    number = record.notices[-1].number + 1 if record.notices else 1
    notice = Notice(number=number, kind=kind, at=at, reason=reason, version=record.version + 1)
    notices = (*record.notices, notice)
    told = replace(record, notices=notices[-_KEPT_NOTICES:])
    return replace(told, incident=_remember(record.incident, Told(at, kind, reason))) if record.incident else told


def untell(record: Record, notices: tuple[Notice, ...]) -> Record:
    """The record without messages that were not sent yet: others stand for them."""
    left = replace(record, notices=tuple(notice for notice in record.notices if notice not in notices))
    if record.incident is None:
        return left
    gone = {(notice.at, notice.kind) for notice in notices}
    messages = tuple(message for message in record.incident.messages if (message.at, message.kind) not in gone)
    return replace(left, incident=replace(record.incident, messages=messages))


def _remember(incident: Incident, message: Told) -> Incident:
    short = replace(message, reason=message.reason[:_KEPT_REASON])
    messages = (*incident.messages, short)
    first, last = messages[:_KEPT_MESSAGES], messages[_KEPT_MESSAGES:][-_KEPT_MESSAGES:]
    return replace(incident, messages=first + last)


def tell_once(record: Record, kind: NoticeKind, *, code: str, at: float, reason: str) -> Record:
    """The same, once in an incident for each code."""
    incident = record.incident
    if incident is None or incident.silent or code in incident.told:
        return record
    return tell(replace(record, incident=replace(incident, told=(*incident.told, code))), kind, at=at, reason=reason)


def owed(before: Record | None, after: Record) -> tuple[Notice, ...]:
    """The messages that the step from one version of the record to the next owes."""
    told = before.notices[-1].number if before and before.notices else 0
    return tuple(notice for notice in after.notices if notice.number > told)


def keep_until(record: Record) -> float:
    """When the record has nothing left to say: a day after it last changed, or never soon while a loop lasts."""
    return record.touched_at + (86_400 if record.verdict is Verdict.HEALTHY else 400 * 86_400)
