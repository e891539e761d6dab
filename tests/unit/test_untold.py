"""What ECS sends no task event of: restarts inside tasks, and services that run nothing."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlers import sweep
from loopbreaker.aws.empty import empty_services
from loopbreaker.aws.restarts import restarts
from loopbreaker.judging.detection import observe
from loopbreaker.judging.untold import READ_EVERY
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode
from loopbreaker.remembering.incident import Signal
from loopbreaker.remembering.notice import Notice, NoticeKind
from loopbreaker.remembering.owed import owed
from loopbreaker.remembering.record import Record
from loopbreaker.stories.detect import Observation
from loopbreaker.stories.readings import note
from loopbreaker.treating.case import Case, Limits
from loopbreaker.treating.facts import Facts, Unknown
from loopbreaker.treating.look import consider
from tests.aws.fake_clients import FakeClient, refusal
from tests.builders import POLICY, SERVICE, T0, crash_loop, facts, looping, running_task
from tests.unit.test_handlers import CONTEXT, MemoryStore
from tests.unit.test_handlers import store as _store

store = _store
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


# -- reading ----------------------------------------------------------------------------------------------


def metric(**dimensions: str) -> dict[str, Any]:
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    return {"Namespace": "ECS/ContainerInsights", "MetricName": "RestartCount", "Dimensions": named}


def test_restarts_are_read_by_service() -> None:
    """Of every page; a metric of a single container is none of a service, and each restart has a time of its own."""

    def listed(**asked: Any) -> dict[str, Any]:
        if "NextToken" in asked:
            return {"Metrics": [metric(ClusterName="prod", ServiceName="web")]}
        by_container = metric(ClusterName="prod", ServiceName="web", ContainerName="app")
        return {"Metrics": [by_container, metric(ClusterName="prod", ServiceName="api")], "NextToken": "next"}

    def data(**asked: Any) -> dict[str, Any]:
        assert len(asked["MetricDataQueries"]) == 2
        assert asked["EndTime"] - asked["StartTime"] == HOUR
        at = datetime.fromtimestamp(T0, tz=UTC)
        if "NextToken" in asked:
            return {"MetricDataResults": [{"Id": "r1", "Timestamps": [at], "Values": [2.0]}]}
        return {"MetricDataResults": [{"Id": "r0", "Timestamps": [at], "Values": [0.0]}], "NextToken": "next"}

    client = FakeClient("cloudwatch", list_metrics=listed, get_metric_data=data)
    assert dict(restarts(client, clusters=CLUSTERS, now=T0)) == {SERVICE: (T0, T0 + 1)}


def test_where_nobody_has_a_restart_policy_one_call_is_made() -> None:
    """And none that is paid for by the metric."""
    client = FakeClient("cloudwatch", list_metrics={"Metrics": []})
    assert list(restarts(client, clusters=CLUSTERS, now=T0)) == []
    assert [name for name, _ in client.calls] == ["list_metrics"]


def test_empty_services_are_read_of_every_cluster() -> None:
    """Those that shall run tasks and run none; a daemon, a service at 0 and one that goes are none."""
    kinds = [
        {"serviceName": "web", "desiredCount": 2},
        {"serviceName": "runs", "desiredCount": 2, "runningCount": 1},
        {"serviceName": "at-0", "desiredCount": 0},
        {"serviceName": "agent", "desiredCount": 2, "schedulingStrategy": "DAEMON"},
        {"serviceName": "goes", "desiredCount": 2, "status": "DRAINING"},
    ]
    described = [{"status": "ACTIVE", "runningCount": 0, "schedulingStrategy": "REPLICA"} | kind for kind in kinds]

    def clusters(**asked: Any) -> dict[str, Any]:
        if "nextToken" in asked:
            return {"clusterArns": [SERVICE.cluster_arn]}
        return {"clusterArns": [f"{CLUSTERS}gone"], "nextToken": "next"}

    def services(**asked: Any) -> dict[str, Any]:
        if asked["cluster"].endswith("gone"):
            raise refusal("ClusterNotFoundException", "ListServices")
        return {"serviceArns": [f"arn:aws:ecs:eu-west-1:123456789012:service/prod/{n}" for n in range(12)]}

    asked_at_once: list[int] = []

    def describe(**asked: Any) -> dict[str, Any]:
        asked_at_once.append(len(asked["services"]))
        return {"services": described if len(asked["services"]) == 10 else []}

    client = FakeClient("ecs", list_clusters=clusters, list_services=services, describe_services=describe)
    assert [service for some in empty_services(client, now=0.0) for service in some] == [SERVICE]
    assert asked_at_once == [10, 2]


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


def test_a_cluster_that_is_deleted_between_two_calls_is_passed_over() -> None:
    """Every other fault is one."""

    def described(**asked: Any) -> dict[str, Any]:
        raise refusal(codes.pop(), "DescribeServices")

    codes = ["AccessDeniedException", "ClusterNotFoundException"]
    lists = {"list_clusters": {"clusterArns": ["a"]}, "list_services": {"serviceArns": ["b"]}}
    client = FakeClient("ecs", **lists, describe_services=described)
    assert [one for some in empty_services(client, now=0.0) for one in some] == []
    with pytest.raises(ClientError):
        list(empty_services(client, now=0.0))


def test_a_reading_stops_when_its_time_is_over() -> None:
    """What is left is read the next time."""
    times = iter(range(100))

    def endless() -> Iterator[list[Observation]]:
        while True:
            yield [Observation(SERVICE, empty_at=(T0,))]

    noted = note(endless(), store=MemoryStore(), policy=POLICY, clock=lambda: float(next(times)), until=20)
    assert not noted.complete


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
