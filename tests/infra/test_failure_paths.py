"""Nothing fails silently: each path on which something can be lost ends in a queue, and each queue has an alarm."""

import re
from pathlib import Path
from typing import Any

import pytest

from infra.events import TAG_SOURCE
from loopbreaker.drill import SOURCE
from tests.infra.resources import function_ids, of_type, referenced, watched_by

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def watched(template: Json) -> set[tuple[str, str]]:
    """What the alarms look at, as (metric, logical id)."""
    return set(watched_by(template))


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
    """A queue that is worked off has an alarm on the age of what waits, and a dead-letter queue.

    Its tries outlast an hour in which the table takes nothing, and one message that cannot be read, received three
    times until SQS leaves it out of that age, is no alarm.
    """
    for id_ in set(of_type(template, "AWS::SQS::Queue")) - failure_queues(template):
        assert ("ApproximateAgeOfOldestMessage", id_) in watched
        redrive = template["Resources"][id_]["Properties"]["RedrivePolicy"]
        assert redrive["maxReceiveCount"] * template["Resources"][id_]["Properties"]["VisibilityTimeout"] > 3600
        assert set(referenced(redrive)) <= failure_queues(template)


def test_every_function_has_alarms(template: Json, watched: set[tuple[str, str]]) -> None:
    """Errors that go on are told of each function; where one is throttled, what waits for it is late.

    But for the one that draws: it runs while somebody looks, who sees where it fails, and nothing hangs on it.
    """
    for id_, name in function_ids(template).items():
        assert (("Errors", id_) in watched) is (name != "draw")


def test_one_failed_run_is_no_alarm(template: Json) -> None:
    """It is tried again: errors count in two of three periods, of the clock's runs in most of a period."""
    names = function_ids(template)
    for alarm in of_type(template, "AWS::CloudWatch::Alarm").values():
        if alarm.get("MetricName") == "Errors":
            (function,) = referenced(alarm["Dimensions"])
            found = (alarm["Threshold"], alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"])
            assert found == ((3, 1, 1) if names[function] == "sweep" else (0, 2, 3))


def test_the_end_of_an_alarm_is_not_told(template: Json) -> None:
    """A new stack would begin with as many mails as it has alarms, and a topic that fails would tell of itself."""
    assert not any(alarm.get("OKActions") for alarm in of_type(template, "AWS::CloudWatch::Alarm").values())


def test_every_rule_keeps_what_it_cannot_deliver(template: Json, watched: set[tuple[str, str]]) -> None:
    """Events that cannot be delivered go to a queue, and what that does not take either is an alarm.

    A tick of the clock is not kept: the next does the same, and an alarm tells where none arrives.
    Who drills sees what did not arrive, and changed tags are found by the daily look: nobody is woken by them.
    """
    for id_, rule in of_type(template, "AWS::Events::Rule").items():
        for target in rule["Targets"]:
            assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] > 0
            if "ScheduleExpression" in rule:
                assert ("FailedInvocations", id_) in watched
            else:
                found_otherwise = rule["EventPattern"]["source"] in ([SOURCE], [TAG_SOURCE])
                assert (("InvocationsFailedToBeSentToDlq", id_) in watched) != found_otherwise
                assert set(referenced(target["DeadLetterConfig"])) <= failure_queues(template)


def test_every_stream_keeps_what_could_not_be_done(template: Json, watched: set[tuple[str, str]]) -> None:
    """A stream's function retries for a bounded time, ends in a queue, and is in alarm when it falls behind.

    Ten batches of a shard are worked on at a time, all of one service by one of them: who fails delays few others.
    """
    streams = [mapping for mapping in mappings(template) if "StartingPosition" in mapping]
    assert len(streams) == 2
    for mapping in streams:
        (function,) = referenced(mapping["FunctionName"])
        # A look is asked for again by the clock; a message waits for its topic until the stream forgets it.
        assert (
            mapping.get("MaximumRetryAttempts", -1) == {"respond": 10, "notify": -1}[function_ids(template)[function]]
        )
        assert (
            mapping["MaximumRecordAgeInSeconds"]
            == {"respond": 3600, "notify": 86_400}[function_ids(template)[function]]
        )
        assert mapping["ParallelizationFactor"] == 10
        assert mapping["BisectBatchOnFunctionError"] is True
        assert set(referenced(mapping["DestinationConfig"])) <= failure_queues(template)
        (function,) = referenced(mapping["FunctionName"])
        assert ("IteratorAge", function) in watched


def test_every_batch_may_fail_in_part(template: Json) -> None:
    """One bad message does not bring back the good ones of its batch."""
    assert all(mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for mapping in mappings(template))


def test_a_failed_clock_tick_is_not_repeated(template: Json) -> None:
    """The next minute does the same work."""
    (config,) = of_type(template, "AWS::Lambda::EventInvokeConfig").values()
    (function,) = referenced(config["FunctionName"])
    assert function_ids(template)[function] == "sweep"
    assert config["MaximumRetryAttempts"] == 0


def test_undelivered_notifications_have_an_alarm(template: Json, watched: set[tuple[str, str]]) -> None:
    """A subscriber that cannot be reached is told to the others."""
    assert {metric for metric, _ in watched} >= {"NumberOfNotificationsFailed"}
    (topic,) = of_type(template, "AWS::SNS::Topic")
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    assert any(alarm.get("MetricName") == "NumberOfNotificationsFailed" for alarm in alarms)
    assert all(set(referenced(alarm["AlarmActions"])) == {topic} for alarm in alarms)


def test_an_endpoint_that_is_down_loses_nothing_and_delays_nobody(template: Json) -> None:
    """It is tried for half an hour at least and within the hour that SNS allows; then the message is kept.

    Nobody else shares its subscription, and SNS may put into the queue what it took from this topic alone.
    """
    (topic,) = of_type(template, "AWS::SNS::Topic")
    (hook,) = [s for s in of_type(template, "AWS::SNS::Subscription").values() if s["Protocol"] == "https"]
    (kept,) = referenced(hook["RedrivePolicy"]["deadLetterTargetArn"])
    assert kept in failure_queues(template)
    retry = hook["DeliveryPolicy"]["healthyRetryPolicy"]
    between = retry["numRetries"] - retry["numMinDelayRetries"] - retry["numMaxDelayRetries"]
    least = (
        retry["numMinDelayRetries"] * retry["minDelayTarget"] + retry["numMaxDelayRetries"] * retry["maxDelayTarget"]
    )
    assert 1800 < least <= least + between * retry["maxDelayTarget"] < 3600
    policies = of_type(template, "AWS::SQS::QueuePolicy").values()
    (policy,) = [policy for policy in policies if list(referenced(policy["Queues"])) == [kept]]
    (opened,) = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert opened["Principal"] == {"Service": "sns.amazonaws.com"}
    assert list(referenced(opened["Condition"])) == [topic]


def test_every_alarm_says_what_it_means_and_what_to_do(template: Json) -> None:
    """The mail of an alarm is enough to begin with; silence is no alarm."""
    for alarm in of_type(template, "AWS::CloudWatch::Alarm").values():
        text = str(alarm["AlarmDescription"])
        assert len(text) > 80
        assert text.count(".") >= 2
        assert alarm["TreatMissingData"] == "notBreaching"


def test_every_alarm_is_explained_and_paid_for(template: Json) -> None:
    """Who is woken by an alarm finds it in the operations page, and the README counts what they look at."""
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    names = {re.sub(r"^Alarms|[0-9A-F]{8}$", "", id_) for id_ in alarms}
    explained = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")))
    assert names - explained == set()
    always = [alarm for id_, alarm in alarms.items() if "EndpointUnreached" not in id_]
    metrics = sum(max(1, len(alarm.get("Metrics", [0])) - 1) for alarm in always)
    assert f"| alarms on {metrics} metrics at $0.10 | ${metrics / 10:.2f} |" in (ROOT / "README.md").read_text(
        encoding="utf-8"
    )
