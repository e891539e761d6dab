"""Loops that end, and loops that come again: what people are told of them in a day."""

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from loopbreaker.judging.detection import observe
from loopbreaker.model import SignalKind
from loopbreaker.policy import Mode
from loopbreaker.remembering.incident import Incident, Past
from loopbreaker.remembering.notice import Notice, NoticeKind
from loopbreaker.remembering.owed import owed
from loopbreaker.remembering.record import Record
from loopbreaker.treating.case import Case, Limits
from loopbreaker.treating.facts import Facts, Unknown
from loopbreaker.treating.look import consider
from tests.builders import (
    OLDER_DEPLOYMENT,
    POLICY,
    SERVICE,
    T0,
    crash_loop,
    deployment,
    facts,
    looping,
    running_task,
    signal,
)

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
UNKNOWN = Unknown("a recording")
GONE = Facts(exists=False)


@dataclass
class Life:
    """A service in time, looked at when its record asks for it; everything that people were told of it."""

    record: Record = field(default_factory=lambda: Record(service=SERVICE))
    now: float = 0.0
    told: list[Notice] = field(default_factory=list)
    reminders: list[Notice] = field(default_factory=list)
    ended: list[Incident] = field(default_factory=list)

    def loop(self, generations: int = 4, *, seen: Facts | Unknown | None = None, **fields: Any) -> None:
        """Tasks crash one after the other, and ECS is looked at after each."""
        for failure in crash_loop(generations, start=self.now, **fields):
            self.now = failure.failed_at - T0
            self._save(observe(self.record, failures=[failure], policy=POLICY, now=failure.failed_at))
            self.look(running=0, seen=seen)

    def find_no_place(self, *, seen: Facts | Unknown) -> None:
        """ECS finds no capacity for a quarter of an hour."""
        for _ in range(4):
            self.now += 6 * MINUTE
            said = signal(self.now, SignalKind.PLACEMENT_FAILURE)
            self._save(observe(self.record, signals=[said], policy=POLICY, now=T0 + self.now))
            self.look(running=0, seen=seen)

    def look(self, *, running: int = 2, seen: Facts | Unknown | None = None) -> None:
        tasks = tuple(running_task(-9 * DAY, health="HEALTHY") for _ in range(running))
        found = consider(
            Case(
                record=self.record,
                facts=seen or facts(action=None, tasks=tasks),
                limits=Limits(mode=Mode.ALERT),
                policy=POLICY,
                now=T0 + self.now,
            )
        )
        self._save(found.record)
        self.ended += [found.ended] if found.ended else []

    def pass_quietly(self, seconds: float, *, running: int = 2, seen: Facts | Unknown | None = None) -> None:
        """Time passes without a failure, a look every five minutes."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(self.now + 5 * MINUTE, until)
            if self.record.incident:
                self.look(running=running, seen=seen)

    def until_over(self, *, most: float = 3 * DAY, running: int = 2, seen: Facts | Unknown | None = None) -> float:
        """Seconds of quiet until the incident is over."""
        began = self.now
        while self.record.incident and self.now < began + most:
            self.pass_quietly(5 * MINUTE, running=running, seen=seen)
        return self.now - began

    @property
    def kinds(self) -> str:
        """L for each time that it was said to loop, R for each that it was said to have recovered."""
        return "".join({NoticeKind.LOOPING: "L", NoticeKind.RECOVERED: "R"}[notice.kind] for notice in self.told)

    def _save(self, record: Record) -> None:
        new = owed(self.record, record)
        self.told += [notice for notice in new if notice.kind is not NoticeKind.STILL_LOOPING]
        self.reminders += [notice for notice in new if notice.kind is NoticeKind.STILL_LOOPING]
        self.record = record


def test_a_loop_that_comes_again_within_a_day_is_the_same_incident() -> None:
    """Same id, and the message says how often and since when."""
    life = Life()
    life.loop()
    life.until_over()
    life.pass_quietly(DAY - 10 * MINUTE)
    life.loop()
    life.until_over()
    first, second = life.ended
    assert (first.id, first.times, second.times) == (second.id, 1, 2)
    assert life.kinds == "LRLR"
    assert life.told[0].reason == "replacements failed 3 times in a row"
    assert life.told[2].reason == "replacements failed 3 times in a row; found 2 times since 2026-01-01 00:01 UTC"


def test_a_loop_more_than_a_day_later_is_another_incident() -> None:
    """What ended long ago is history."""
    life = Life()
    life.loop()
    life.until_over()
    life.pass_quietly(DAY + HOUR)
    life.loop()
    life.until_over()
    first, second = life.ended
    assert first.id != second.id
    assert second.times == 1
    assert second.longest_gap == first.longest_gap


def test_the_pause_before_a_relapse_is_a_quiet_that_deceived() -> None:
    """The second quiet lasts twice as long as the one that turned out to be a pause; at most four hours."""
    for pause, least in ((40 * MINUTE, 80 * MINUTE), (9 * HOUR, 4 * HOUR)):
        life = Life()
        life.loop()
        assert life.until_over() <= 15 * MINUTE
        life.pass_quietly(pause - 10 * MINUTE)
        life.loop()
        assert least <= life.until_over() <= least + 10 * MINUTE


def test_the_pause_before_another_deployment_loops_says_nothing() -> None:
    """A bad roll-out that was fixed, and another bad one: each is over as soon as the fix runs."""
    life = Life()
    life.loop()
    life.until_over()
    life.pass_quietly(2 * HOUR)
    life.loop(deployment_id="ecs-svc/3333333333333333333")
    assert life.until_over() <= 15 * MINUTE


def test_what_comes_again_at_once_is_told_three_times_a_day() -> None:
    """The worst that a service can do: to loop as soon as it was said to have recovered, for a week."""
    life = Life()
    while life.now < 7 * DAY:
        life.loop(deployment_id=f"ecs-svc/{life.now:.0f}")
        life.until_over()
    assert life.kinds.startswith("LRLRLRLR")
    assert most_in_a_day(life.told) <= 6


Phase = tuple[int, float, str, bool]
PHASES = st.tuples(
    st.integers(3, 7),
    st.floats(60, 30 * HOUR),
    st.sampled_from(["all run", "one runs", "scaled to 0", "unknown"]),
    st.booleans(),
)


@example(
    [
        (3, 31610, "all run", True),
        (7, 16947, "all run", True),
        (7, 10633, "unknown", False),
        (7, 26871, "all run", False),
        (7, 77, "unknown", False),
    ]
)
@settings(max_examples=12, deadline=None)
@given(st.lists(PHASES, min_size=1, max_size=14))
def test_nobody_is_told_more_than_six_times_a_day(phases: list[Phase]) -> None:
    """Whatever a service does: at most three times that it loops and three times that it recovered."""
    life = lived(phases)
    assert most_in_a_day(life.told + life.reminders) <= 6
    assert "LL" not in life.kinds
    assert "RR" not in life.kinds


@settings(max_examples=12, deadline=None)
@given(
    st.lists(PHASES, max_size=6),
    st.lists(st.sampled_from(["looped", "deleted", "muted", "unmuted", "unplaced", "an hour", "a day"]), max_size=40),
)
def test_six_a_day_holds_for_what_people_do_as_well(phases: list[Phase], deeds: list[str]) -> None:
    """Deleted, made again, muted and asked after, or at first without a place: and what loops for a day is known."""
    life = lived(phases)
    tags: dict[str, str] = {}
    for deed in deeds:
        match deed:
            case "looped":
                life.loop(seen=facts(action=None, tasks=(), tags=tags))
            case "deleted":
                life.look(seen=GONE)
            case "muted" | "unmuted":
                tags = {"loopbreaker:action": "ignore"} if deed == "muted" else {}
                life.look(seen=facts(action=None, tasks=(), tags=tags))
            case "unplaced":
                life.find_no_place(seen=facts(action=None, tasks=(), tags=tags))
            case _:
                life.pass_quietly(HOUR if deed == "an hour" else DAY, running=0)
        life.now += 60
    assert most_in_a_day(life.told + life.reminders) <= 6
    began = life.now
    while life.now < began + DAY + HOUR:
        life.loop(seen=facts(action=None, tasks=()))
        life.now += 5 * MINUTE
    newest = max(life.told + life.reminders, key=lambda notice: notice.number)
    assert newest.kind is not NoticeKind.RECOVERED
    assert most_in_a_day(life.told + life.reminders) <= 6


def lived(phases: list[Phase]) -> Life:
    """A service that loops and pauses in these phases."""
    seen: dict[str, Facts | Unknown] = {"scaled to 0": facts(action=None, desired_count=0), "unknown": UNKNOWN}
    life = Life()
    for generations, pause, state, same in phases:
        other: dict[str, Any] = {} if same else {"deployment_id": f"ecs-svc/{life.now:.0f}"}
        life.loop(generations, **other)
        life.pass_quietly(pause, running=1 if state == "one runs" else 2, seen=seen.get(state))
        life.now += 30
    return life


def test_what_is_made_and_deleted_all_day_is_told_six_times_a_day_and_lasts_in_the_end() -> None:
    """A service of a preview loops each hour until it is deleted; the one that stays is told once there is room."""
    life = Life()
    while life.now < 12 * HOUR:
        life.loop()
        life.look(seen=GONE)
        life.pass_quietly(HOUR)
        life.now += HOUR
    assert life.kinds == "LRLRLR"
    first = life.told[0].at - T0
    while life.now < first + DAY + HOUR:
        life.loop(3)
        life.now += 5 * MINUTE
    assert life.kinds == "LRLRLRL"
    assert first + DAY <= life.told[-1].at - T0 <= first + DAY + 30 * MINUTE


def test_every_incident_ends_where_anything_runs() -> None:
    """One task of two finds no place for days, or none is ever old enough: an hour of quiet is enough."""
    life = Life()
    life.loop()
    fixed = facts(action=None, tasks=(running_task(-9 * DAY),), deployments=(deployment(id=OLDER_DEPLOYMENT),))
    assert HOUR <= life.until_over(seen=fixed) <= HOUR + 10 * MINUTE
    assert life.told[-1].reason == "no task failed for 60 minutes and 1 of 2 tasks run"
    young = Life()
    young.loop()
    while young.record.incident and young.now < DAY:
        young.now += 5 * MINUTE
        tasks = tuple(running_task(young.now - 100, deployment_id=OLDER_DEPLOYMENT) for _ in range(2))
        young.look(seen=facts(action=None, tasks=tasks, deployments=(deployment(id=OLDER_DEPLOYMENT),)))
    assert HOUR <= young.now <= HOUR + 15 * MINUTE


def test_an_incident_does_not_end_where_nothing_runs() -> None:
    """ECS may have given up starting tasks; an unhealthy one is none that runs."""
    life = Life()
    life.loop()
    assert life.until_over(running=0, most=2 * DAY) >= 2 * DAY
    ill = facts(action=None, tasks=(running_task(-DAY, health="UNHEALTHY"),))
    assert life.until_over(seen=ill, most=2 * DAY) >= 2 * DAY


def test_a_slow_loop_is_believed_to_be_over_later() -> None:
    """Three times its longest gap and life, where not every task runs."""
    life = Life(record=looping(longest_gap=1800.0, longest_lifetime=1200.0), now=100)
    assert 9000 <= life.until_over(running=1) <= 9000 + 10 * MINUTE


def test_the_blind_hour_grows_with_the_longest_gap() -> None:
    """Where ECS cannot be asked, what dies every 50 minutes is not over after an hour."""
    quick = Life()
    quick.loop()
    assert HOUR <= quick.until_over(seen=UNKNOWN) <= HOUR + 10 * MINUTE
    slow = Life(record=looping(longest_gap=3000.0), now=100)
    assert 6000 <= slow.until_over(seen=UNKNOWN) <= 6000 + 10 * MINUTE


def test_a_service_that_swings_to_0_is_not_told_of_each_time() -> None:
    """Three endings within a day are enough for a service that is scaled to 0 and back; a deleted one is over."""
    life = Life()
    for number in range(8):
        life.loop(deployment_id=f"ecs-svc/{number}")
        life.pass_quietly(10 * MINUTE, seen=facts(action=None, desired_count=0))
    assert life.kinds == "LRLRL"
    life.look(seen=GONE)
    assert life.kinds == "LRLRLR"


def test_a_mass_event_counts_a_relapse_by_its_own_time() -> None:
    """A loop that comes again begins with those that begin now."""
    life = Life()
    life.loop()
    life.until_over()
    life.pass_quietly(HOUR)
    life.loop()
    incident = life.record.incident
    assert incident is not None
    assert incident.opened_at == life.ended[0].opened_at
    assert incident.found_at == life.told[-1].at > incident.opened_at + HOUR


def test_what_is_remembered_of_the_past_is_the_last_end() -> None:
    """An open incident stands for its own past."""
    past = Past(
        opened_at=T0 - HOUR,
        openings=(T0 - HOUR,),
        times=1,
        last_failure_at=T0 - 1800,
        longest_gap=60.0,
        deployment_id="",
        closed_at=T0 - 600,
    )
    life = Life(record=replace(Record(service=SERVICE), past=past, history_until=T0 - 600))
    life.loop()
    assert life.record.past is None
    assert life.record.incident is not None
    assert life.record.incident.openings == (T0 - HOUR, life.told[-1].at)


def test_what_only_runs_is_believed_once_it_has_run_as_long_as_a_flaky_service_does() -> None:
    """A task that hangs for an hour and dies was never well: nobody said that it had recovered."""
    hanging = facts(action=None, tasks=tuple(running_task(-9 * DAY) for _ in range(2)))
    life = Life()
    for pause in (20 * MINUTE, 90 * MINUTE, 40 * MINUTE):
        life.loop()
        life.pass_quietly(pause, seen=hanging)
    assert life.kinds == "L"
    assert POLICY.flaky_mtbf - HOUR <= life.until_over(seen=hanging) <= 2 * POLICY.flaky_mtbf


def test_what_was_changed_needs_no_other_proof() -> None:
    """Another deployment runs, or the service was held and tried, or no task ever started: it is over soon."""
    hanging = facts(action=None, tasks=tuple(running_task(-9 * DAY) for _ in range(2)))
    fixed = replace(hanging, deployments=(deployment(id=OLDER_DEPLOYMENT),))
    for record, seen in (
        (looping(), fixed),
        (looping(trips=(T0 + 95,)), hanging),
        (looping(longest_lifetime=0.0), hanging),
    ):
        life = Life(record=record, now=100)
        assert life.until_over(seen=seen) <= 15 * MINUTE
    assert Life(record=looping(), now=100).until_over(seen=hanging) > HOUR


def test_reminders_leave_room_for_what_changes() -> None:
    """Found, over and found again within a day: reminded no more until that day is over."""
    life = Life()
    for number in range(2):
        life.loop(deployment_id=f"ecs-svc/{number}")
        life.until_over()
    while life.now < DAY:
        life.loop(3)
        life.now += 5 * MINUTE
    assert (life.kinds, life.reminders) == ("LRLRL", [])


def most_in_a_day(notices: list[Notice]) -> int:
    return max(sum(first.at <= notice.at < first.at + DAY for notice in notices) for first in notices) if notices else 0
