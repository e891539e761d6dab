"""The hub: three accounts speak through the shipped publisher, and the shipped handler hears them.

The embedded AWS has no event buses across accounts, so the tests carry each event from an account to the hub, as the
rule of the account does: late, twice, in any order, or not at all.
"""

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner

from handlers import gather as hub
from loopbreaker.aws.ledger import HubTable, HubTopic
from loopbreaker.hub.letters import write
from loopbreaker.hub.news import News, read
from loopbreaker.seeing.fields import MalformedEventError
from loopbreaker.stories.gather import Gathered, gather
from loopctl.cli import app
from loopctl.hub import hub_table
from tests.loopctl.json_schemas import check
from tests.organisation.accounts import Json, Spoke
from tests.unit.test_handlers import LambdaContext

ACCOUNTS = ("111111111111", "222222222222", "333333333333")
ALARM: Json = {
    "version": "0",
    "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
    "detail-type": "CloudWatch Alarm State Change",
    "source": "aws.cloudwatch",
    "account": ACCOUNTS[1],
    "time": "2026-01-01T01:00:00Z",
    "region": "eu-west-1",
    "resources": ["arn:aws:cloudwatch:eu-west-1:222222222222:alarm:Loopbreaker-AlarmsPoison-1"],
    "detail": {
        "alarmName": "Loopbreaker-AlarmsPoison-1",
        "state": {"value": "ALARM", "reason": "1 > 0", "timestamp": "2026-01-01T01:00:00.000+0000"},
        "previousState": {"value": "OK"},
        "configuration": {"description": "detect failed again and again. Find the error.", "metrics": []},
    },
}
"""As CloudWatch sends it (AWS docs: "Alarm events and EventBridge")."""


@dataclass
class World:
    """What the hub's people read, and what its table says, told by nobody but the hub."""

    sqs: Any
    mailbox: str
    context: Any = field(default_factory=LambdaContext)
    pauses: list[float] = field(default_factory=list)

    def deliver(self, *events: Json) -> list[str]:
        """Names of the messages that the hub gives back to its queue."""
        records = [{"messageId": str(number), "body": json.dumps(event)} for number, event in enumerate(events)]
        failed = hub.handler({"Records": records}, self.context)["batchItemFailures"]
        return [one["itemIdentifier"] for one in failed]

    def letters(self) -> list[Json]:
        found: list[Json] = []
        while got := self.sqs.receive_message(QueueUrl=self.mailbox, MaxNumberOfMessages=10).get("Messages"):
            for message in got:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.mailbox, ReceiptHandle=message["ReceiptHandle"])
        return found


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The hub's table and topic, and a subscriber in place of a person; nobody waits."""
    world_pauses: list[float] = []
    with mock_aws():
        create_hub_table(boto3.client("dynamodb"))
        topic = boto3.client("sns").create_topic(Name="hub")["TopicArn"]
        sqs = boto3.client("sqs")
        mailbox = sqs.create_queue(QueueName="people")["QueueUrl"]
        boto3.client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:people"
        )
        monkeypatch.setattr(hub, "_ledger", lambda: HubTable(boto3.client("dynamodb"), "incidents"))
        monkeypatch.setattr(hub, "_people", lambda: HubTopic(boto3.client("sns"), topic))
        monkeypatch.setattr("handlers.gather.time.sleep", world_pauses.append)
        monkeypatch.setattr("loopctl.hub.hub_table", lambda _client, stack: hub_table(Cloudformation(), stack))
        yield World(sqs, mailbox, pauses=world_pauses)


def create_hub_table(client: Any) -> None:
    """As infra/organisation.py declares it."""
    kinds = {"pk": "S", "sk": "S", "open": "S", "at": "N"}

    def key(partition: str, sort: str) -> list[dict[str, str]]:
        return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]

    client.create_table(
        TableName="incidents",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in kinds.items()],
        KeySchema=key("pk", "sk"),
        GlobalSecondaryIndexes=[
            {"IndexName": "open", "KeySchema": key("open", "at"), "Projection": {"ProjectionType": "ALL"}}
        ],
    )


class Cloudformation:
    """Knows the hub's stack, a stack of somebody else, and no other."""

    def describe_stacks(self, *, StackName: str) -> Json:  # noqa: N803 - the API's name
        if StackName == "LoopbreakerHub":
            return {"Stacks": [{"Outputs": [{"OutputKey": "HubTableName", "OutputValue": "incidents"}]}]}
        if StackName == "Theirs":
            return {"Stacks": [{}]}
        body: Any = {"Error": {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}}
        raise ClientError(body, "DescribeStacks")


def spokes() -> list[Spoke]:
    """Three accounts; in each a service of the same name loops and recovers, and in the first another goes on."""
    made = [Spoke(account) for account in ACCOUNTS]
    for spoke in made:
        spoke.loops_and_recovers("web")
    made[0].loops_and_recovers("api")
    del made[0].said[-1]
    return made


def status(*more: str) -> str:
    done = CliRunner().invoke(app, ["status", "--hub", *more])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_people_of_the_hub_are_told_of_every_account(world: World) -> None:
    """Each change of each account once, and whose it is; `loopctl status --hub` shows what goes on, and where."""
    for spoke in spokes():
        assert world.deliver(*spoke.said) == []
    letters = world.letters()
    for account in ACCOUNTS:
        subjects = [letter["Subject"] for letter in letters if account in letter["Subject"]]
        assert f"[Loopbreaker] {account} eu-west-1: web is in a restart loop in prod" in subjects
        assert sum("web" in subject for subject in subjects) == 3
    assert all("Account:   " in letter["Message"] for letter in letters)
    assert {letter["MessageAttributes"]["account"]["Value"] for letter in letters} == set(ACCOUNTS)
    assert status().splitlines()[0] == "111111111111 eu-west-1"
    assert "  prod/api: app-crash" in status()
    assert status().splitlines()[-1] == "1 service of 1 account."
    assert "web" not in status()
    (loop,) = check("status --hub", status("--json"))
    assert (loop["account"], loop["name"]) == (ACCOUNTS[0], "prod/api")


def test_a_hub_that_was_told_nothing_says_so(world: World) -> None:
    """Nothing loops, rather than nothing at all."""
    assert status() == "No service loops.\n"


def test_what_comes_twice_is_told_once(world: World) -> None:
    """SQS and EventBridge deliver at least once."""
    (spoke, *_) = spokes()
    world.deliver(*spoke.said, *spoke.said)
    world.deliver(*reversed(spoke.said))
    assert len(world.letters()) == len(spoke.said)


@dataclass
class Memory:
    """A ledger and people without AWS. `told` is the order in which people read."""

    kept: dict[tuple[str, str], News] = field(default_factory=dict)
    told: list[News] = field(default_factory=list)
    deaf: bool = False

    def newest(self, news: News) -> tuple[float, int] | None:
        found = self.kept.get((news.key, news.incident))
        return found.order if found else None

    def keep(self, news: News) -> None:
        found = self.kept.get((news.key, news.incident))
        if found is None or found.order < news.order:
            self.kept[news.key, news.incident] = news

    def tell(self, news: News) -> None:
        if self.deaf:
            raise ConnectionError("nobody hears")
        self.told.append(news)


@pytest.mark.parametrize("seed", range(50))
def test_whatever_the_order_the_last_word_of_each_account_stands(seed: int) -> None:
    """Events come in any order and often: nobody reads a thing twice, nor an older thing after a newer one."""
    chance, memory = random.Random(seed), Memory()
    said = [event for spoke in spokes() for event in spoke.said]
    sent = [*said, *chance.choices(said, k=20)]
    chance.shuffle(sent)
    for event in sent:
        news = read(event)
        assert news
        gather(news, ledger=memory, people=memory)
    for spoke in spokes():
        for name in ("web", "api"):
            truth = [event["detail"]["headline"] for event in spoke.said if event["detail"]["serviceName"] == name]
            read_by_people = [n for n in memory.told if (n.account, n.name) == (spoke.account, f"prod/{name}")]
            headlines = [news.headline for news in read_by_people]
            assert headlines[-1:] == truth[-1:]
            times = [news.at for news in read_by_people]
            assert times == sorted(set(times))
    goes_on = [news for news in memory.kept.values() if news.open]
    assert [(news.account, news.name) for news in goes_on] == [(ACCOUNTS[0], "prod/api")]


def test_what_could_not_be_told_is_told_when_it_comes_again() -> None:
    """Nothing is kept as told that nobody read."""
    (spoke, *_) = spokes()
    news = read(spoke.said[0])
    assert news
    memory = Memory(deaf=True)
    with pytest.raises(ConnectionError):
        gather(news, ledger=memory, people=memory)
    memory.deaf = False
    assert gather(news, ledger=memory, people=memory) is Gathered.TOLD


def test_who_is_late_does_not_overwrite(world: World) -> None:
    """Two functions at once: the older news loses, whoever writes last."""
    (spoke, *_) = spokes()
    old, *_, new = [news for event in spoke.said[:3] if (news := read(event))]
    table = HubTable(boto3.client("dynamodb"), "incidents")
    table.keep(new)
    table.keep(old)
    assert table.newest(old) == new.order
    assert list(table.open()) == []


def test_an_account_is_believed_about_itself_alone(world: World) -> None:
    """An event of one account about another's service is refused and kept, the rest of its batch is told."""
    mine, others, _ = spokes()
    forged = mine.said[0] | {"detail": others.said[0]["detail"]}
    elsewhere = mine.said[0] | {"region": "us-east-1"}
    assert world.deliver(forged, elsewhere, others.said[0]) == ["0", "1"]
    assert [ACCOUNTS[1] in letter["Subject"] for letter in world.letters()] == [True]
    with pytest.raises(MalformedEventError, match="account 111111111111 in eu-west-1 speaks of another's"):
        read(forged)


def test_an_alarm_of_an_account_is_told_once(world: World) -> None:
    """The hub's people hear that an installation needs help, though nobody reads that account's own topic."""
    assert world.deliver(ALARM, ALARM) == []
    (letter,) = world.letters()
    assert letter["Subject"] == "[Loopbreaker] 222222222222 eu-west-1: Loopbreaker itself needs help"
    assert "detect failed again and again. Find the error." in letter["Message"]
    assert "Loopbreaker-AlarmsPoison-1" in letter["Message"]
    assert status() == "No service loops.\n"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"version": 3}, "detail.version: this hub reads version 2"),
        ({"clusterArn": "prod"}, "detail.clusterArn: not the ARN of a cluster: 'prod'"),
        ({"clusterArn": None}, "detail.clusterArn: absent"),
        ({"severity": "high"}, "detail.severity: not one of critical, warning, info"),
        ({"at": "yesterday"}, "detail.at: not an ISO 8601 time"),
        ({"at": None, "id": ""}, "detail.id: absent; detail.at: absent"),
        ({"headline": 7}, "detail.headline: not text but a number"),
        ({"serviceName": ""}, "detail.serviceName: absent"),
    ],
)
def test_news_that_cannot_be_read_names_every_bad_field(changed: Json, says: str) -> None:
    """By its path; it ends in the queue of poison, with an alarm."""
    event = spokes()[0].said[0]
    with pytest.raises(MalformedEventError) as error:
        read(event | {"detail": event["detail"] | changed})
    assert says in str(error.value)


@pytest.mark.parametrize("event", [None, [], "", {"source": "loopbreaker"}, {"source": "aws.ecs", "detail": 1}])
def test_what_is_no_news_is_refused_or_passed_over(event: object) -> None:
    """Nothing from outside raises anything else."""
    with suppress(MalformedEventError):
        assert read(event) is None


@pytest.mark.parametrize("event", [ALARM | {"account": "me"}, ALARM | {"detail": []}, ALARM | {"detail": {}}])
def test_an_alarm_that_cannot_be_read_is_refused(event: Json) -> None:
    """As every event of ours."""
    with pytest.raises(MalformedEventError):
        read(event)


def test_amounts_from_outside_are_sums_or_nothing() -> None:
    """JSON of Python may say infinity, and a truth value is a number to it."""
    event = spokes()[0].said[0]
    for amount in (float("inf"), float("nan"), True, "7", -1):
        news = read(event | {"detail": event["detail"] | {"estimatedDollarsPerDay": amount, "failedTasks": amount}})
        assert news
        assert (news.dollars_per_day, news.failed_tasks) == (None, 0)
        assert write(news).text


def test_news_of_the_future_is_refused(world: World) -> None:
    """It would stand as the newest for ever, and silence all that is true."""
    event = spokes()[0].said[0]
    assert world.deliver(event | {"detail": event["detail"] | {"at": "2999-01-01T00:00:00Z"}}) == ["0"]
    assert world.letters() == []


def test_a_storm_of_accounts_leaves_the_subscription_by_mail_alone(world: World) -> None:
    """SNS deactivates a subscription that gets more than ten messages a second; the hub runs twice at once."""
    said = [event for account in range(40) for event in storm(f"{account:012d}")]
    world.deliver(*said)
    told = len(world.letters())
    assert told == 40
    assert sum(world.pauses) >= 2 * told / 10
    world.deliver(*said)
    assert len(world.pauses) == told


def storm(account: str) -> list[Json]:
    """One account, one loop, one message."""
    spoke = Spoke(account)
    spoke.loops_and_recovers("web", reminders=0)
    return spoke.said[:1]


def test_without_its_table_the_hub_gives_everything_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And takes it when the table is there again: the queue keeps it for four days."""

    class Away:
        def newest(self, _news: News) -> None:
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "GetItem")

    said = spokes()[0].said
    monkeypatch.setattr(hub, "_ledger", Away)
    assert len(world.deliver(*said)) == len(said)
    assert world.letters() == []


def test_a_batch_that_takes_too_long_is_given_back(world: World) -> None:
    """Before the function is cut off in the middle of a message."""
    world.context = LambdaContext(remaining=(60_000, 10_000))
    assert world.deliver(*spokes()[0].said[:3]) == ["1", "2"]


@pytest.mark.parametrize(("name", "says"), [("Elsewhere", "no such stack"), ("Theirs", "is it a hub's?")])
def test_a_hub_that_is_not_there_is_said_in_one_line(world: World, name: str, says: str) -> None:
    """With the name that was looked for, and exit status 1."""
    done = CliRunner().invoke(app, ["status", "--hub", "--stack", name])
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"loopctl: stack {name}: ")
    assert says in line
