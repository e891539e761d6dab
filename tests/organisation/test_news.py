"""What the hub reads of an event, field by field, and what it writes of it."""

from dataclasses import replace
from typing import Any

import pytest

from loopbreaker.hub.letters import write
from loopbreaker.hub.news import News, read
from loopbreaker.model import ServiceRef
from loopbreaker.seeing.fields import MalformedEventError
from loopbreaker.telling.letter import Severity
from tests.builders import T0

Json = dict[str, Any]
ACCOUNT, REGION = "210987654321", "us-east-1"
CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/prod"
LOOPS = {
    "version": 2,
    "id": f"{CLUSTER}#web#12#{T0:.0f}",
    "at": "2026-01-01T00:00:00Z",
    "clusterArn": CLUSTER,
    "serviceName": "web",
    "transition": "looping",
    "severity": "warning",
    "verdict": "looping",
    "breaker": "closed",
    "incident": "17",
    "headline": "web is in a restart loop",
    "state": "it fails again and again",
    "reason": "replacements failed 3 times in a row",
    "category": "app-crash",
    "evidence": "exit code 1",
    "firstFailureAt": "2025-12-31T23:00:00Z",
    "failedTasks": 12,
    "estimatedDollarsPerDay": 1.5,
}
OF_WEB = News(
    key=f"{CLUSTER}#web",
    incident="17",
    at=T0,
    number=12,
    account=ACCOUNT,
    region=REGION,
    name="prod/web",
    transition="looping",
    severity=Severity.WARNING,
    headline="web is in a restart loop",
    state="it fails again and again",
    reason="replacements failed 3 times in a row",
    open=True,
    service=ServiceRef(CLUSTER, "web"),
    began_at=T0 - 3600,
    failed_tasks=12,
    category="app-crash",
    evidence="exit code 1",
    dollars_per_day=1.5,
)


def event(**changed: object) -> Json:
    kind = {"source": "loopbreaker", "detail-type": "Restart Loop State Change"}
    return kind | {"account": ACCOUNT, "region": REGION, "detail": LOOPS | changed}


def news(**changed: object) -> News:
    found = read(event(**changed))
    assert found is not None
    return found


def problem(envelope: object) -> str:
    with pytest.raises(MalformedEventError) as refused:
        read(envelope)
    return str(refused.value)


def alarm(*, time: str | None = "2026-01-01T00:05:00Z", **changed: object) -> Json:
    detail: Json = {
        "alarmName": "loopbreaker-Poison",
        "state": {"value": "ALARM", "timestamp": "2026-01-01T00:00:00.000+0000"},
        "configuration": {"description": "An event could not be read."},
    }
    kind = {"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "time": time}
    return kind | {"account": ACCOUNT, "region": REGION, "detail": detail | changed}


# -- a change of state --------------------------------------------------------------------------------------


def test_a_change_is_read_field_by_field() -> None:
    """As the account said it."""
    assert read(event()) == OF_WEB
    assert OF_WEB.order == (T0, 12)


@pytest.mark.parametrize("kind", [{"source": "somebody"}, {"detail-type": "Other"}, {"source": "aws.cloudwatch"}])
def test_what_is_about_something_else_is_passed_over(kind: Json) -> None:
    """By its source and its type together."""
    assert read(event() | kind) is None


@pytest.mark.parametrize(
    ("changed", "is_open"),
    [
        ({}, True),
        ({"verdict": "healthy"}, False),
        ({"verdict": "healthy", "breaker": "open"}, True),
        ({"verdict": "healthy", "breaker": "half-open"}, True),
        ({"incident": ""}, False),
    ],
)
def test_which_services_are_open_after_it(changed: Json, is_open: bool) -> None:
    """Those that loop or are held; what belongs to no incident opens nothing."""
    assert news(**changed).open is is_open


@pytest.mark.parametrize(
    ("id_", "number"),
    [("a#12#17", 12), ("12#17", 0), ("a#b#17", 0), ("a#1b#17", 0), ("a#²#17", 0), ("a#b#12#17", 12), ("x", 0)],
)
def test_the_number_of_a_message_stands_in_its_id(id_: str, number: int) -> None:
    """Before its time; what is no number orders nothing."""
    assert news(id=id_).number == number


@pytest.mark.parametrize(
    ("value", "sum_"),
    [(0, 0.0), (0.5, 0.5), (999_999_999.0, 999_999_999.0), (1e9, None), (-1, None), (True, None), ("1", None)],
)
def test_what_is_a_sum_of_money(value: object, sum_: float | None) -> None:
    """From nothing to a billion."""
    assert news(estimatedDollarsPerDay=value).dollars_per_day == sum_


@pytest.mark.parametrize(("value", "number"), [(1, 1), (0, 0), (-1, 0), (True, 0), (1.5, 0), (None, 0)])
def test_what_is_a_number_of_tasks(value: object, number: int) -> None:
    """A whole one, more than none."""
    assert news(failedTasks=value).failed_tasks == number


def test_long_words_are_cut() -> None:
    """A thousand characters are as much as anybody reads."""
    assert len(news(reason="x" * 5000).reason) == 1000


@pytest.mark.parametrize("account", ["12345678901", "1234567890123", "me", "١٢٣٤٥٦٧٨٩٠١٢"])
def test_an_account_has_twelve_digits(account: str) -> None:
    """Of ASCII."""
    assert "account: not the number of an account" in problem(event() | {"account": account})


@pytest.mark.parametrize("other", [CLUSTER.replace(ACCOUNT, "123456789012"), CLUSTER.replace(REGION, "eu-west-1")])
def test_nobody_speaks_of_another_account_or_region(other: str) -> None:
    """Whoever may put events on the bus is believed about itself alone."""
    assert f"account {ACCOUNT} in {REGION} speaks of another's" in problem(event(clusterArn=other))


def test_what_is_absent_is_named_once() -> None:
    """And nothing that follows from it."""
    assert problem(event(clusterArn=None)) == "detail.clusterArn: absent"
    assert problem(event() | {"account": None}).startswith("account: absent; detail.clusterArn: account  in")
    assert problem(event(at=None)) == "detail.at: absent"


@pytest.mark.parametrize(
    ("envelope", "said"),
    [
        ([], "not an EventBridge event: a list"),
        (event() | {"detail": "x"}, "detail: not an object but text"),
        (event(version=3), "detail.version: this hub reads version 2: deploy the hub of the newer release first"),
        (event(severity="bad"), "detail.severity: not one of "),
    ],
)
def test_what_the_hub_does_not_read_is_refused_by_name(envelope: object, said: str) -> None:
    """It ends in the queue of poison, with an alarm."""
    assert problem(envelope).startswith(said)


# -- an alarm -----------------------------------------------------------------------------------------------


def test_an_alarm_is_read_field_by_field() -> None:
    """It is about no service and opens nothing; the account, Region and name make it one of its kind."""
    assert read(alarm()) == News(
        key=f"{ACCOUNT}#{REGION}#loopbreaker-Poison",
        incident="",
        at=T0,
        number=0,
        account=ACCOUNT,
        region=REGION,
        name="loopbreaker-Poison",
        transition="alarm",
        severity=Severity.CRITICAL,
        headline="Loopbreaker itself needs help",
        state="alarm loopbreaker-Poison rings",
        reason="An event could not be read.",
        open=False,
    )


@pytest.mark.parametrize(
    ("changed", "at"),
    [({}, T0), ({"state": {}}, T0 + 300), ({"state": None}, T0 + 300), ({"state": "ALARM"}, T0 + 300)],
)
def test_when_an_alarm_rang(changed: Json, at: float) -> None:
    """By its own time, else by that of the event; one of them has to be there."""
    found = read(alarm(**changed))
    assert found is not None
    assert found.at == at
    if changed:
        assert problem(alarm(time=None, **changed)) == "detail.state.timestamp: absent"


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ({"description": "x" * 5000}, "x" * 999 + "…"),
        ({"description": ""}, "the alarm has no description"),
        ({}, "the alarm has no description"),
        (None, "the alarm has no description"),
        ("text", "the alarm has no description"),
    ],
)
def test_what_an_alarm_means_is_its_description(configuration: object, reason: str) -> None:
    """Where it has one."""
    found = read(alarm(configuration=configuration))
    assert found is not None
    assert found.reason == reason


# -- what is written ----------------------------------------------------------------------------------------


def test_a_message_of_the_hub_says_whose_it_is() -> None:
    """In its subject, in its text, and in the attributes that a subscription may filter by."""
    mail = write(OF_WEB)
    assert mail.subject == f"[Loopbreaker] {ACCOUNT} {REGION}: web is in a restart loop in prod"
    assert mail.attributes == {
        "account": ACCOUNT,
        "region": REGION,
        "transition": "looping",
        "severity": "warning",
    }
    for line in (
        "it fails again and again",
        "replacements failed 3 times in a row",
        f"{ACCOUNT}, {REGION}",
        "prod/web",
        "2025-12-31 23:00",
        "12 tasks",
        "app-crash: exit code 1",
        "about $1.50 a day",
        f"loopctl show prod/web --region {REGION}",
        "With credentials of that account:",
        "console.aws.amazon.com",
    ):
        assert line in mail.text, line
    assert "Drill" not in mail.text


def test_what_is_not_known_has_no_line() -> None:
    """Neither a beginning nor a number, a cause or a sum."""
    little = replace(
        OF_WEB, began_at=None, failed_tasks=0, category="", evidence="", dollars_per_day=None, reason="", transition=""
    )
    mail = write(little)
    for line in ("Since", "Failed", "Cause", "Cost", "None"):
        assert line not in mail.text, line
    assert "not said" in mail.text
    assert mail.attributes["transition"] == "none"
    assert "Cause:     app-crash\n" in write(replace(OF_WEB, evidence="")).text


def test_an_alarm_is_no_service() -> None:
    """Nothing can be shown of it, and no cluster is named."""
    found = read(alarm())
    assert found is not None
    mail = write(found)
    assert mail.subject == f"[Loopbreaker] {ACCOUNT} {REGION}: Loopbreaker itself needs help"
    assert "Alarm" in mail.text
    assert "Service" not in mail.text
    assert "loopctl show" not in mail.text


def test_a_drill_is_said_to_be_one() -> None:
    """And there is nothing to look at."""
    mail = write(
        replace(OF_WEB, service=ServiceRef(f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/loopbreaker-drill", "web"))
    )
    assert "loopctl show" not in mail.text
