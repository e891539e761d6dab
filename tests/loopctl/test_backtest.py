"""`loopctl backtest`: what would have been told of the past, when, what it cost until then; beside the usual rules."""

import csv
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from loopbreaker.policy import Policy
from loopctl import captured
from loopctl.backtest import Result, backtest, slim
from loopctl.cli import app
from loopctl.commands.backtest import since_when
from simulation import Failure, ServiceSpec, Simulation, crash
from tests.loopctl.json_schemas import check
from tests.loopctl.recorded import BEAT, crash_loop
from tests.task_events import CREATED, Json, service_action, task_stopped

DAY = 86_400.0


def run(events: list[Json]) -> Result:
    return backtest([event for envelope in events if (event := slim(envelope))], Policy())


def scaled_in(count: int, *, start: float = CREATED) -> list[Json]:
    """Tasks of a service that scale-in stops, one a minute."""
    return [
        task_stopped(
            service="batch", task_id=f"{n:032x}", created=start + n * 60, stop_code="ServiceSchedulerInitiated"
        )
        for n in range(count)
    ]


def test_a_loop_is_told_with_what_it_cost_until_then_and_in_all() -> None:
    """Of 40 failures three came before the message; the rest is what the message would have spared."""
    (loop,) = run(crash_loop(40)).loops
    assert (loop.service.name, loop.failed_until_told, loop.failed) == ("web", 3, 40)
    assert loop.began_at < loop.told_at < loop.began_at + 3 * BEAT
    # 1 GB through NAT ($0.045), 4 changes in AWS Config ($0.012), a minute of 0.25 vCPU and 0.5 GB ($0.0002).
    assert loop.dollars_until_told == pytest.approx(3 * 0.0572, abs=0.001)
    assert loop.dollars == pytest.approx(40 * 0.0572, abs=0.01)


def test_the_usual_rules_stand_beside() -> None:
    """When each would have told of the loop, and of how many services that do not loop."""
    result = run([*crash_loop(10), *scaled_in(10)])
    (loop,) = result.loops
    assert loop.usual["3 stops in 15 min"] is not None
    assert loop.usual["5 failures in 10 min"] is not None
    assert loop.usual["5 failures in 10 min"] > loop.told_at
    assert {rule: result.beside(rule) for rule in result.usual} == {
        "3 stops in 15 min": 1,
        "5 failures in 10 min": 0,
        "3 failures in 60 min": 0,
    }
    assert (result.services, result.events) == (2, 20)


def test_a_rule_that_says_nothing_of_a_loop_never_tells() -> None:
    """Tasks that die every 12 minutes are no five failures in ten."""
    times = [CREATED + n * 740 for n in range(12)]
    slow = [
        task_stopped(task_id=f"{n:032x}", created=at, stopping=at + 700, execution_stopped=at + 700, stopped=at + 720)
        for n, at in enumerate(times)
    ]
    (loop,) = run(slow).loops
    assert loop.usual["5 failures in 10 min"] is None


def test_the_order_of_a_recording_does_not_matter() -> None:
    """Logs Insights gives the newest first."""
    events = [*crash_loop(8), *crash_loop(8, service="other", start=CREATED + 3 * DAY)]
    assert run(events[::-1]).loops == run(events).loops
    assert len(run(events).loops) == 2


def test_what_is_kept_of_an_event_is_enough() -> None:
    """The slim form of every event of a simulated day leads to the same loops, with a fraction of the text."""
    sim = Simulation(seed=5)
    sim.create_cluster("prod")
    sim.create_service(ServiceSpec(cluster="prod", name="web", behaviour=crash(Failure.APP_CRASH)))
    events: list[Any] = sim.run_until(3 * 3600)
    kept = [event for envelope in events if (event := slim(envelope))]
    assert len(json.dumps(kept)) < len(json.dumps(events)) / 2
    assert [loop.service.name for loop in backtest(kept, Policy()).loops] == ["web"]


def test_what_makes_no_sense_is_counted_and_named() -> None:
    """One broken event costs nobody the rest."""
    broken = task_stopped()
    broken["detail"]["createdAt"] = "yesterday"
    result = run([*crash_loop(5), broken])
    assert len(result.loops) == 1
    assert "createdAt" in result.unreadable[0]


def test_what_ecs_says_of_a_service_counts_too() -> None:
    """Two statements that it cannot start tasks are a loop."""
    said = [service_action(at=CREATED + n * 60, sent=CREATED + n * 60) for n in range(2)]
    assert [loop.profile for loop in run(said).loops] == ["impaired"]


# -- forms of recordings ----------------------------------------------------------------------------------------------


def as_insights(events: list[Json]) -> str:
    """As CloudWatch Logs Insights exports `fields @timestamp, @message`: CSV, the newest first."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["@timestamp", "@message"])
    table.writerows([event["time"], json.dumps(event)] for event in reversed(events))
    return text.getvalue()


def as_described(events: list[Json]) -> str:
    """As `aws ecs describe-tasks` prints the same tasks."""
    return json.dumps({"tasks": [event["detail"] for event in events], "failures": []}, indent=4)


@pytest.mark.parametrize("form", [as_insights, as_described])
def test_tables_of_insights_and_described_tasks_are_recordings_too(form: Any, tmp_path: Path) -> None:
    """Replay and backtest read them as they are."""
    file = tmp_path / "recording"
    file.write_text(form(crash_loop(6)))
    result = CliRunner().invoke(app, ["backtest", "--json", str(file)])
    assert (result.exit_code, result.stderr) == (0, "")
    (loop,) = check("backtest", result.stdout)
    assert (loop["cluster"], loop["service"], loop["failed"]) == ("prod", "web", 6)


def test_a_table_without_messages_is_refused(tmp_path: Path) -> None:
    """With what to ask for instead."""
    file = tmp_path / "recording.csv"
    file.write_text("@timestamp,@ptr\n2026-01-01,abc\n")
    result = CliRunner().invoke(app, ["backtest", str(file)])
    assert result.exit_code == 1
    assert "fields @timestamp, @message" in result.stderr


# -- the command ------------------------------------------------------------------------------------------------------


def test_people_read_the_story_of_each_loop_and_a_sum(tmp_path: Path) -> None:
    """Began, told, over; cost; and the usual rules below."""
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(json.dumps(event) for event in [*crash_loop(40), *scaled_in(9)]))
    result = CliRunner().invoke(app, ["backtest", str(file)])
    lines = result.stdout.splitlines()
    assert lines[0] == "prod/web: app-crash"
    assert "told" in lines[2]
    assert "3 tasks failed, at most $0.17" in lines[2]
    assert "goes on where the recording ends: 40 tasks failed, at most $2.29" in lines[3]
    assert "1 restart loop, 1 message." in result.stdout


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        yield


def record(group: str, events: list[Json]) -> None:
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    now = int(time.time() * 1000)
    told = [{"timestamp": now + n, "message": json.dumps(event)} for n, event in enumerate(events)]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=told)


@pytest.mark.usefixtures("aws")
def test_recordings_are_found_where_the_console_makes_them() -> None:
    """Its log groups, and the groups its rules send to."""
    boto3.client("logs").create_log_group(logGroupName=f"{captured.PREFIX}prod/performance")
    events = boto3.client("events")
    events.put_rule(Name="eventsToLogMine", EventPattern='{"source": ["aws.ecs"]}')
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/somewhere/else:*"
    events.put_targets(Rule="eventsToLogMine", Targets=[{"Id": "1", "Arn": arn}])
    assert captured.groups(boto3.client("logs"), events) == [f"{captured.PREFIX}prod/performance", "/somewhere/else"]


@pytest.mark.usefixtures("aws")
def test_a_log_group_is_read_from_the_time_asked_for() -> None:
    """As one recording; what came before is left out."""
    record("/ecs/events", crash_loop(5))
    named = ["backtest", "--json", "--log-group", "/ecs/events"]
    found = CliRunner().invoke(app, [*named, "--since", "1h"])
    assert [json.loads(line)["service"] for line in found.stdout.splitlines()] == ["web"]
    assert CliRunner().invoke(app, [*named, "--since", "2999-01-01"]).stdout == ""


@pytest.mark.usefixtures("aws")
def test_where_nothing_is_recorded_it_says_what_starts_it() -> None:
    """A command to paste, for this account and Region, on standard output."""
    result = CliRunner().invoke(app, ["backtest"])
    assert result.exit_code == 1
    assert result.stdout.startswith("aws logs create-log-group ")
    assert "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/events/ecs/recording" in result.stdout
    assert "Nothing is recorded" in result.stderr


def test_since_is_a_span_or_a_date() -> None:
    """Anything else is refused before anything is read."""
    assert since_when("2d", now=1e6) == 1e6 - 2 * DAY
    assert since_when("2026-01-01", now=0) == CREATED
    assert CliRunner().invoke(app, ["backtest", "--since", "lately"]).exit_code == 2
