"""Nothing fails silently: each path on which something can be lost ends in a queue, and each queue has an alarm."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra.resources import function_ids, of_type, referenced

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def watched(template: Json) -> set[tuple[str, str]]:
    """What the alarms look at, as (metric, logical id)."""
    return {
        (alarm["MetricName"], id_)
        for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
        for id_ in referenced(alarm["Dimensions"])
    }


def failure_queues(template: Json) -> set[str]:
    """Queues that nothing reads by itself."""
    read = {id_ for mapping in mappings(template) for id_ in referenced(mapping["EventSourceArn"])}
    return set(of_type(template, "AWS::SQS::Queue")) - read


def mappings(template: Json) -> list[Json]:
    return list(of_type(template, "AWS::Lambda::EventSourceMapping").values())


def test_every_failure_queue_has_an_alarm(template: Json, watched: set[tuple[str, str]]) -> None:
    """A queue that collects failures is in alarm while it is not empty."""
    queues = failure_queues(template)
    assert len(queues) == 5
    assert {("ApproximateNumberOfMessagesVisible", queue) for queue in queues} <= watched


def test_a_late_event_queue_has_an_alarm(template: Json, watched: set[tuple[str, str]]) -> None:
    """A queue that is worked off has an alarm on the age of what waits, and a dead-letter queue."""
    for id_ in set(of_type(template, "AWS::SQS::Queue")) - failure_queues(template):
        assert ("ApproximateAgeOfOldestMessage", id_) in watched
        redrive = template["Resources"][id_]["Properties"]["RedrivePolicy"]
        assert redrive["maxReceiveCount"] == 5
        assert set(referenced(redrive)) <= failure_queues(template)


def test_every_function_has_alarms(template: Json, watched: set[tuple[str, str]]) -> None:
    """Errors and throttles of each function are told."""
    for id_ in function_ids(template):
        assert {("Errors", id_), ("Throttles", id_)} <= watched


def test_every_rule_keeps_what_it_cannot_deliver(template: Json, watched: set[tuple[str, str]]) -> None:
    """Each target of each rule has a retry policy, a dead-letter queue and an alarm on deliveries that failed."""
    for id_, rule in of_type(template, "AWS::Events::Rule").items():
        assert ("FailedInvocations", id_) in watched
        for target in rule["Targets"]:
            assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] > 0
            assert set(referenced(target["DeadLetterConfig"])) <= failure_queues(template)


def test_every_stream_keeps_what_could_not_be_done(template: Json, watched: set[tuple[str, str]]) -> None:
    """A stream's function retries a bounded number of times, ends in a queue, and is in alarm when it falls behind."""
    streams = [mapping for mapping in mappings(template) if "StartingPosition" in mapping]
    assert len(streams) == 2
    for mapping in streams:
        assert mapping["MaximumRetryAttempts"] == 10
        assert mapping["BisectBatchOnFunctionError"] is True
        assert set(referenced(mapping["DestinationConfig"])) <= failure_queues(template)
        (function,) = referenced(mapping["FunctionName"])
        assert ("IteratorAge", function) in watched


def test_every_batch_may_fail_in_part(template: Json) -> None:
    """One bad message does not bring back the good ones of its batch."""
    assert all(mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for mapping in mappings(template))


def test_a_failed_clock_tick_is_kept_and_not_repeated(template: Json) -> None:
    """The function that the clock invokes has a failure destination; the next minute does the same work."""
    (config,) = of_type(template, "AWS::Lambda::EventInvokeConfig").values()
    (function,) = referenced(config["FunctionName"])
    assert function_ids(template)[function] == "sweep"
    assert config["MaximumRetryAttempts"] == 0
    assert set(referenced(config["DestinationConfig"])) <= failure_queues(template)


def test_undelivered_notifications_have_an_alarm(template: Json, watched: set[tuple[str, str]]) -> None:
    """A subscriber that cannot be reached is told to the others."""
    assert {metric for metric, _ in watched} >= {"NumberOfNotificationsFailed"}
    (topic,) = of_type(template, "AWS::SNS::Topic")
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    assert any(alarm["MetricName"] == "NumberOfNotificationsFailed" for alarm in alarms)
    assert all(set(referenced(alarm["AlarmActions"])) == {topic} for alarm in alarms)


def test_every_alarm_says_what_it_means_and_what_to_do(template: Json) -> None:
    """The mail of an alarm is enough to begin with; silence is no alarm."""
    for alarm in of_type(template, "AWS::CloudWatch::Alarm").values():
        text = str(alarm["AlarmDescription"])
        assert len(text) > 80
        assert text.count(".") >= 2
        assert alarm["TreatMissingData"] == "notBreaching"


def test_every_alarm_is_explained_and_paid_for(template: Json) -> None:
    """Who is woken by an alarm finds it in the operations page, and the README counts as many as there are."""
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    names = {re.sub(r"^Alarms|[0-9A-F]{8}$", "", id_) for id_ in alarms}
    explained = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")))
    assert names - explained == set()
    assert f"| {len(alarms)} alarms at $0.10 | ${len(alarms) / 10:.2f} |" in (ROOT / "README.md").read_text(
        encoding="utf-8"
    )
