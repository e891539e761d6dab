"""The commands that look back, say that somebody is at it, and silence: against a table, and a service with tags."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any
from xml.etree import ElementTree

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from loopbreaker import VERSION
from loopbreaker.aws.findings import Findings
from loopbreaker.aws.receipts import Receipts, described
from loopbreaker.aws.store import Table
from loopbreaker.model import Category, ServiceRef, TaskFailure
from loopbreaker.picture.loops import state
from loopbreaker.remembering.history import add
from loopbreaker.remembering.incident import Incident, Signal, Suspicion
from loopbreaker.remembering.notice import NoticeKind, Told
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import Step
from loopbreaker.telling.diagnosis import Diagnosis, Difference
from loopctl import operate
from loopctl.cli import app
from tests.builders import DEPLOYMENT, SERVICE, T0, TASK_DEFINITION, incident, looping
from tests.loopctl.json_schemas import FOLDER, check
from tests.loopctl.test_operate import HELD
from tests.schema import create_table

NAME = f"{SERVICE.cluster}/{SERVICE.name}"
WHERE = SERVICE.cluster_arn.partition(":cluster/")[0]


def run(*args: str, width: int = 80) -> Result:
    return CliRunner().invoke(app, list(args), env={"COLUMNS": str(width)})


def failure(service: ServiceRef, task_id: str, created: float) -> TaskFailure:
    """A task that starts in 8 s and crashes after 40."""
    return TaskFailure(
        service=service,
        task_id=task_id,
        created_at=created,
        failed_at=created + 48,
        lifetime=40.0,
        category=Category.APP_CRASH,
        container="web",
        evidence="exit code 1",
        exit_code=1,
        deployment_id=DEPLOYMENT,
        task_definition=TASK_DEFINITION,
    )


def looped(number: int = 0, *, service: ServiceRef = SERVICE, **fields: Any) -> Incident:
    """An incident of some hours ago with failures that can be shown."""
    opened = T0 + number * 86_400
    failures = [failure(service, f"{number}-{n}", opened + 60 * n) for n in range(30)]
    made = incident(
        opened_at=opened + 180,
        first_failure_at=failures[0].failed_at,
        last_failure_at=failures[-1].failed_at,
        failed_tasks=30,
        **fields,
    )
    return replace(made, history=add(made.history, failures, since=opened))


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        create_table(dynamodb, "records")
        monkeypatch.setattr(operate, "table_name", lambda _client, _stack: "records")
        monkeypatch.setattr(operate, "whereabouts", lambda _client, _stack: WHERE)
        monkeypatch.setattr(operate, "installed", lambda _client, _stack: ("0.0.7", "alert"))
        yield Table(dynamodb, "records")


@pytest.fixture
def past(table: Table) -> Table:
    """Three loops that are over, two of them of one service, and one that goes on."""
    other = ServiceRef(cluster_arn=SERVICE.cluster_arn, name="other")
    table.archive(SERVICE, looped(0), closed_at=T0 + 4000, reason="no task failed for 12 minutes")
    table.archive(SERVICE, looped(1), closed_at=T0 + 90_400, reason="the service was deleted")
    table.archive(other, looped(2, service=other), closed_at=T0 + 176_800, reason="no task failed for 12 minutes")
    told = tell(replace(looping(due_at=T0), version=0), NoticeKind.LOOPING, at=T0 + 3 * 86_400, reason="why it is one")
    assert told.incident
    going = looped(3, messages=told.incident.messages)
    table.save(replace(told, incident=going))
    return table


# -- history ----------------------------------------------------------------------------------------------------------


def test_history_lists_every_loop_the_newest_first(past: Table) -> None:
    """Of all services, those that go on among them; each once."""
    lines = check("history", run("history", "--json").stdout)
    assert [(line["service"], line["state"]) for line in lines] == [
        (SERVICE.name, "loops"),
        ("other", "over"),
        (SERVICE.name, "over"),
        (SERVICE.name, "over"),
    ]
    assert lines[2]["closed_because"] == "the service was deleted"


def test_history_of_one_service(past: Table) -> None:
    """The others are left out, and so is what is older than was asked for."""
    text = run("history", NAME).stdout
    assert "other" not in text
    assert text.count("loopctl show") == 3
    assert run("history", NAME, "--since", "1h").stdout == "No loop is remembered.\n"


def test_history_says_what_it_left_out(past: Table) -> None:
    """A limit is no secret."""
    assert "3 older ones: --limit 4 shows all." in run("history", "--limit", "1").stdout


def test_an_incident_that_was_taken_up_again_is_one(table: Table) -> None:
    """Archived once and open again under the same number: it is listed once, as open."""
    table.archive(SERVICE, looped(3), closed_at=T0 + 4000, reason="no task failed for 12 minutes")
    table.save(replace(looping(due_at=T0), version=0, incident=looped(3, times=2)))
    (line,) = run("history", "--json").stdout.splitlines()
    assert (json.loads(line)["state"], json.loads(line)["times"]) == ("loops", 2)


def test_a_loop_that_ends_while_it_is_read_counts_once(table: Table) -> None:
    """It is there as going on and as over: its failures are not added up."""
    once = looped(3)
    table.archive(SERVICE, once, closed_at=T0 + 4000, reason="the service was deleted")
    table.save(replace(looping(due_at=T0), version=0, incident=once))
    (line,) = run("history", "--json").stdout.splitlines()
    assert json.loads(line)["failed_tasks"] == once.failed_tasks


def test_a_relapse_shows_all_of_it(table: Table) -> None:
    """Each time that it looped, what was told of it and to whom; the first time is not written over."""
    opened, reopened = looped(0).opened_at, T0 + 20_000
    first = looped(0, openings=(opened,), messages=(Told(opened, NoticeKind.LOOPING, "why it is one"),))
    table.archive(SERVICE, first, closed_at=T0 + 4000, reason="no task failed for 12 minutes")
    again = replace(
        looped(0, times=2, openings=(opened, reopened), messages=(Told(reopened, NoticeKind.LOOPING, "again"),)),
        opened_at=opened,
    )
    receipts = Receipts(boto3.client("dynamodb"), "records", clock=lambda: T0)
    mail = ("mail topic loops", "Slack channel C0123456789")
    receipts.note(SERVICE, first.id, 1, to=mail, said=described(opened, NoticeKind.LOOPING, "why it is one"))
    receipts.note(SERVICE, first.id, 2, to=mail[:1], said=described(T0 + 4000, NoticeKind.RECOVERED, "it is over"))
    table.save(replace(looping(due_at=T0), version=0, incident=again))
    for _ in range(2):
        (shown,) = check("show", run("show", NAME, "--json").stdout)
        assert [(told["transition"], told["reason"], len(told["to"])) for told in shown["messages"]] == [
            ("looping", "why it is one", 2),
            ("recovered", "it is over", 1),
            ("looping", "again", 0),
        ]
        assert (shown["times"], shown["failed_tasks"]) == (2, 60)
        assert sum(count["failed"] for count in shown["counts"]) == 60
        text = run("show", NAME).stdout
        assert "to Slack channel C0123456789, mail topic loops" in text
        assert len(run("history", "--json").stdout.splitlines()) == 1
        # The same once it is over.
        table.archive(SERVICE, again, closed_at=T0 + 30_000, reason="no task failed for 12 minutes")
        table.save(Record(service=SERVICE, version=1))


@pytest.mark.parametrize("name", ["web", "a/b/c", "prod/", "prod/web@x"])
def test_a_name_that_is_none_is_wrong_usage(name: str) -> None:
    """Said before anything is asked."""
    assert run("show", name).exit_code == 2


# -- show -------------------------------------------------------------------------------------------------------------


def test_show_draws_and_tells(past: Table) -> None:
    """The picture, why, what was told, the first and last failures, and what to type next."""
    text = run("show", NAME).stdout
    assert re.search(r"^slot 1 .*✕", text, re.MULTILINE)
    assert "× 24 alike" in text
    assert "Cause:    app-crash, in web, exit code 1" in text
    assert "looping: why it is one" in text
    assert "… 24 more …" in text
    assert f"loopctl ack {NAME}" in text


def test_show_finds_an_older_one_by_its_number(past: Table) -> None:
    """As `history` prints it."""
    text = run("show", f"{NAME}@{looped(0).id}").stdout
    assert "over: no task failed for 12 minutes" in text
    assert "loopctl ack" not in text, "it is over"


def test_show_of_nothing_is_an_error(past: Table) -> None:
    """One line, status 1."""
    for name in ("prod/nobody", f"{NAME}@1"):
        done = run("show", name)
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)


def test_show_tells_what_was_found_out(past: Table) -> None:
    """What changed, when it was deployed, the last log lines: in words, in JSON, and as a line in the picture."""
    found = Diagnosis(
        deployed_at=T0 + 3 * 86_400 - 100,
        compared_with="web:6",
        changes=(Difference("image tag of web", "1.4", "1.5"),),
        lines=("could not connect to db",),
        log_stream="web/1",
    )
    Findings(boto3.client("dynamodb"), "records", past).keep(SERVICE, looped(3), found)
    text = run("show", NAME).stdout
    assert "image tag of web: 1.4 -> 1.5" in text
    assert "could not connect to db" in text
    assert "│ deployment" in text
    (shown,) = check("show", run("show", NAME, "--json").stdout)
    assert shown["diagnosis"]["changes"] == [{"what": "image tag of web", "before": "1.4", "after": "1.5"}]


def test_programs_get_all_of_it(past: Table) -> None:
    """What was told, the failures and the counts, as the published schema has it."""
    (shown,) = check("show", run("show", NAME, "--json").stdout)
    assert [told["transition"] for told in shown["messages"]] == ["looping"]
    assert sum(count["failed"] for count in shown["counts"]) == shown["failed_tasks"] == 30
    assert len(shown["failures"]) == 6
    assert [line["id"] for line in check("status", run("status", "--json").stdout)] == [shown["id"]]


def test_show_as_svg_and_as_a_page(past: Table) -> None:
    """The drawing alone is a document; the page holds the same drawing and the story, and no script."""
    drawing = run("show", NAME, "--svg").stdout
    ElementTree.fromstring(drawing)
    page = run("show", NAME, "--html").stdout
    assert "<svg " in page
    assert "why it is one" in page
    assert "<script" not in page


def test_show_opens_the_page(past: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the browser, or says where it is when there is none."""
    opened: list[str] = []

    def browse(url: str) -> bool:
        opened.append(url)
        return False

    monkeypatch.setattr("webbrowser.open", browse)
    assert "the page is /" in run("show", NAME, "--open").stdout
    assert opened[0].startswith("file:///")


# -- status -----------------------------------------------------------------------------------------------------------


def test_status_says_it_in_words(table: Table) -> None:
    """Held, looping and suspected, in words that need no explanation; none of our own terms."""
    table.save(HELD)
    other = replace(SERVICE, name="other")
    table.save(replace(looping(due_at=T0), service=other, version=0))
    third = Record(service=replace(SERVICE, name="third"), due_at=T0)
    table.save(replace(third, suspicion=Suspicion(signal=Signal.FAST, at=T0, depth=3, since=T0)))
    text = run("status").stdout
    assert text.startswith("1 service loops, 1 held by Loopbreaker, 1 suspected; ")
    assert f"{NAME}  HELD AT 0 for" in text
    assert "had 3 tasks" in text
    assert "other  LOOPS for" in text
    assert "third  SUSPECTED for" in text
    assert f"loopctl resume {NAME} --region {SERVICE.region}" in text
    assert not re.search("breaker (closed|open)|verdict|half-open", text)


def test_status_says_which_version_is_deployed(past: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside that of the command where they differ; programs get the loops alone."""
    said = f"Stack Loopbreaker: version 0.0.7, mode alert; this loopctl is {VERSION}."
    assert run("status").stdout.endswith(f"\n\n{said}\n")
    monkeypatch.setattr(operate, "installed", lambda _client, _stack: (VERSION, "stop"))
    assert run("status").stdout.endswith(f"\n\nStack Loopbreaker: version {VERSION}, mode stop.\n")
    assert "Stack" not in run("status", "--json").stdout


@pytest.mark.parametrize(("step", "signal"), [(step, signal) for step in (None, *Step) for signal in Signal])
def test_every_state_has_a_word(step: Step | None, signal: Signal) -> None:
    """Whatever shows the loop, and whatever we do to the service; none is a term of ours."""
    assert HELD.trip is not None
    trip = replace(HELD.trip, step=step) if step else None
    word = state(replace(HELD, trip=trip, incident=incident(signal=signal)))
    assert word
    assert not re.search("open|closed|breaker|impaired", word)
    published = json.loads((FOLDER / "loop.schema.json").read_text())["properties"]
    assert word in published["state"]["enum"]
    assert signal.value in published["profile"]["enum"]


def test_nothing_is_wider_than_the_terminal(past: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 60, 80 and 120 columns; names are whole."""
    for width, command in product((60, 80, 120), (["status"], ["history"], ["show", NAME])):
        monkeypatch.setattr("loopctl.session.Screen.width", width)
        text = run(*command).stdout
        assert max(map(len, text.splitlines())) <= width
        assert NAME in text


# -- ack, mute --------------------------------------------------------------------------------------------------------


def test_ack_is_kept_with_the_incident(past: Table) -> None:
    """Where reminders are decided; said again it changes nothing."""
    for _ in range(2):
        done = run("ack", NAME)
        assert (done.exit_code, "no more reminders" in done.stdout) == (0, True)
    record = past.load(SERVICE)
    assert record.incident
    assert record.incident.acknowledged
    assert "acknowledged" in run("status").stdout


def test_ack_of_a_service_in_no_loop(table: Table) -> None:
    """Is an error, not a new record."""
    done = run("ack", NAME)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"loopctl: {NAME}: it is in no loop; ")
    assert table.load(SERVICE).version == 0


@pytest.fixture
def ecs(table: Table) -> Any:
    """The service, in an ECS that keeps tags."""
    client = boto3.client("ecs")
    client.create_cluster(clusterName=SERVICE.cluster)
    client.register_task_definition(family="web", containerDefinitions=[{"name": "web", "image": "web", "memory": 64}])
    client.create_service(cluster=SERVICE.cluster, serviceName=SERVICE.name, taskDefinition="web", desiredCount=0)
    return client


def tags(ecs: Any) -> dict[str, str]:
    found = ecs.describe_services(cluster=SERVICE.cluster, services=[SERVICE.name])["services"][0]
    listed = ecs.list_tags_for_resource(resourceArn=found["serviceArn"])["tags"]
    return {tag["key"]: tag["value"] for tag in listed}


def test_mute_sets_the_owners_tag(ecs: Any) -> None:
    """In the form that the functions read; unmute takes it away."""
    assert run("mute", NAME, "2099-01-31T18:00Z").exit_code == 0
    assert tags(ecs) == {"loopbreaker:mute-until": "2099-01-31T18:00Z"}
    assert run("unmute", NAME).exit_code == 0
    assert tags(ecs) == {}


def test_a_time_that_is_none_mutes_nothing(ecs: Any) -> None:
    """Wrong usage, said as such."""
    for until in ("soon", "2h30", "2001-01-01T00:00Z", "-1h", "h"):
        assert run("mute", NAME, "--", until).exit_code == 2
    assert tags(ecs) == {}


def test_a_service_that_is_not_there_cannot_be_muted(table: Table) -> None:
    """What AWS says is one line."""
    boto3.client("ecs").create_cluster(clusterName="prod")
    done = run("mute", "prod/nobody", "2h")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
