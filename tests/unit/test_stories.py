"""The small stories: who is asked for, what a message takes along, how a wish is saved; on a store that may fail."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import Step
from loopbreaker.stories.acknowledge import acknowledge
from loopbreaker.stories.detect import Observation, observation
from loopbreaker.stories.notify import Library, notify
from loopbreaker.stories.ports import ConflictError, UnreadableError
from loopbreaker.stories.resume import resume
from loopbreaker.stories.sweep import Swept, sweep
from loopbreaker.stories.tags import Read, read_all, read_tags
from loopbreaker.stories.together import begin_together, end_together, go_on_together
from loopbreaker.telling.diagnosis import Diagnosis
from loopbreaker.telling.messages import Message
from loopbreaker.treating.remind import IN_SUMMARY, in_summary
from loopctl.memory import MemoryStore
from tests.builders import POLICY, SERVICE, T0, incident, looping, trip
from tests.task_events import CREATED, task_stopped
from tests.unit.reading import task

SERVICES = [replace(SERVICE, name=f"s{n}") for n in range(6)]


# -- sweep --------------------------------------------------------------------------------------------------


class ThrottledError(Exception):
    """A fault of the table that passes."""


@dataclass
class Calendar(MemoryStore):
    """All of the services are due, in their order; some records cannot be read, some reads fail."""

    faults: dict[ServiceRef, Exception] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        for service in SERVICES:
            self._records[service] = Record(service=service, due_at=T0, version=1)

    def due(self, *, now: float, limit: int) -> list[ServiceRef]:
        assert now == T0
        return SERVICES[:limit]

    def load(self, service: ServiceRef) -> Record:
        if service in self.faults:
            raise self.faults[service]
        return super().load(service)


def swept(store: Calendar, *, each: float = 0.0, limit: int = 100) -> Swept:
    """One run of 45 seconds, in which each service takes so long."""
    times = iter(T0 + n * each for n in range(20))
    return sweep(store, clock=lambda: next(times), seconds=45, limit=limit, passing=(ThrottledError,))


def test_what_is_wrong_with_one_service_keeps_no_other_waiting() -> None:
    """It is said which could not be read and what failed, and every other is asked for."""
    throttled = ThrottledError()
    store = Calendar(faults={SERVICES[0]: UnreadableError("s0: it is broken"), SERVICES[1]: throttled})
    assert swept(store) == Swept(asked=4, unreadable=("s0: it is broken",), faults=(throttled,))
    assert [store.load(service).asked_at for service in SERVICES[2:]] == [T0] * 4


def test_a_fault_that_does_not_pass_ends_the_run() -> None:
    """Nobody takes a bug for a throttled table."""
    with pytest.raises(ZeroDivisionError):
        swept(Calendar(faults={SERVICES[0]: ZeroDivisionError()}))


@pytest.mark.parametrize(("each", "asked"), [(0.0, 6), (9.0, 6), (15.0, 4), (22.5, 3), (46.0, 1)])
def test_a_run_takes_as_long_as_it_may(each: float, asked: int) -> None:
    """What is left is asked for a minute later; whoever is begun within the time is done."""
    assert swept(Calendar(), each=each).asked == asked


def test_who_was_looked_at_meanwhile_is_not_asked_again() -> None:
    """The index may be a moment behind the record."""
    store = Calendar()
    for service, due_at in zip(SERVICES, (None, T0 + 1, T0, T0 - 60), strict=False):
        store.save(replace(store.load(service), due_at=due_at))
    assert swept(store, limit=4).asked == 2


# -- notify -------------------------------------------------------------------------------------------------


@dataclass
class Shelf:
    """Says something of each incident, and notes what it was asked."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    def find(self, service: ServiceRef, of: Incident) -> Diagnosis:
        self.asked.append(("find", of.id))
        return Diagnosis(left_out=(f"the logs of {service.name}",))

    def earlier(self, service: ServiceRef, of: Incident) -> tuple[Incident, ...]:
        self.asked.append(("earlier", of.id))
        return ()

    def at_once(self, *, at: float, window: float, most: int) -> list[Record]:
        self.asked.append(("at once", f"{at - T0:.0f} {window:.0f} {most}"))
        return [looping(), Record(service=SERVICES[1])]


@dataclass
class Outlet:
    """Keeps what is published."""

    took: list[Message] = field(default_factory=list)

    def publish(self, message: Message) -> None:
        self.took.append(message)


def told(before: Record | None, after: Record, shelf: Shelf | None = None) -> list[str]:
    outlet = Outlet()
    notify(before, after, outlet=outlet, library=Library(shelf=shelf, runbook="https://runbook.example", window=600))
    return [message.text for message in outlet.took]


def test_a_message_takes_along_what_was_found_out() -> None:
    """Of the incident, also of one that has just ended; and where the runbook is."""
    lasting, shelf = tell(looping(), NoticeKind.LOOPING, at=T0, reason="x"), Shelf()
    (text,) = told(None, lasting, shelf)
    assert "The logs of web." in text
    assert "https://runbook.example" in text
    over = tell(replace(lasting, incident=None), NoticeKind.RECOVERED, at=T0 + 9, reason="y")
    assert len(told(lasting, over, shelf)) == 1
    assert shelf.asked == [("find", incident().id)] * 2
    assert "https://runbook.example" in told(None, lasting)[0]


def test_a_loop_that_came_again_takes_along_how_it_was_before() -> None:
    """One that did not asks for nothing."""
    shelf = Shelf()
    told(None, tell(looping(times=2), NoticeKind.LOOPING, at=T0, reason="x"), shelf)
    assert shelf.asked == [("find", incident().id), ("earlier", incident().id)]


def test_a_summary_takes_along_what_the_others_have_in_common() -> None:
    """Of forty at most, within the time that makes many of them; one whose loop is over is counted all the same."""
    shelf = Shelf()
    (text,) = told(None, tell(looping(), NoticeKind.MASS, at=T0, reason="x", services=6), shelf)
    assert shelf.asked == [("at once", "90 600 40"), ("find", incident().id)]
    assert "https://runbook.example" in text


def test_a_message_about_no_loop_asks_for_nothing() -> None:
    """A tag that was mistyped, of a service that never looped; said to people who keep no shelf, too."""
    calm, shelf = tell(Record(service=SERVICE), NoticeKind.BAD_TAG, at=T0, reason="tag x"), Shelf()
    for before in (None, Record(service=SERVICE)):
        assert len(told(before, calm, shelf)) == 1
    outlet = Outlet()
    assert [notice.reason for notice in notify(None, calm, outlet=outlet)] == ["tag x"]
    assert (shelf.asked, len(outlet.took)) == ([], 1)


# -- resume -------------------------------------------------------------------------------------------------


def losing(store: MemoryStore, times: int) -> MemoryStore:
    """The store, which loses so many saves first."""
    save: Callable[[Record], bool] = store.save
    left = iter(range(times))

    def busy(record: Record) -> bool:
        return next(left, None) is None and save(record)

    store.save = busy  # type: ignore[method-assign]
    return store


def keeping(record: Record) -> MemoryStore:
    store = MemoryStore()
    store.save(replace(record, version=0))
    return store


@pytest.mark.parametrize(("step", "held"), [(Step.HELD, True), (Step.PROBING, True), (Step.UNTAG, False)])
def test_who_asks_for_a_service_that_is_held_is_heard(step: Step, held: bool) -> None:
    """The wish is saved, and a look asked for at once; where nothing is held nothing is saved."""
    store = keeping(looping(trip=trip(step=step)))
    after = resume(SERVICE, store=store, now=T0 + 500)
    assert (after is not None) is held
    saved = store.load(SERVICE)
    assert (saved.resume_asked, saved.asked_at, saved.due_at) == (
        (True, T0 + 500, T0 + 500) if held else (False, None, None)
    )
    assert saved.version == (2 if held else 1)


@pytest.mark.parametrize(("lost", "heard"), [(7, True), (8, False)])
def test_a_wish_is_saved_over_what_others_saved(lost: int, heard: bool) -> None:
    """Seven lost races are nothing; after the eighth whoever asked is told."""
    store = losing(keeping(looping(trip=trip())), lost)
    if heard:
        assert resume(SERVICE, store=store, now=T0) is not None
    else:
        with pytest.raises(ConflictError, match="prod#web: lost 8 races"):
            resume(SERVICE, store=store, now=T0)


# -- acknowledge --------------------------------------------------------------------------------------------


def test_who_knows_of_a_loop_says_so_once() -> None:
    """Said again nothing is written; the record that comes back is the one that was saved."""
    store = keeping(looping())
    first = acknowledge(SERVICE, store=store)
    assert first is not None
    assert first.incident is not None
    assert (first.incident.acknowledged, store.load(SERVICE).version) == (True, 2)
    again = acknowledge(SERVICE, store=store)
    assert (again, store.load(SERVICE).version) == (store.load(SERVICE), 2)
    assert acknowledge(SERVICE, store=keeping(Record(service=SERVICE))) is None


# -- detect -------------------------------------------------------------------------------------------------

NO_PLACE: dict[str, Any] = {"stop_code": "TaskFailedToStart", "reason": "RESOURCE:MEMORY", "started": None}


def test_a_task_that_found_no_place_is_said_of_its_service() -> None:
    """With when it stopped, or when that was told; of a task that no service started nothing is said."""
    stopped = observation(task(task_stopped(**NO_PLACE, sent=CREATED + 99)))
    told = observation(task(task_stopped(**NO_PLACE, stopped=None, sent=CREATED + 99)))
    assert stopped == Observation(service=SERVICE, unplaced_at=CREATED + 65)
    assert told == Observation(service=SERVICE, unplaced_at=CREATED + 99)
    assert observation(task(task_stopped(**NO_PLACE, service=None))) is None
    assert observation(task(task_stopped(service=None))) is None


# -- tags ---------------------------------------------------------------------------------------------------


def test_tags_of_a_loop_that_is_silent_are_not_told() -> None:
    """Its tasks end by design, say, which the tags alone do not show."""
    wrong = {"loopbreaker:action": "Stop!"}
    for silent in (True, False):
        store = keeping(looping(silent=silent))
        change = read_tags(SERVICE, wrong, store=store, now=T0)
        assert (change is None) is silent


def test_who_has_no_wrong_tag_costs_no_look_into_the_table() -> None:
    """Ten thousand services are looked at each day; one that cannot be read keeps no other waiting."""
    store = Calendar(faults={SERVICES[0]: ZeroDivisionError(), SERVICES[1]: UnreadableError("s1: it is broken")})
    tags = [{"loopbreaker:action": "stop"}, {"loopbreaker:x": "1"}, {"loopbreaker:y": "1"}, {}]
    read = read_all(zip(SERVICES, tags, strict=False), store=store, now=T0)
    assert read == Read(services=4, told=1, unreadable=("s1: it is broken",))


# -- many at once -------------------------------------------------------------------------------------------


class Storm(MemoryStore):
    """So many services began to loop, of which at most 200 are read; and so many of them still do."""

    def __init__(self, began: int = 0, left: int = 0) -> None:
        super().__init__()
        self.counted: list[tuple[float, float]] = []
        self.number = began
        for n in range(left):
            self.enter_summary(replace(SERVICE, name=f"left{n:03}"), at=T0 + n)

    def gather(self, service: ServiceRef, *, at: float, window: float) -> tuple[ServiceRef, ...]:
        return (service, *(replace(SERVICE, name=f"s{n}") for n in range(min(self.number, 200) - 1)))

    def number_began(self, *, at: float, window: float) -> int:
        self.counted.append((at - T0, window))
        return self.number


LUCKY, OTHER = replace(SERVICE, name="web-19"), SERVICE


@pytest.mark.parametrize(
    ("service", "began", "number", "counted"),
    [(LUCKY, 99, 99, 0), (LUCKY, 100, 100, 1), (LUCKY, 1000, 1000, 1), (OTHER, 1000, 200, 0)],
)
def test_one_of_sixteen_counts_them_all(service: ServiceRef, began: int, number: int, counted: int) -> None:
    """Where so many began that not all are read: enough to say truly how many, and few enough to be cheap."""
    store = Storm(began)
    record = replace(looping(), service=service)
    _, found = begin_together(record, store=store, policy=POLICY, now=T0 + 100)
    assert (found, store.counted) == (number, [(90.0, POLICY.mass_window)] * counted)


def in_it(**fields: Any) -> Record:
    """A loop that a summary stands for; its own name is among those that are left."""
    return replace(looping(told=(IN_SUMMARY,), **fields), service=replace(SERVICE, name="left000"))


@pytest.mark.parametrize(
    ("left", "age", "told"),
    [
        (5, 3599, []),
        (5, 3600, ["mass-over", "still-looping"]),
        (6, 3600, []),
        (1, 3600, ["mass-over", "still-looping"]),
    ],
)
def test_when_few_are_left_each_is_told_of_by_itself(left: int, age: float, told: list[str]) -> None:
    """An hour after it began, of as many as make no trouble; who is told of by itself leaves the summary."""
    store, now = Storm(left=left), T0 + 90 + age
    store.announce(SERVICE, 6, at=T0, window=600)
    after = go_on_together(in_it(), in_it(), store=store, policy=POLICY, now=now)
    assert [notice.kind.value for notice in after.notices] == told
    assert len(store.in_summary(most=99)) == (left - 1 if told else left)
    assert in_summary(after.incident) is not bool(told)


@pytest.mark.parametrize(("left", "words"), [(7, "7 of"), (199, "199 of"), (300, "200 or more of")])
def test_a_reminder_says_how_many_are_left(left: int, words: str) -> None:
    """As many as are read at most."""
    store = Storm(left=left)
    speaks = store.in_summary(most=1)[0]
    before, after = replace(in_it(), service=speaks), replace(in_it(reminded=1), service=speaks)
    told = go_on_together(before, after, store=store, policy=POLICY, now=T0 + 90 + 7200)
    assert told.notices[-1].reason.startswith(f"{words} the services that began to loop together still do")
    other = replace(after, service=replace(SERVICE, name="x"))
    assert go_on_together(before, other, store=store, policy=POLICY, now=T0 + 90 + 7200) is other
    assert go_on_together(after, after, store=store, policy=POLICY, now=T0 + 90 + 7200) is after


def test_that_it_is_over_is_told_by_one() -> None:
    """Not by who ends while others go on, nor a second time."""
    store = Storm(left=2)
    store.announce(SERVICE, 6, at=T0, window=600)
    first, last = (replace(SERVICE, name=f"left{n:03}") for n in range(2))
    over = [end_together(Record(service=service), store=store, now=T0 + 99) for service in (first, last, OTHER)]
    assert [[notice.kind.value for notice in record.notices] for record in over] == [[], ["mass-over"], []]
