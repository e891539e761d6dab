"""What people and programs read: the important lines of every message, in every form."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from loopbreaker.model import Category, ServiceRef
from loopbreaker.record import BreakerState, Incident, NoticeKind, Record, Scaling, Signal, Verdict, tell
from loopbreaker.telling.advice import ADVICE, advice
from loopbreaker.telling.messages import Message, compose, console_url, resume_commands, service_arn
from tests.builders import SERVICE, T0, looping, trip
from tests.task_events import CLUSTER_ARN

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "event.schema.json").read_text())
NOW = T0 + 3610
SCALING = Scaling(
    minimum=2, maximum=8, dynamic_in_suspended=False, dynamic_out_suspended=True, scheduled_suspended=False
)


def told(record: Record, kind: NoticeKind, reason: str = "a reason") -> Message:
    """The message of one step from `record`."""
    after = tell(record, kind, at=NOW, reason=reason)
    return compose(record, after, after.notices[-1])


def stopped(**fields: Any) -> Record:
    return looping(breaker=BreakerState.OPEN, trip=trip(**fields))


def over(record: Record) -> Record:
    """The record after its incident has ended."""
    return tell(Record(service=record.service, version=4), NoticeKind.RECOVERED, at=NOW, reason="all 2 tasks run")


def lines(message: Message) -> list[str]:
    return message.text.splitlines()


# -- for people -------------------------------------------------------------------------------------------


def test_a_loop_in_full() -> None:
    """Who, where, since when, how bad, why, what to do, where to look."""
    message = told(looping(failed_tasks=120), NoticeKind.LOOPING, "replacements failed 4 times in a row")
    assert message.subject == "[Loopbreaker] web is in a restart loop in prod"
    assert lines(message) == [
        "web is in a restart loop (replacements failed 4 times in a row).",
        "",
        "Service:   web",
        "Cluster:   prod (account 123456789012, eu-west-1)",
        "Since:     2026-01-01 00:00 UTC (60 minutes ago)",
        "Failures:  120 tasks, 4 generations in a row, about 120 an hour",
        "Cause:     app-crash, container web, exit code 1",
        "Revision:  web:7",
        "Desired:   2 tasks",
        "",
        f"What to do: {advice(Category.APP_CRASH)}",
        "",
        f"Console: {console_url(SERVICE)}",
    ]


def test_a_stop_says_how_to_undo_it() -> None:
    """The message prints the commands that bring the service back to what it was, the count first."""
    message = told(stopped(scaling=SCALING, desired_count=3), NoticeKind.STOPPED, "desired count set from 3 tasks to 0")
    assert message.subject == "[Loopbreaker] web was stopped in prod"
    assert lines(message)[0] == "web was stopped (desired count set from 3 tasks to 0)."
    (start,) = (n for n, line in enumerate(lines(message)) if line.startswith("What to do"))
    assert lines(message)[start].endswith(
        "Deploy the fix: another task definition on the service brings it back by itself. "
        "By hand: loopctl resume prod web, or"
    )
    assert lines(message)[start + 1 : start + 3] == [
        "  aws ecs update-service --region eu-west-1 --cluster prod --service web --desired-count 3",
        "  aws application-autoscaling register-scalable-target --region eu-west-1 --service-namespace ecs "
        "--resource-id service/prod/web --scalable-dimension ecs:service:DesiredCount --suspended-state "
        "DynamicScalingInSuspended=false,DynamicScalingOutSuspended=true,ScheduledScalingSuspended=false",
    ]


@pytest.mark.parametrize(
    ("kind", "headline"),
    [
        (NoticeKind.MASS, "web and others are in a restart loop"),
        (NoticeKind.ROLLED_BACK, "web is being rolled back"),
        (NoticeKind.PROBING, "web is let try"),
        (NoticeKind.BACK, "web was started again"),
        (NoticeKind.BAD_TAG, "web has a tag that is not understood"),
    ],
)
def test_the_other_changes_have_a_headline_and_a_reason(kind: NoticeKind, headline: str) -> None:
    """A rollback leaves the cause to mend; the others ask for nothing."""
    message = told(looping(), kind, "the reason")
    assert message.subject == f"[Loopbreaker] {headline} in prod"
    assert lines(message)[0] == f"{headline} (the reason)."
    assert any(line.startswith("What to do") for line in lines(message)) == (kind is NoticeKind.ROLLED_BACK)


def test_a_service_that_was_left_alone() -> None:
    """It says that the loop goes on, and why nothing was done."""
    message = told(looping(), NoticeKind.NOT_STOPPED, "1 task still serves")
    assert message.subject == "[Loopbreaker] web was not stopped in prod"
    assert lines(message)[0] == "web was not stopped (1 task still serves)."
    assert f"It keeps looping. What to do: {advice(Category.APP_CRASH)}" in lines(message)


def test_a_recovery_tells_of_the_incident_that_is_over() -> None:
    """The record has no incident any more; the message takes it from before, and asks for nothing."""
    before = looping(failed_tasks=1, depth=1, desired_count=None, task_definition="")
    after = over(before)
    message = compose(before, after, after.notices[-1])
    assert message.subject == "[Loopbreaker] web has recovered in prod"
    assert "Failures:  1 task, 1 generation in a row, about 1 an hour" in lines(message)
    assert not any(line.startswith(("What to do", "Revision", "Desired")) for line in lines(message))
    assert (message.detail["verdict"], message.detail["incident"]) == ("healthy", "1767225690")


@pytest.mark.parametrize("before", [None, Record(service=SERVICE)])
@pytest.mark.parametrize("kind", NoticeKind)
def test_a_message_without_an_incident(kind: NoticeKind, before: Record | None) -> None:
    """Where the incident is not known the message still names the service and the reason."""
    after = tell(Record(service=SERVICE), kind, at=NOW, reason="")
    message = compose(before, after, after.notices[0])
    assert lines(message)[0].endswith("(no reason was recorded).")
    assert lines(message)[2:4] == ["Service:   web", "Cluster:   prod (account 123456789012, eu-west-1)"]
    assert len(message.text.split("\n\n")) == 3
    assert message.chat["metadata"]["threadId"] == SERVICE.key


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "app-crash, container web, exit code 1"),
        ({"exit_code": 0, "evidence": "exit code 0"}, "app-crash, container web, exit code 0"),
        (
            {"category": Category.OUT_OF_MEMORY, "exit_code": 137, "evidence": "OutOfMemoryError: killed"},
            'out-of-memory, container web, exit code 137, "OutOfMemoryError: killed"',
        ),
        (
            {"category": Category.IMAGE_PULL, "container": "", "exit_code": None, "evidence": "pull access denied"},
            'image-pull, "pull access denied"',
        ),
        ({"category": Category.UNKNOWN, "container": "", "exit_code": None, "evidence": ""}, "unknown"),
    ],
)
def test_the_cause_with_its_evidence(fields: dict[str, Any], expected: str) -> None:
    """Class, container, exit code and the reason's own words, none of them twice."""
    assert f"Cause:     {expected}" in lines(told(looping(**fields), NoticeKind.LOOPING))


@pytest.mark.parametrize(
    ("first_failure", "expected"),
    [
        (NOW, "0 minutes ago"),
        (NOW + 60, "0 minutes ago"),
        (NOW - 60, "1 minute ago"),
        (NOW - 119 * 60, "119 minutes ago"),
        (NOW - 7200, "2 hours ago"),
        (NOW - 47 * 3600, "47 hours ago"),
        (NOW - 72 * 3600, "3 days ago"),
    ],
)
def test_time_spans_in_words(first_failure: float, expected: str) -> None:
    """Minutes, hours or days, whichever says most; a clock that is behind says nothing odd."""
    assert expected in told(looping(first_failure_at=first_failure), NoticeKind.LOOPING).text


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"first_failure_at": NOW - 60, "failed_tasks": 9}, "9 tasks, 4 generations in a row"),
        ({"first_failure_at": NOW - 61, "failed_tasks": 9}, "9 tasks, 4 generations in a row, about 531 an hour"),
        ({"failed_tasks": 0, "depth": 0}, "0 tasks"),
    ],
)
def test_a_rate_needs_something_to_measure(fields: dict[str, Any], expected: str) -> None:
    """After a minute, and where a task failed at all; what ECS merely states has no generations."""
    assert f"Failures:  {expected}" in lines(told(looping(**fields), NoticeKind.LOOPING))


def test_every_cause_has_its_advice() -> None:
    """Each failure category has a next step; ordinary life has the general one."""
    failures = list(Category)[: list(Category).index(Category.UNKNOWN) + 1]
    assert list(ADVICE) == failures
    assert len(set(ADVICE.values())) == len(ADVICE)
    assert advice(Category.SPOT) == ADVICE[Category.UNKNOWN]


# -- undoing and links ------------------------------------------------------------------------------------


def test_a_service_without_scaling_needs_one_command() -> None:
    """So does one whose scaling was suspended before we came: it stays so."""
    suspended = replace(SCALING, dynamic_in_suspended=True, scheduled_suspended=True)
    for scaling in (None, suspended):
        (command,) = resume_commands(SERVICE, trip(scaling=scaling, desired_count=5))
        assert command.endswith("--desired-count 5")


def test_the_count_is_not_below_the_minimum_of_scaling() -> None:
    """A count below the minimum would be lifted anyway."""
    assert resume_commands(SERVICE, trip(scaling=SCALING, desired_count=1))[0].endswith("--desired-count 2")


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-west-1", "console.aws.amazon.com"),
        ("aws-us-gov", "us-gov-west-1", "console.amazonaws-us-gov.com"),
        ("aws-cn", "cn-north-1", "console.amazonaws.cn"),
        ("aws-new", "xx-west-1", "console.aws.amazon.com"),
    ],
)
def test_links_lead_to_the_console_of_the_partition(partition: str, region: str, host: str) -> None:
    """Each partition has its own console."""
    service = ServiceRef(f"arn:{partition}:ecs:{region}:123456789012:cluster/prod", "web")
    assert console_url(service) == f"https://{region}.{host}/ecs/v2/clusters/prod/services/web/tasks"
    assert service_arn(service) == f"arn:{partition}:ecs:{region}:123456789012:service/prod/web"


# -- the forms --------------------------------------------------------------------------------------------

LONG = ServiceRef(f"{CLUSTER_ARN}-{'c' * 250}", "s" * 255)
RECORDS = dict.fromkeys(NoticeKind, looping()) | {NoticeKind.STOPPED: stopped(scaling=SCALING)}


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("service", [SERVICE, LONG, ServiceRef(CLUSTER_ARN, "wéb\nshop")])
def test_the_subject_suits_sns(service: ServiceRef, kind: NoticeKind) -> None:
    """ASCII without line breaks, fewer than 100 characters, however long the names."""
    subject = told(replace(RECORDS[kind], service=service), kind, "réason\n" * 50).subject
    assert subject.isascii()
    assert subject.isprintable()
    assert len(subject) < 100
    assert subject.endswith("...") == (service is LONG)


@pytest.mark.parametrize("kind", NoticeKind)
def test_chat_follows_the_schema_of_custom_notifications(kind: NoticeKind) -> None:
    """Version, source and the fields of the schema, nothing else; short enough for Slack; one thread per incident."""
    chat = told(replace(RECORDS[kind], service=LONG), kind, "reason " * 1000).chat
    assert (chat["version"], chat["source"]) == ("1.0", "custom")
    assert set(chat) == {"version", "source", "content", "metadata"}
    assert set(chat["content"]) == {"textType", "title", "description", "nextSteps", "keywords"}
    assert set(chat["metadata"]) == {"threadId", "summary", "eventType", "relatedResources"}
    assert chat["content"]["textType"] == "client-markdown"
    assert len(chat["content"]["title"]) <= 150
    assert len(chat["content"]["description"]) <= 3000
    assert all(0 < len(step) <= 1000 for step in chat["content"]["nextSteps"])
    assert chat["metadata"]["threadId"] == f"{LONG.key}#1767225690"
    assert chat["metadata"]["eventType"] == f"loopbreaker.{kind.value}"
    assert chat["metadata"]["relatedResources"] == [service_arn(LONG)]


def test_chat_says_what_the_mail_says() -> None:
    """The facts are the description, what to do and the link are the next steps."""
    message = told(looping(), NoticeKind.LOOPING)
    content = message.chat["content"]
    assert content["title"] == ":repeat: web is in a restart loop"
    assert content["description"] in message.text
    assert content["nextSteps"] == message.text.split("\n\n")[2:]
    assert content["keywords"] == ["prod", "web", "app-crash"]
    assert len({told(RECORDS[kind], kind).chat["content"]["title"].split()[0] for kind in NoticeKind}) == len(
        NoticeKind
    )


def test_the_event_in_full() -> None:
    """Names, times and numbers for programs."""
    message = told(stopped(desired_count=3), NoticeKind.STOPPED, "desired count set from 3 tasks to 0")
    assert message.detail_type == "Restart Loop State Change"
    assert message.resources == ("arn:aws:ecs:eu-west-1:123456789012:service/prod/web",)
    assert message.detail == {
        "version": 1,
        "id": f"{CLUSTER_ARN}#web#1#1767229210.000",
        "transition": "stopped",
        "at": "2026-01-01T01:00:10Z",
        "reason": "desired count set from 3 tasks to 0",
        "clusterArn": CLUSTER_ARN,
        "serviceName": "web",
        "verdict": "looping",
        "breaker": "open",
        "incident": "1767225690",
        "profile": "fast",
        "category": "app-crash",
        "depth": 4,
        "failedTasks": 4,
        "firstFailureAt": "2026-01-01T00:00:10Z",
        "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7",
        "savedDesiredCount": 3,
    }


def test_a_count_is_saved_only_while_we_hold_the_service() -> None:
    """A trip that has not stopped anything yet has saved nothing for people; while one task is let try it has."""
    assert told(replace(stopped(), breaker=BreakerState.HALF_OPEN), NoticeKind.PROBING).detail["savedDesiredCount"] == 2
    assert "savedDesiredCount" not in told(looping(trip=trip()), NoticeKind.LOOPING).detail
    assert "savedDesiredCount" not in told(looping(breaker=BreakerState.OPEN), NoticeKind.LOOPING).detail


def test_each_message_of_a_service_has_its_own_id() -> None:
    """Two messages of one step differ, and a repetition does not."""
    record = tell(looping(), NoticeKind.LOOPING, at=NOW, reason="a")
    after = tell(record, NoticeKind.NOT_STOPPED, at=NOW, reason="b")
    first, second = (compose(looping(), after, notice).detail["id"] for notice in after.notices)
    assert first != second
    assert first == compose(None, after, after.notices[0]).detail["id"]


# -- the published schema ---------------------------------------------------------------------------------


def problems(detail: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """What of the keywords that our schema uses does not hold."""
    found = [f"{name} is missing" for name in schema["required"] if name not in detail]
    for name, needed in schema["dependentRequired"].items():
        if name in detail:
            found += [f"{other} is missing" for other in needed if other not in detail]
    for name, value in detail.items():
        rule = schema["properties"].get(name)
        found += [f"{name} is unknown"] if rule is None else [f"{name}: {key}" for key in broken(value, rule)]
    return found


def broken(value: Any, rule: Mapping[str, Any]) -> list[str]:
    checks: dict[str, Callable[[Any], bool]] = {
        "description": lambda _: True,
        "const": lambda expected: value == expected and type(value) is type(expected),
        "enum": lambda allowed: value in allowed,
        "type": lambda kind: type(value).__name__ == {"string": "str", "integer": "int"}[kind],
        "minLength": lambda least: len(value) >= least,
        "minimum": lambda least: value >= least,
        "pattern": lambda pattern: bool(re.search(pattern, value)),
        "format": lambda _: datetime.fromisoformat(value).tzinfo is not None and value.endswith("Z"),
    }
    return [key for key, expected in rule.items() if not checks[key](expected)]


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("record", [None, looping(), stopped(), looping(task_definition="", depth=0, failed_tasks=0)])
def test_every_event_follows_the_published_schema(record: Record | None, signal: Signal, kind: NoticeKind) -> None:
    """docs/event.schema.json describes what is sent, for every transition, signal and state."""
    if record and isinstance(record.incident, Incident):
        record = replace(record, incident=replace(record.incident, signal=signal))
    message = told(record or Record(service=SERVICE), kind)
    assert problems(message.detail, SCHEMA) == []
    assert problems(json.loads(json.dumps(message.detail)), SCHEMA) == []
    assert SCHEMA["title"] == message.detail_type


def test_the_schema_knows_every_word() -> None:
    """A transition, verdict, breaker state, profile or category that is added must be published too."""
    words = {"transition": NoticeKind, "verdict": Verdict, "breaker": BreakerState, "profile": Signal}
    for name, kind in words.items():
        assert SCHEMA["properties"][name]["enum"] == [word.value for word in kind]
    assert SCHEMA["properties"]["category"]["enum"] == [category.value for category in ADVICE]


@pytest.mark.parametrize(
    "change",
    [{"transition": "exploded"}, {"depth": -1}, {"at": "yesterday"}, {"version": 2}, {"colour": "red"}, {"depth": "3"}],
)
def test_the_check_of_the_schema_can_fail(change: dict[str, Any]) -> None:
    """A detail of another shape is found out."""
    with_problem = told(looping(), NoticeKind.LOOPING).detail | change
    try:
        found = problems(with_problem, SCHEMA)
    except (TypeError, ValueError):
        return
    assert found
