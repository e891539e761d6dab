"""What ECS sends no task event of: restarts inside tasks, and services that run nothing."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from handlers import sweep
from loopbreaker.aws.empty import empty_services
from loopbreaker.aws.restarts import restarts
from loopbreaker.judging.detection import observe
from loopbreaker.judging.untold import (
    READ_EVERY,
    remember_empty,
    remember_restarts,
    restart_again_and_again,
    runs_nothing,
)
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode
from loopbreaker.remembering.incident import Signal
from loopbreaker.remembering.notice import Notice, NoticeKind
from loopbreaker.remembering.owed import owed
from loopbreaker.remembering.record import Record
from loopbreaker.stories.detect import Observation
from loopbreaker.stories.ports import UnreadableError
from loopbreaker.stories.readings import note
from loopbreaker.treating.case import Case, Limits
from loopbreaker.treating.facts import Facts, Unknown
from loopbreaker.treating.look import consider
from tests.aws.fake_clients import FakeClient, refusal
from tests.builders import POLICY, SERVICE, T0, crash_loop, facts, looping, running_task
from tests.unit.test_handlers import CONTEXT, MemoryStore
from tests.unit.test_handlers import store as _store

store = _store
DUE = ServiceRef(SERVICE.cluster_arn, "due")
CLUSTERS = "arn:aws:ecs:eu-west-1:123456789012:cluster/"
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
ALL_RUN = facts(action=None, tasks=tuple(running_task(-9 * DAY) for _ in range(2)))
NONE_RUNS = facts(action=None)


@dataclass
class Life:
    """A service that is read every quarter of an hour, and looked at each minute that its record asks for it."""

    record: Record = field(default_factory=lambda: Record(service=SERVICE))
    now: float = 0.0
    told: list[tuple[float, Notice]] = field(default_factory=list)

    def live(self, until: float, *, seen: Facts | Unknown, read: Callable[[float], dict[str, Any]]) -> None:
        """`read` gives what a reading at this time finds."""
        while self.now < until:
            self.now += MINUTE
            if self.now % READ_EVERY == 0:
                self._save(observe(self.record, **read(self.now), policy=POLICY, now=T0 + self.now))
            asked, due = self.record.asked_at, self.record.due_at
            if asked is not None or (due is not None and due <= T0 + self.now):
                limits = Limits(mode=Mode.ALERT)
                case = Case(record=self.record, facts=seen, limits=limits, policy=POLICY, now=T0 + self.now)
                self._save(consider(case).record)

    def _save(self, record: Record) -> None:
        self.told += [(self.now, notice) for notice in owed(self.record, record)]
        self.record = record

    @property
    def kinds(self) -> list[str]:
        return [notice.kind.value for _, notice in self.told if notice.kind is not NoticeKind.STILL_LOOPING]


def every(seconds: float) -> Callable[[float], dict[str, Any]]:
    """A container restarts so often; a reading sees the last hour."""

    def read(now: float) -> dict[str, Any]:
        first = int(max(now - HOUR, 0) // seconds) + 1
        return {"restarted_at": [T0 + n * seconds for n in range(first, int(now // seconds) + 1)]}

    return read


def nothing(_now: float) -> dict[str, Any]:
    return {}


def empty(now: float) -> dict[str, Any]:
    return {"empty_at": [T0 + now]}


# -- restarts inside tasks --------------------------------------------------------------------------------


def test_restarts_inside_a_task_are_told_once_and_their_end_once() -> None:
    """Every six minutes for a day, then mended; told within an hour and a half, as what it is."""
    life = Life()
    life.live(DAY, seen=ALL_RUN, read=every(6 * MINUTE))
    assert life.kinds == ["looping"]
    assert life.told[0][0] <= 90 * MINUTE
    assert life.record.incident is not None
    assert life.record.incident.signal is Signal.RESTARTS
    life.live(life.now + 3 * HOUR, seen=ALL_RUN, read=nothing)
    assert life.kinds == ["looping", "recovered"]


def test_rarer_restarts_are_told_within_half_a_day() -> None:
    """Every 20 minutes in the one task; it is not said to be over in between."""
    life = Life()
    one = facts(action=None, desired_count=1, tasks=(running_task(-9 * DAY),))
    life.live(2 * DAY, seen=one, read=every(20 * MINUTE))
    assert life.kinds == ["looping"]
    assert life.told[0][0] <= 8 * HOUR


def test_restarts_now_and_then_are_nothing() -> None:
    """Each of two tasks about once in two hours, which any flaky service does."""
    life = Life()
    life.live(5 * DAY, seen=ALL_RUN, read=every(HOUR))
    assert life.told == []


def test_as_many_restarts_of_many_tasks_are_nothing() -> None:
    """Every six minutes somewhere among 20 tasks is one restart of each in two hours."""
    many = facts(action=None, desired_count=20, tasks=tuple(running_task(-9 * DAY) for _ in range(20)))
    life = Life()
    life.live(2 * DAY, seen=many, read=every(6 * MINUTE))
    assert life.told == []


def test_what_ecs_cannot_say_is_not_told() -> None:
    """Without the desired count nobody knows how many restarts are many."""
    life = Life()
    life.live(DAY, seen=Unknown("throttled"), read=every(6 * MINUTE))
    assert life.told == []


def test_a_crash_loop_on_top_is_told_as_well() -> None:
    """And it is the crash loop that may be acted on."""
    life = Life()
    life.live(3 * HOUR, seen=ALL_RUN, read=every(6 * MINUTE))
    for failure in crash_loop(4, start=life.now):
        life._save(observe(life.record, failures=[failure], policy=POLICY, now=failure.failed_at))
    assert life.kinds == ["looping", "looping"]
    assert life.record.incident is not None
    assert life.record.incident.signal is Signal.FAST


# -- a service that runs nothing --------------------------------------------------------------------------


def test_a_service_that_runs_nothing_is_told_after_half_an_hour() -> None:
    """Once, until it runs its tasks again, which is told once."""
    life = Life()
    life.live(DAY, seen=NONE_RUNS, read=empty)
    assert life.kinds == ["looping"]
    assert POLICY.empty_after <= life.told[0][0] <= POLICY.empty_after + READ_EVERY + MINUTE
    life.live(life.now + 3 * HOUR, seen=ALL_RUN, read=nothing)
    assert life.kinds == ["looping", "recovered"]


def test_a_service_that_runs_nothing_now_and_then_is_not_told() -> None:
    """Seen empty by one reading in three: it ran in between."""
    life = Life()
    life.live(2 * DAY, seen=NONE_RUNS, read=lambda now: empty(now) if now % (3 * READ_EVERY) == 0 else {})
    assert life.told == []


def test_what_runs_by_the_time_of_the_look_is_not_told() -> None:
    """The reading was late, or ECS had just begun."""
    life = Life()
    life.live(3 * HOUR, seen=ALL_RUN, read=empty)
    assert life.told == []


def test_the_policy_says_after_how_long() -> None:
    """With two hours nothing is told before."""
    record = Record(service=SERVICE)
    patient = replace(POLICY, empty_after=2 * HOUR)
    for n in range(8):
        record = observe(record, empty_at=[T0 + n * READ_EVERY], policy=patient, now=T0 + n * READ_EVERY)
        assert record.suspicion is None
    record = observe(record, empty_at=[T0 + 2 * HOUR], policy=patient, now=T0 + 2 * HOUR)
    assert record.suspicion is not None


def test_a_loop_that_is_known_is_not_prolonged() -> None:
    """A crash loop whose tasks are all between two lives when it is read is still that loop."""
    record = looping()
    assert record.incident is not None
    seen = observe(record, empty_at=[T0 + HOUR], restarted_at=[T0 + HOUR], policy=POLICY, now=T0 + HOUR)
    assert seen.incident is not None
    assert seen.incident.last_failure_at == record.incident.last_failure_at


# -- how many restarts are many, and when nothing runs for long -------------------------------------------


def spread(number: int, within: float, *, last: float = 0.0) -> tuple[float, ...]:
    """So many restarts in so many seconds, evenly, up to `last`."""
    return tuple(last - within * n / (number - 1) for n in reversed(range(number)))


@pytest.mark.parametrize(
    ("times", "tasks", "mtbf", "many"),
    [
        # Of one task that fails every two hours by chance, half a restart is expected in an hour and three in six.
        (spread(7, 3599), 1, 7200, False),
        (spread(8, 3599), 1, 7200, True),
        (spread(8, 3600), 1, 7200, False),
        (spread(16, 6 * HOUR - 1), 1, 7200, False),
        (spread(17, 6 * HOUR - 1), 1, 7200, True),
        (spread(17, 6 * HOUR), 1, 7200, False),
        # Fewer than four say nothing, however rare they are; fewer than are expected, nothing either.
        (spread(3, 10), 1, 360_000, False),
        (spread(4, 10), 1, 360_000, True),
        (spread(4, 10), 1000, 7200, False),
    ],
)
def test_how_many_restarts_are_many(times: tuple[float, ...], tasks: int, mtbf: float, many: bool) -> None:
    """So many within an hour, or six, as chance would show once in a million times."""
    assert restart_again_and_again(times, tasks=tasks, mtbf=mtbf) is many


def test_which_restarts_are_remembered() -> None:
    """Those of the last six hours, each once, in order; 96 at most."""
    known = remember_restarts((), [300.0, 0.0, 300.0])
    assert known == (0.0, 300.0)
    assert remember_restarts(known, [6 * HOUR, 150.0]) == (150.0, 300.0, 6 * HOUR)
    assert remember_restarts(known, ()) == known
    assert remember_restarts((), map(float, range(200))) == tuple(map(float, range(104, 200)))


@pytest.mark.parametrize(
    ("known", "new", "remembered"),
    [
        ((), [0.0], (0.0,)),
        ((0.0,), [900.0], (0.0, 900.0)),
        ((0.0, 900.0), [1800.0], (0.0, 1800.0)),
        ((0.0, 900.0), [1800.0, 2700.0], (0.0, 2700.0)),
        # One reading was missed, or two: then it may have run.
        ((0.0, 900.0), [3150.0], (0.0, 3150.0)),
        ((0.0, 900.0), [3151.0], (3151.0,)),
        # What comes late, or again, says nothing new.
        ((0.0, 1800.0), [900.0, 1800.0], (0.0, 1800.0)),
        ((0.0, 1800.0), [900.0], (0.0, 1800.0)),
        ((0.0, 1800.0), [], (0.0, 1800.0)),
    ],
)
def test_since_when_a_service_was_seen_to_run_nothing(
    known: tuple[float, ...], new: list[float], remembered: tuple[float, ...]
) -> None:
    """By readings of which not two in a row are missing: the first and the newest of them."""
    assert remember_empty(known, new) == remembered


@pytest.mark.parametrize(
    ("times", "is_long"), [((), False), ((0.0,), False), ((0.0, 1799.0), False), ((0.0, 1800.0), True)]
)
def test_when_a_service_has_run_nothing_for_long(times: tuple[float, ...], is_long: bool) -> None:
    """After half an hour, by two readings at least."""
    assert runs_nothing(times, POLICY) is is_long


def test_what_is_read_so_rarely_is_not_over_soon() -> None:
    """An hour after the last restart that was read, and no later than the next look at it."""
    life = Life()
    life.live(DAY, seen=ALL_RUN, read=every(6 * MINUTE))
    life.live(life.now + 3 * HOUR, seen=ALL_RUN, read=nothing)
    assert HOUR <= life.told[-1][0] - DAY <= HOUR + READ_EVERY


# -- reading ----------------------------------------------------------------------------------------------


def metric(**dimensions: str) -> dict[str, Any]:
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    return {"Namespace": "ECS/ContainerInsights", "MetricName": "RestartCount", "Dimensions": named}


def test_where_nobody_has_a_restart_policy_one_call_is_made() -> None:
    """And none that is paid for by the metric."""
    client = FakeClient("cloudwatch", list_metrics={"Metrics": []})
    assert not any(restarts(client, clusters=CLUSTERS, now=T0))
    assert [name for name, _ in client.calls] == ["list_metrics"]


def test_no_service_of_a_great_many_is_left_out_of_each_reading() -> None:
    """Where there is time for two thirds of them, nobody is passed over twice in a row."""
    names = [f"s{number:04}" for number in range(600)]

    def services(**asked: Any) -> dict[str, Any]:
        begin = int(asked.get("nextToken", 0))
        page: dict[str, Any] = {"serviceArns": names[begin : begin + 100]}
        return page | ({"nextToken": str(begin + 100)} if begin + 100 < len(names) else {})

    def describe(**asked: Any) -> dict[str, Any]:
        kept = {"status": "ACTIVE", "desiredCount": 1, "runningCount": 0}
        return {"services": [kept | {"serviceName": name} for name in asked["services"]]}

    clusters = {"clusterArns": [SERVICE.cluster_arn]}
    passed_over: list[set[str]] = []
    for reading in range(40):
        client = FakeClient("ecs", list_clusters=clusters, list_services=services, describe_services=describe)
        found = [one.name for some in empty_services(client, now=T0 + reading * READ_EVERY) for one in some]
        assert sorted(found) == names
        passed_over.append({*found[400:]})
    assert not [name for one, two in pairwise(passed_over) for name in one & two]


def test_a_reading_stops_when_its_time_is_over() -> None:
    """What is left is read the next time."""
    times = iter(range(100))

    def endless() -> Iterator[list[Observation]]:
        while True:
            yield [Observation(SERVICE, empty_at=(T0,))]

    noted = note(endless(), store=MemoryStore(), policy=POLICY, clock=lambda: float(next(times)), until=20)
    assert not noted.complete


@pytest.mark.parametrize(("until", "services", "complete"), [(0, 1, False), (1, 2, False), (2, 3, True), (9, 3, True)])
def test_how_far_a_reading_came_is_told(until: float, services: int, complete: bool) -> None:
    """How many services there was time for, by a clock that goes on with each; at the last moment there still is."""
    store, now = MemoryStore(), -1.0
    names = [ServiceRef(SERVICE.cluster_arn, name) for name in ("a", "b", "c")]

    def found() -> Iterator[list[Observation]]:
        nonlocal now
        for name in names:
            now += 1
            yield [Observation(name, empty_at=(T0,))]

    noted = note(found(), store=store, policy=POLICY, clock=lambda: now, until=until)
    assert (noted.services, noted.complete, noted.unreadable) == (services, complete, ())
    assert len(store.records) == services


def test_a_reading_that_finds_nothing_stops_in_time_as_well() -> None:
    """Clusters without an empty service take time too."""
    noted = note(iter([(), ()]), store=MemoryStore(), policy=POLICY, clock=lambda: 2.0, until=1)
    assert (noted.services, noted.complete) == (0, False)


def test_a_record_that_cannot_be_read_stops_no_reading() -> None:
    """It is named, and the others are noted."""
    api = ServiceRef(SERVICE.cluster_arn, "api")
    store = MemoryStore(faults={"api": UnreadableError("prod/api: not ours")})
    some = [Observation(service, empty_at=(T0,)) for service in (api, SERVICE)]
    noted = note([some], store=store, policy=POLICY, clock=lambda: T0, until=T0)
    assert (noted.services, noted.unreadable, noted.complete) == (2, ("prod/api: not ours",), True)
    assert set(store.records) == {SERVICE}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeClient]:
    at = datetime.fromtimestamp(T0, tz=UTC)
    described = {"serviceName": "web", "status": "ACTIVE", "desiredCount": 2, "runningCount": 0}
    clients = {
        "cloudwatch": FakeClient(
            "cloudwatch",
            list_metrics={"Metrics": [metric(ClusterName="prod", ServiceName="api")]},
            get_metric_data={"MetricDataResults": [{"Id": "r0", "Timestamps": [at], "Values": [3.0]}]},
        ),
        "ecs": FakeClient(
            "ecs",
            list_clusters={"clusterArns": [SERVICE.cluster_arn]},
            list_services={"serviceArns": ["arn:aws:ecs:eu-west-1:123456789012:service/prod/web"]},
            describe_services={"services": [described]},
        ),
    }
    monkeypatch.setattr("loopbreaker.aws.clients.client", clients.__getitem__)
    return clients


@pytest.mark.parametrize(
    ("time", "reads"), [("2026-01-01T07:35:41Z", True), ("2026-01-01T07:36:00Z", False), ("", False)]
)
def test_the_clock_reads_every_quarter_of_an_hour(
    store: MemoryStore, cloud: dict[str, FakeClient], time: str, reads: bool
) -> None:
    """Whatever the second of the minute, which is that of the schedule's own making."""
    sweep.handler({"time": time}, CONTEXT)
    api = ServiceRef(SERVICE.cluster_arn, "api")
    assert {service: bool(record.restarted) for service, record in store.records.items()} == (
        {api: True, SERVICE: False} if reads else {}
    )
    assert all(bool(client.calls) is reads for client in cloud.values())


def test_a_refused_reading_spoils_neither_the_sweep_nor_the_other(
    store: MemoryStore, cloud: dict[str, FakeClient], caplog: pytest.LogCaptureFixture
) -> None:
    """A permission that is missing is said in the log."""
    caplog.set_level(logging.INFO)
    cloud["cloudwatch"]._answers["list_metrics"] = refusal("AccessDenied", "ListMetrics")
    sweep.handler({"time": "2026-01-01T07:35:00Z"}, CONTEXT)
    assert "could not read" in caplog.text
    assert store.records[SERVICE].empty


def test_a_slow_reading_starves_neither_the_sweep_nor_the_other(
    store: MemoryStore, cloud: dict[str, FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CloudWatch has no end of metrics and takes five seconds for each page: who is due is asked for before it, empty
    services are read after it, and no call is begun that could outlast the function."""
    now = T0
    begun: list[float] = []

    def slowly(answer: dict[str, Any], seconds: float) -> Callable[..., dict[str, Any]]:
        def call(**_asked: Any) -> dict[str, Any]:
            nonlocal now
            assert store.records[DUE].asked_at == T0, "before anything else"
            begun.append(now - T0)
            now += seconds
            return answer

        return call

    monkeypatch.setattr("time.time", lambda: now)
    store.save(replace(Record(service=DUE), due_at=T0 - 60, touched_at=T0 - 60))
    cloud["cloudwatch"]._answers["list_metrics"] = slowly({"Metrics": [], "NextToken": "next"}, 5.0)
    cloud["ecs"]._answers["list_clusters"] = slowly({"clusterArns": [SERVICE.cluster_arn]}, 5.0)
    sweep.handler({"time": "2026-01-01T07:35:00Z"}, CONTEXT)
    assert store.records[SERVICE].empty
    # A call that is tried three times ends after 24 seconds (`aws.clients`), and the function has 60.
    assert max(begun) <= 60 - 24


def test_a_reading_for_which_there_is_no_time_asks_nothing() -> None:
    """The sweep may have needed all of it."""

    def asked() -> Iterator[list[Observation]]:
        raise AssertionError("asked")
        yield []

    noted = note(asked(), store=MemoryStore(), policy=POLICY, clock=lambda: 21.0, until=20.0)
    assert not noted.complete
