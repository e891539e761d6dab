"""What `respond` does about one service, call by call: on a store in memory and an ECS that says what it is told to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from loopbreaker.drill import CLUSTER
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import Scaling, Step
from loopbreaker.stories.ports import ConflictError, UnreadableError
from loopbreaker.stories.respond import Tools, respond
from loopbreaker.treating.facts import Answer, Facts, Refusal, Unknown
from loopbreaker.treating.scope import Scope
from loopctl.memory import MemoryStore
from tests.builders import (
    DEPLOYMENT,
    POLICY,
    SERVICE,
    T0,
    crash_loop,
    facts,
    looping,
    observed,
    rollout,
    running_task,
    trip,
)
from tests.task_events import arn
from tests.unit.cases import NOW, dead, deploying

FREE = Scaling(minimum=1, dynamic_in_suspended=False, dynamic_out_suspended=False, scheduled_suspended=False)
HELD_TAG = {"loopbreaker:action": "stop", "loopbreaker:held": "count=2"}


@dataclass
class Store(MemoryStore):
    """Loses these of its saves, by their number; what somebody else saved meanwhile is `meanwhile`."""

    lost: Sequence[int] = ()
    tried: int = 0
    meanwhile: Callable[[Record], Record] = replace
    saves: list[Record] = field(default_factory=list)
    announced: list[int] = field(default_factory=list)
    windows: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def save(self, record: Record) -> bool:
        self.tried += 1
        if self.tried in self.lost:
            self.put(self.meanwhile(self.load(record.service)))
            return False
        self.saves.append(record)
        return super().save(record)

    def put(self, record: Record) -> None:
        self._records[record.service] = replace(record, version=record.version + 1)

    def announce(self, service: ServiceRef, number: int, *, at: float, window: float) -> bool:
        self.announced.append(number)
        return super().announce(service, number, at=at, window=window)

    def began(self, *, at: float, window: float) -> tuple[ServiceRef, ...]:
        self.windows.append(window)
        return super().began(at=at, window=window)


@dataclass
class Ecs:
    """Says the next of its facts at each look, the last one for ever; takes every call, or refuses some."""

    says: Sequence[Facts | Unknown]
    refused: tuple[str, ...] = ()
    looks: int = 0
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def read(self, _service: ServiceRef) -> Facts | Unknown:
        self.looks += 1
        return self.says[min(self.looks, len(self.says)) - 1]

    def _answer(self, *call: Any) -> Answer | Refusal:
        self.calls.append(call)
        return Refusal("AccessDenied") if call[0] in self.refused else Answer(DEPLOYMENT)

    def set_desired_count(self, _service: ServiceRef, count: int) -> Answer | Refusal:
        return self._answer("count", count)

    def set_suspended(self, _service: ServiceRef, scaling: Scaling) -> Answer | Refusal:
        return self._answer("scaling", scaling.suspended)

    def tag_held(self, _service: ServiceRef, *, count: int, since: float) -> Answer | Refusal:
        return self._answer("tag", count, since)

    def untag_held(self, _service: ServiceRef) -> Answer | Refusal:
        return self._answer("untag")

    def roll_back(self, service_deployment: str) -> Answer | Refusal:
        return self._answer("roll back", service_deployment)


def tools(store: Store, ecs: Ecs, *, mode: Mode = Mode.STOP, now: float = NOW, **fields: Any) -> Tools:
    return Tools(store=store, ecs=ecs, mode=mode, scope=Scope(), policy=POLICY, clock=lambda: now, **fields)


def keeping(record: Record, **fields: Any) -> Store:
    """A store that has this record, of a service that asked to be looked at."""
    store = Store(**fields)
    store.put(replace(record, asked_at=NOW, version=4))
    return store


def held(store: Store) -> Step | None:
    now = store.load(SERVICE).trip
    return now.step if now else None


# -- who looks ----------------------------------------------------------------------------------------------


def test_who_asks_for_nothing_is_not_looked_at() -> None:
    """A record that was saved for another reason costs no call of ECS."""
    store, ecs = keeping(dead()), Ecs([facts()])
    store.put(replace(store.load(SERVICE), asked_at=None))
    assert respond(SERVICE, tools(store, ecs)) is None
    assert (ecs.looks, store.saves) == (0, [])


@pytest.mark.parametrize(("step", "lease", "looked"), [(Step.SET_ZERO, 1, 0), (Step.SET_ZERO, 0, 1), (Step.HELD, 1, 1)])
def test_nobody_touches_a_step_that_another_works_on(step: Step, lease: float, looked: int) -> None:
    """Until its lease has ended; a step that only waits is nobody's."""
    store = keeping(replace(dead(), trip=trip(step=step, lease_until=NOW + lease, since=NOW, looping_since=NOW)))
    ecs = Ecs([facts(desired_count=0, tags=HELD_TAG)])
    respond(SERVICE, tools(store, ecs))
    assert (min(ecs.looks, 1), ecs.calls) == (looked, [])


def test_who_loses_a_race_reads_the_record_again_and_not_ecs() -> None:
    """And finds out about a loop once."""
    found: list[Any] = []
    store, ecs = keeping(observed(crash_loop(3)), lost=(1, 2)), Ecs([facts()])
    at = T0 + 80
    store.put(replace(store.load(SERVICE), asked_at=at))
    outcome = respond(SERVICE, tools(store, ecs, now=at, diagnose=lambda *what: found.append(what)))
    assert (ecs.looks, len(found), len(store.saves)) == (1, 1, 1)
    assert outcome is not None
    assert (outcome.change.before.incident, outcome.decision, outcome.ended) == (None, None, None)
    assert (found[0][0], found[0][2]) == (SERVICE, facts())


def test_a_loop_that_is_known_is_not_found_out_about_again() -> None:
    """Nor counted among those that begin now."""
    found: list[Any] = []
    store = keeping(dead(finding=None))
    respond(SERVICE, tools(store, Ecs([facts()]), diagnose=lambda *what: found.append(what)))
    assert (found, store.announced, store.load(SERVICE).version) == ([], [], 6)


def test_a_race_that_is_never_won_is_a_conflict() -> None:
    """What led here comes again; nothing was called."""
    store, ecs = keeping(dead(), lost=range(1, 9)), Ecs([facts()])
    with pytest.raises(ConflictError, match="lost 8 races"):
        respond(SERVICE, tools(store, ecs))
    assert ecs.calls == []


def test_a_look_that_finds_no_loop_is_saved_all_the_same() -> None:
    """Of ten tasks three failures in a row are too few: nobody began to loop, and nobody is told."""
    store, at = keeping(observed(crash_loop(3))), T0 + 80
    store.put(replace(store.load(SERVICE), asked_at=at))
    outcome = respond(SERVICE, tools(store, Ecs([facts(desired_count=10)]), now=at))
    assert outcome is not None
    after = outcome.change.after
    assert (after.incident, after.notices, after.asked_at, after.extra_generations) == (None, (), None, 1)
    assert (store.load(SERVICE), store.announced) == (after, [])


@pytest.mark.parametrize(("others", "found_out"), [(39, 1), (40, 0)])
def test_of_a_great_many_forty_are_found_out_about(others: int, found_out: int) -> None:
    """What they share is known by then, and ECS is spared."""
    found: list[Any] = []
    store, at = keeping(observed(crash_loop(3))), T0 + 80
    store.put(replace(store.load(SERVICE), asked_at=at))
    for n in range(others):
        store.gather(replace(SERVICE, name=f"s{n}"), at=at, window=60)
    respond(SERVICE, tools(store, Ecs([facts()]), now=at, diagnose=lambda *what: found.append(what)))
    assert len(found) == found_out


# -- what is kept and told ----------------------------------------------------------------------------------


def test_an_incident_that_is_over_is_kept() -> None:
    """With when and why it ended, for those who look back."""
    store = keeping(looping())
    outcome = respond(SERVICE, tools(store, Ecs([Facts(exists=False)])))
    assert outcome is not None
    [(incident, closed_at, reason)] = store.closed.values()
    assert (incident, closed_at, reason) == (outcome.ended, NOW, "the service was deleted")
    assert incident.opened_at == T0 + 90
    again = keeping(dead(finding=None))
    respond(SERVICE, tools(again, Ecs([facts()])))
    assert again.closed == {}, "one that lasts is none of them"


def test_what_was_decided_is_said_with_the_change() -> None:
    """For the log line and the metrics."""
    outcome = respond(SERVICE, tools(keeping(dead(finding=None)), Ecs([facts()])))
    assert outcome is not None
    assert outcome.decision is not None
    assert (outcome.decision.code, outcome.change.after.version) == ("first-finding", 6)


def test_a_summary_is_announced_only_where_many_began() -> None:
    """Of five nobody speaks; the sixth tells of six."""
    at = T0 + 80
    for others, announced in ((4, []), (5, [6])):
        store = keeping(observed(crash_loop(3)))
        store.put(replace(store.load(SERVICE), asked_at=at))
        for n in range(others):
            store.gather(replace(SERVICE, name=f"s{n}"), at=at, window=60)
        outcome = respond(SERVICE, tools(store, Ecs([facts()]), now=at))
        assert outcome is not None
        told = [notice.kind.value for notice in outcome.change.after.notices]
        assert (store.announced, told) == (announced, ["mass"] if announced else ["looping"])


# -- what the installation allows ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "window"), [({}, 1800), ({"loopbreaker:stop-after": "2h"}, 7200), ({"loopbreaker:stop-after": "5m"}, 1800)]
)
def test_who_began_is_asked_for_as_long_as_a_stop_waits(tags: dict[str, str], window: float) -> None:
    """The longer of the window and of what the owner asks for."""
    store = keeping(dead(finding=None))
    respond(SERVICE, tools(store, Ecs([facts(tags={"loopbreaker:action": "stop"} | tags)])))
    assert store.windows == [window]
    blind = keeping(dead(finding=None))
    respond(SERVICE, tools(blind, Ecs([Unknown("throttled")])))
    assert blind.windows == [1800]
    patient = keeping(dead(finding=None))
    respond(SERVICE, replace(tools(patient, Ecs([facts()])), policy=replace(POLICY, stop_after=9000.0)))
    assert patient.windows == [9000]


def test_who_only_tells_need_not_know_who_else_began() -> None:
    """One read of the table less at each look."""
    store = keeping(dead())
    respond(SERVICE, tools(store, Ecs([facts()]), mode=Mode.ALERT))
    assert store.windows == []


def test_a_shared_cause_and_the_scope_are_seen_by_who_acts() -> None:
    """Five others that began with it, or a pattern that denies it: no call."""
    for n_others, scope in ((5, Scope()), (0, Scope(deny=("prod/web",)))):
        store, ecs = keeping(dead()), Ecs([facts()])
        for n in range(n_others):
            store.gather(replace(SERVICE, name=f"s{n}"), at=T0 + 130, window=60)
        store.gather(SERVICE, at=T0 + 130, window=60)
        respond(SERVICE, replace(tools(store, ecs), scope=scope))
        assert ecs.calls == []


# -- calls --------------------------------------------------------------------------------------------------


def test_a_stop_is_made_in_one_go() -> None:
    """Tag, scaling, count, each saved before it is made; and all of it by one invocation."""
    free, suspended = facts(scaling=FREE), facts(scaling=replace(FREE, dynamic_in_suspended=True), tags=HELD_TAG)
    ready = replace(suspended, scaling=replace(FREE, dynamic_in_suspended=True, dynamic_out_suspended=True))
    store, ecs = keeping(dead()), Ecs([free, free, replace(free, tags=HELD_TAG), ready])
    outcome = respond(SERVICE, tools(store, ecs))
    assert ecs.calls == [("tag", 2, NOW), ("scaling", True), ("count", 0)]
    assert held(store) is Step.HELD
    steps = [save.trip.step for save in store.saves if save.trip]
    before_each_call = [steps.index(step) for step in (Step.TAG, Step.SUSPEND_SCALING, Step.SET_ZERO, Step.HELD)]
    assert before_each_call == sorted(before_each_call)
    assert outcome is not None
    assert outcome.change.after == store.load(SERVICE)


def test_a_rollback_is_one_call() -> None:
    """Of the deployment that was found."""
    store, ecs = keeping(dead()), Ecs([deploying()])
    respond(SERVICE, tools(store, ecs))
    assert (ecs.calls, held(store)) == ([("roll back", rollout().arn)], Step.ROLLING_BACK)


def test_a_way_back_ends_with_the_tag() -> None:
    """Count, scaling, tag; then nothing is left of the trip."""
    suspended = replace(FREE, dynamic_in_suspended=True, dynamic_out_suspended=True)
    at = [
        facts(desired_count=count, scaling=scaling, tags=HELD_TAG)
        for count, scaling in ((0, suspended), (0, suspended), (2, suspended), (2, FREE))
    ]
    store, ecs = keeping(replace(dead(), trip=trip(scaling=FREE), resume_asked=True)), Ecs(at)
    respond(SERVICE, tools(store, ecs))
    assert ecs.calls == [("count", 2), ("scaling", False), ("untag",)]
    assert store.load(SERVICE).trip is None


def test_where_ecs_falls_silent_before_a_call_it_is_not_made() -> None:
    """What was begun stays as it was saved, and is found again."""
    store, ecs = keeping(dead()), Ecs([facts(), Unknown("throttled")])
    respond(SERVICE, tools(store, ecs))
    assert (ecs.calls, held(store), len(store.saves)) == ([], Step.TAG, 1)


def test_where_somebody_is_served_right_before_the_call_it_is_not_made() -> None:
    """What was decided a moment ago is decided again: the trip ends as it began."""
    store, ecs = keeping(dead()), Ecs([facts(), facts(tasks=(running_task(NOW - T0 - 90),))])
    respond(SERVICE, tools(store, ecs))
    assert (ecs.calls, held(store), ecs.looks) == ([], None, 2)
    assert [notice.kind.value for notice in store.load(SERVICE).notices] == ["not-stopped"]


def test_an_odd_count_is_looked_at_twice_before_anything_is_called() -> None:
    """One look is no reason to act, at a step that would make a call as well."""
    store = keeping(replace(dead(), trip=trip(step=Step.SET_ZERO, lease_until=NOW, since=NOW, zeroed=True)))
    ecs = Ecs([facts(desired_count=2, tags=HELD_TAG), facts(desired_count=0)])
    ready = keeping(replace(dead(), trip=trip(step=Step.READY, lease_until=NOW, since=NOW, zeroed=False)))
    respond(SERVICE, tools(ready, Ecs([facts(desired_count=0, tags=HELD_TAG)])))
    assert held(ready) is Step.READY
    respond(SERVICE, tools(store, ecs))
    assert held(store) is Step.HELD


def test_a_refusal_ends_the_invocation() -> None:
    """A way back that AWS refuses is not asked for twelve times in a row."""
    store = keeping(replace(dead(), trip=trip(step=Step.RESTORE_COUNT, lease_until=NOW)))
    ecs = Ecs([facts(desired_count=0, tags=HELD_TAG)], refused=("count",))
    respond(SERVICE, tools(store, ecs))
    assert (ecs.calls, held(store)) == ([("count", 2)], Step.RESTORE_COUNT)
    assert store.load(SERVICE).due_at == NOW + 300


def test_where_the_stop_itself_is_refused_all_is_given_back_at_once() -> None:
    """Scaling and tag, by the same invocation: nobody waits for a sweep to have scaling again."""
    free, tagged = facts(scaling=FREE), facts(scaling=FREE, tags=HELD_TAG)
    suspended = replace(tagged, scaling=replace(FREE, dynamic_in_suspended=True, dynamic_out_suspended=True))
    store, ecs = keeping(dead()), Ecs([free, free, tagged, suspended, suspended, tagged], refused=("count",))
    respond(SERVICE, tools(store, ecs))
    assert ecs.calls == [("tag", 2, NOW), ("scaling", True), ("count", 0), ("scaling", False), ("untag",)]
    assert held(store) is None


def test_an_odd_count_holds_a_call_back_that_was_begun() -> None:
    """Somebody has set 0 between the look and the tag: until a second look agrees nothing is called."""
    store = keeping(replace(dead(), trip=trip(step=Step.TAG, lease_until=NOW, since=NOW, zeroed=False)))
    ecs = Ecs([facts(desired_count=0)])
    respond(SERVICE, tools(store, ecs))
    assert (ecs.calls, held(store)) == ([], Step.TAG)


def test_a_step_that_cannot_be_saved_is_a_conflict() -> None:
    """After eight lost races; the step is as it was saved before, and is found again by whoever comes next."""
    ecs = Ecs([facts()])
    folded = iter(range(99))
    store = keeping(dead(), lost=range(3, 11), meanwhile=lambda now: replace(now, impaired=(float(next(folded)),)))
    with pytest.raises(ConflictError, match="lost 8 races"):
        respond(SERVICE, tools(store, ecs))
    assert (ecs.calls, held(store)) == ([("tag", 2, NOW)], Step.READY)


def test_a_refused_tag_stops_nothing() -> None:
    """The answer is what follows from, not the call."""
    store, ecs = keeping(dead()), Ecs([facts()], refused=("tag",))
    respond(SERVICE, tools(store, ecs))
    assert (ecs.calls, held(store)) == ([("tag", 2, NOW)], None)


@pytest.mark.parametrize("lost", [2, 3, 4])
def test_what_detect_folded_in_meanwhile_is_kept(lost: int) -> None:
    """A step is saved over it, whichever save lost the race."""
    store = keeping(dead(), lost=(lost,), meanwhile=lambda now: replace(now, impaired=(NOW,)))
    respond(SERVICE, tools(store, Ecs([facts()])))
    assert (held(store), store.load(SERVICE).impaired) == (Step.HELD, (NOW,))


def test_where_somebody_else_moved_the_trip_on_nothing_more_is_done() -> None:
    """Two that act on one service would undo each other."""

    def moved(now: Record) -> Record:
        return replace(now, trip=replace(now.trip or trip(), why="x"))

    store, ecs = keeping(dead(), lost=(2,), meanwhile=moved), Ecs([facts()])
    with pytest.raises(ConflictError, match="another invocation took over"):
        respond(SERVICE, tools(store, ecs))
    assert ecs.calls == [("tag", 2, NOW)], "what was asked before it was seen"


def test_a_drill_touches_nothing() -> None:
    """Its service does not exist: ECS is not asked, nothing is found out about it, nothing could be done to it."""
    drill = ServiceRef(arn(f"cluster/{CLUSTER}"), "web")
    store, ecs = Store(), Ecs([facts()])
    found = replace(observed(crash_loop(3)), service=drill, asked_at=T0 + 80)
    store.put(found)
    asked: list[Any] = []
    outcome = respond(drill, tools(store, ecs, now=T0 + 80, diagnose=lambda *what: asked.append(what)))
    assert outcome is not None
    assert outcome.change.after.incident is not None
    assert (ecs.looks, ecs.calls, asked, outcome.change.after.asked_at) == (0, [], [], None)


def _others(store: Store, *steps: Step, began: float = NOW) -> list[ServiceRef]:
    """Services that began to loop then, and where each stands."""
    others = [replace(SERVICE, name=f"web-{number}") for number in range(len(steps))]
    for other, step in zip(others, steps, strict=True):
        store.put(replace(dead(), service=other, trip=trip(step=step, lease_until=0.0, since=NOW)))
        store.gather(other, at=began, window=POLICY.mass_window)
    return others


def _asked(store: Store, others: list[ServiceRef]) -> list[bool]:
    return [store.load(other).asked_at == NOW for other in others]


@pytest.mark.parametrize(
    "record",
    [
        replace(dead(), trip=trip(step=Step.UNTAG, lease_until=0.0, since=NOW - 9, zeroed=True, why="it serves")),
        looping(),
    ],
    ids=["held", "never held"],
)
def test_who_is_well_again_has_those_tried_that_are_held_and_began_with_it(record: Record) -> None:
    """Whoever is held is asked for at once, with the time for its next try; who loops, is tried or gone is left."""
    assert record.incident is not None
    store = keeping(record)
    at = record.incident.found_at
    others = _others(store, Step.HELD, Step.PROBING, Step.HELD, began=at)
    store.put(Record(service=replace(SERVICE, name="gone")))
    store.gather(replace(SERVICE, name="gone"), at=at, window=POLICY.mass_window)
    store.gather(SERVICE, at=at, window=POLICY.mass_window)
    respond(SERVICE, tools(store, Ecs([facts() if record.trip else Facts(exists=False)])))
    assert store.load(SERVICE).trip is None
    assert _asked(store, others) == [True, False, True]
    assert [store.load(other).due_at == NOW for other in others] == [True, False, True]
    (first, tried, _) = (store.load(other).trip for other in others)
    assert first
    assert tried
    assert (first.another_back_at, tried.another_back_at) == (NOW, 0.0)
    assert store.load(replace(SERVICE, name="gone")).asked_at is None


def test_nobody_is_tried_for_one_that_is_not_back() -> None:
    """Not while it is held on, nor where a stop was undone, nor of more than have a cause of their own."""
    at = dead().incident.found_at  # type: ignore[union-attr]
    for step, undo, steps in (
        (Step.HELD, False, [Step.HELD]),
        (Step.UNTAG, True, [Step.HELD]),
        (Step.UNTAG, False, [Step.HELD] * (POLICY.mass_limit + 1)),
    ):
        mine = trip(step=step, lease_until=0.0, since=NOW, looping_since=NOW, zeroed=True, undo=undo, why="why")
        store = keeping(replace(dead(), trip=mine))
        others = _others(store, *steps, began=at)
        respond(SERVICE, tools(store, Ecs([facts(desired_count=0) if step is Step.HELD else facts()])))
        assert not any(_asked(store, others)), (step, undo)


@pytest.mark.parametrize(
    ("unserved_since", "seen", "held_for", "tried"),
    [
        (NOW - 900, (running_task(NOW - T0 - 90),), 900, True),
        (NOW - 900, (running_task(NOW - T0 - 90),), 899, False),
        (NOW - 900, (), 900, False),
        (NOW - 60, (running_task(NOW - T0 - 90),), 900, False),
    ],
    ids=["serves again", "too soon", "serves nobody", "served before"],
)
def test_who_serves_again_has_those_tried_that_have_waited_for_some_time(
    unserved_since: float, seen: Any, held_for: float, tried: bool
) -> None:
    """It may not last: they wait for a quarter of their own wait first."""
    loops = dead(finding=None, unserved_since=unserved_since, looked_at=NOW - 60)
    store = keeping(loops)
    assert loops.incident is not None
    (other,) = _others(store, Step.HELD, began=loops.incident.found_at)
    waits = store.load(other)
    assert waits.trip is not None
    since = NOW - held_for
    store.put(replace(waits, trip=replace(waits.trip, since=since, looping_since=since - 7200)))
    respond(SERVICE, tools(store, Ecs([facts(tasks=seen)])))
    assert _asked(store, [other]) == [tried]


def test_a_try_that_begins_is_no_sign_that_others_may_be_tried() -> None:
    """A service that is tried has its times set anew, which says nothing of who is served."""
    mine = trip(step=Step.HELD, since=NOW - 9000, looping_since=NOW - 10_000, lease_until=0.0, desired_count=2)
    store = keeping(replace(dead(), trip=mine))
    (other,) = _others(store, Step.HELD, began=dead().incident.found_at)  # type: ignore[union-attr]
    waits = store.load(other)
    assert waits.trip is not None
    store.put(replace(waits, trip=replace(waits.trip, since=NOW - 9000)))
    respond(SERVICE, tools(store, Ecs([facts(desired_count=0, tasks=())])))
    assert held(store) is Step.PROBING
    assert _asked(store, [other]) == [False]


def test_where_nothing_may_be_held_nobody_is_looked_for() -> None:
    """An installation that may not stop services is not charged for what they would need."""
    for mode in (Mode.ALERT, Mode.ROLLBACK):
        store = keeping(looping())
        others = _others(store, Step.HELD, began=looping().incident.found_at)  # type: ignore[union-attr]
        respond(SERVICE, tools(store, Ecs([Facts(exists=False)]), mode=mode))
        assert _asked(store, others) == [False]


def test_one_of_them_that_cannot_be_read_keeps_no_other_from_being_tried() -> None:
    """It is tried in its own time."""
    store = keeping(looping())
    others = _others(store, Step.HELD, Step.HELD, began=looping().incident.found_at)  # type: ignore[union-attr]
    load = store.load

    def some(service: ServiceRef) -> Record:
        if service == others[0]:
            raise UnreadableError("not a record")
        return load(service)

    store.load = some  # type: ignore[method-assign]
    respond(SERVICE, tools(store, Ecs([Facts(exists=False)])))
    assert load(others[1]).asked_at == NOW
