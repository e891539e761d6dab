"""What would Loopbreaker have said: the core of the functions on a virtual clock, without AWS. Pure but for its memory.

`detect`, `respond` and the sweep become one loop. Time is what the events say it is, and never goes back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush

from loopbreaker.judging.incident import because
from loopbreaker.model import ServiceRef
from loopbreaker.picture.loops import Loop
from loopbreaker.picture.timeline import Timeline
from loopbreaker.picture.timelines import timeline, with_tasks
from loopbreaker.policy import Mode, Policy
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.notice import Notice, NoticeKind
from loopbreaker.remembering.owed import owed
from loopbreaker.remembering.record import Record
from loopbreaker.seeing.events import parse
from loopbreaker.stories.detect import detect, observation
from loopbreaker.stories.ports import Ecs
from loopbreaker.stories.rehearsal import OnlyReads
from loopbreaker.stories.respond import Tools, respond
from loopbreaker.treating.facts import Unknown
from loopbreaker.treating.look import ask
from loopbreaker.treating.scope import Scope
from loopctl.explain import sent_at
from loopctl.memory import MemoryStore
from loopctl.seen import SeenFailures

# EventBridge tries to deliver for 24 hours (EventBridge user guide, "Event retry policy"): what is older than that is
# a repetition, or from a file given out of order. Records live as long.
_LATEST = 86_400.0
_HOUR = 3600.0
_SILENT = OnlyReads(lambda _: Unknown("a recording"), "a recording")
"""The ECS of a recording: it cannot be asked, and in mode `alert` nobody acts on it."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A change of state of a service, and about which incident.

    People are told of each in a message of its own, but of many services that begin to loop together in one for all:
    that is a change too (`mass`), beside theirs.
    """

    service: ServiceRef
    notice: Notice
    incident: Incident


class Replay:
    """One run over a recording. `events` counts what was fed in, `late` what was left out for being a day late."""

    def __init__(self, policy: Policy, *, ecs: Ecs | None = None) -> None:
        # Where nobody answers for ECS there is nothing to wait for.
        self._policy = replace(policy, confirm_blind_after=0.0)
        self._store = MemoryStore()
        self._seen = SeenFailures()
        self._drawn: dict[tuple[ServiceRef, str], Timeline] = {}
        self._tools = Tools(
            store=self._store,
            ecs=ecs or _SILENT,
            mode=Mode.ALERT,
            scope=Scope(),
            policy=self._policy,
            clock=lambda: self._now,
        )
        self._due: list[tuple[float, ServiceRef]] = []
        self._queued: dict[ServiceRef, float] = {}
        self._forgot_at = 0.0
        self._now = 0.0
        self.events = 0
        self.late = 0
        self.began_at: float | None = None

    @property
    def now(self) -> float:
        """The virtual time: that of the newest event so far."""
        return self._now

    def feed(self, envelope: object) -> Iterator[Announcement]:
        """Take the next event. Raises MalformedEventError."""
        event = parse(envelope)
        sent = sent_at(envelope, event)
        self.events += 1
        if sent is not None:
            self.began_at = self.began_at or sent
            yield from self._pass_time(sent)
            if sent < self._now - _LATEST:
                self.late += 1
                return
        seen = observation(event)
        if seen is None:
            return
        if seen.failure:
            self._seen.add(seen.failure)
        change = detect([seen], store=self._store, policy=self._policy, now=self._now)
        if change is None:
            return
        record = self._store.load(change.after.service)
        for notice in owed(change.before, change.after):
            assert record.incident is not None, "what the fold tells is about an incident"
            yield Announcement(service=record.service, notice=notice, incident=record.incident)
        if record.asked_at is None:
            self._queue(record)
        else:
            yield from self._consider(record)

    def finish(self, until: float = 0.0) -> Iterator[Announcement]:
        """What was due by the time of the last event, or `until`. What would have come later is not made up."""
        yield from self._pass_time(max(self._now, until))

    def looping(self) -> list[tuple[ServiceRef, Incident]]:
        """The services that loop by now."""
        return [(record.service, record.incident) for record in self._store.records() if record.incident]

    def pictures(self) -> list[tuple[Loop, Timeline]]:
        """Every loop and its picture, in the order in which they began; of very many the newest."""
        going = [
            Loop(record.service, record.incident, record=record) for record in self._store.records() if record.incident
        ]
        found = {(loop.service, loop.incident.id): (loop, self._draw(loop)) for loop in going}
        for known, (incident, closed_at, reason) in self._store.closed.items():
            loop = Loop(known[0], incident, closed_at=closed_at, closed_because=reason)
            found.setdefault(known, (loop, self._drawn.get(known) or self._draw(loop)))
        return sorted(found.values(), key=lambda one: one[0].incident.opened_at)

    def _draw(self, loop: Loop) -> Timeline:
        drawn = timeline(loop, now=self._now)
        return with_tasks(drawn, *self._seen.of(loop.service, since=loop.incident.first_failure_at, until=drawn.until))

    def _pass_time(self, until: float) -> Iterator[Announcement]:
        """Let each record act whose time comes before `until`."""
        while self._due and self._due[0][0] <= until:
            due_at, service = heappop(self._due)
            if self._queued.get(service) != due_at:
                continue
            del self._queued[service]
            record = self._store.load(service)
            if record.due_at is not None and record.due_at <= due_at:
                self._now = max(self._now, due_at)
                self._store.save(ask(record, now=self._now))
                yield from self._consider(self._store.load(service))
            else:
                self._queue(record)
        self._now = max(self._now, until)
        if self._now >= self._forgot_at + _HOUR:
            self._store.forget(now=self._now)
            self._forgot_at = self._now

    def _consider(self, before: Record) -> Iterator[Announcement]:
        outcome = respond(before.service, self._tools)
        assert outcome is not None, "nobody else attends to this store"
        after = outcome.change.after
        self._queue(after)
        if outcome.ended:
            self._keep_picture(after.service, outcome.ended)
        about = after.incident or outcome.ended
        for notice in _changes(before, after):
            assert about is not None, "every notice is about an incident"
            yield Announcement(service=after.service, notice=notice, incident=about)

    def _keep_picture(self, service: ServiceRef, ended: Incident) -> None:
        """Draw a loop while its tasks are known; as many pictures as the store has closed incidents."""
        known = service, ended.id
        _, closed_at, reason = self._store.closed[known]
        self._drawn[known] = self._draw(Loop(service, ended, closed_at=closed_at, closed_because=reason))
        self._drawn = {key: drawn for key, drawn in self._drawn.items() if key in self._store.closed}
        self._seen.forget(service)

    def _queue(self, record: Record) -> None:
        """One entry a service in the heap: the earliest time at which it may have to act."""
        if record.due_at is not None and record.due_at < self._queued.get(record.service, float("inf")):
            self._queued[record.service] = record.due_at
            heappush(self._due, (record.due_at, record.service))


def _changes(before: Record, after: Record) -> Iterator[Notice]:
    """What is told, and a loop that began among many, of which people read in the summary alone."""
    told = owed(before, after)
    incident = after.incident
    if incident and not before.incident and not any(notice.kind is NoticeKind.LOOPING for notice in told):
        number = told[0].number if told else 0
        yield Notice(number=number, kind=NoticeKind.LOOPING, at=incident.found_at, reason=because(incident))
    yield from told
