"""Every command against an AWS that says no: one line that says what, where and what next, and never a traceback."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import exceptions as sdk
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner, Result

from loopbreaker import VERSION
from loopbreaker.aws.store import Table
from loopctl import drill
from loopctl.cli import app
from tests.builders import SERVICE
from tests.loopctl.test_looking_back import looped
from tests.loopctl.test_operate import HELD
from tests.schema import create_table

NAME = f"{SERVICE.cluster}/{SERVICE.name}"
COMMANDS = {
    "scan": ["scan"],
    "backtest": ["backtest"],
    "doctor": ["doctor"],
    "opt-in": ["opt-in", NAME, "stop", "--apply"],
    "status": ["status"],
    "history": ["history"],
    "show": ["show", NAME],
    "ack": ["ack", NAME],
    "mute": ["mute", NAME, "1h"],
    "unmute": ["unmute", NAME],
    "resume": ["resume", NAME],
    "drill": ["drill"],
    "status --hub": ["status", "--hub", "--stack", "Hub"],
}
HAVE = {
    "DescribeStacks": {
        "Stacks": [
            {
                "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/Loopbreaker/1",
                "Outputs": [
                    {"OutputKey": "TableName", "OutputValue": "records"},
                    {"OutputKey": "HubTableName", "OutputValue": "records"},
                    {"OutputKey": "Version", "OutputValue": VERSION},
                    {"OutputKey": "Mode", "OutputValue": "a mode of the future"},
                    {"OutputKey": "TopicArn", "OutputValue": "arn:aws:sns:eu-west-1:123456789012:loops"},
                ],
            }
        ]
    },
    "ListStackResources": {
        "StackResourceSummaries": [
            {
                "ResourceType": "AWS::Lambda::Function",
                "LogicalResourceId": f"{name}Function1",
                "PhysicalResourceId": name,
            }
            for name in ("Notify", "Respond")
        ]
        + [
            {"ResourceType": "AWS::Events::Rule", "LogicalResourceId": "Stops1", "PhysicalResourceId": "stops"},
            {"ResourceType": "AWS::SQS::Queue", "LogicalResourceId": "Poison1", "PhysicalResourceId": "poison"},
            {"ResourceType": "AWS::CloudWatch::Alarm", "LogicalResourceId": "Alarm1", "PhysicalResourceId": "alarm"},
        ]
    },
    "DescribeRule": {"State": "ENABLED"},
    "GetMetricStatistics": {"Datapoints": []},
    "GetQueueAttributes": {"Attributes": {"ApproximateNumberOfMessages": "0"}},
    "ListSubscriptionsByTopic": {"Subscriptions": []},
    "DescribeAlarms": {"MetricAlarms": []},
    "GetFunctionConfiguration": {"Role": "role", "LoggingConfig": {"LogGroup": "notify"}},
    "SimulatePrincipalPolicy": {"EvaluationResults": []},
    "DescribeLogGroups": {"logGroups": [{"logGroupName": "recorded"}]},
    "ListRules": {"Rules": [{"Name": "eventsToLog1"}]},
    "ListTargetsByRule": {"Targets": []},
    "FilterLogEvents": {"events": []},
    "PutEvents": {"FailedEntryCount": 0, "Entries": []},
}


_MADE: dict[tuple[str, str], Any] = {}
_REAL_CLIENT = boto3.Session.client


class Aws:
    """Counts the calls of a command, and answers the one with this number with a fault."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.number, self.fault = -1, ""
        self.services: list[dict[str, Any]] | None = None
        self.answer: Callable[[Any, str, Any], Any] = self.call

    def client(self, session: boto3.Session, service: str, **_config: Any) -> Any:
        """One for each service and Region, that asks here; those of others in this process ask their own AWS.

        To make one takes longer than all that is asked of it.
        """
        key = (service, session.region_name)
        if key not in _MADE:
            _MADE[key] = _REAL_CLIENT(session, service)  # type: ignore[call-overload]
        client = _MADE[key]
        client._make_api_call = lambda operation, given: self.answer(client, operation, given)
        return client

    def call(self, client: Any, operation: str, given: Any) -> Any:
        self.called.append(operation)
        if len(self.called) - 1 == self.number:
            words = f"User: arn:aws:iam::123456789012:user/me is not authorized to perform: {operation}"
            raise ClientError({"Error": {"Code": self.fault, "Message": words}}, operation)
        if operation == "Query" and given.get("IndexName") == "open":
            return {"Items": []}
        return HAVE[operation] if operation in HAVE else type(client)._make_api_call(client, operation, given)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An account with an installation, a service, and a loop of it that goes on."""
    made = Aws()
    with mock_aws():
        table = boto3.client("dynamodb")
        create_table(table, "records")
        ecs = boto3.client("ecs")
        ecs.create_cluster(clusterName=SERVICE.cluster)
        container: Any = {"name": "web", "image": "web", "memory": 128}
        ecs.register_task_definition(family="web", containerDefinitions=[container])
        ecs.create_service(cluster=SERVICE.cluster, serviceName=SERVICE.name, taskDefinition="web", desiredCount=0)
        Table(table, "records").save(HELD)
        Table(table, "records").archive(SERVICE, looped(0), closed_at=1_767_300_000.0, reason="quiet")
        monkeypatch.setattr(boto3.Session, "client", lambda *call, **config: made.client(*call, **config))  # noqa: PLW0108 a method is given its session
        monkeypatch.setattr(boto3.Session, "get_available_regions", lambda *_: ["eu-west-1", "us-east-1", "sa-east-1"])
        monkeypatch.setattr(drill, "_PATIENCE", 0.0)
        yield made


def run(*args: str) -> Result:
    return CliRunner().invoke(app, list(args))


def ended(result: Result) -> int:
    """Its exit status; an exception that nobody caught is none."""
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result.exit_code


@pytest.mark.parametrize("command", COMMANDS)
def test_each_call_may_be_refused(command: str, aws: Aws) -> None:
    """Denied, throttled or with credentials that have expired, each call alone: the call, and what to do, in one line.

    What can be said without the answer is said all the same.
    """
    assert ended(run(*COMMANDS[command])) in ((0, 1) if command in ("drill", "doctor") else (0,))
    calls = len(aws.called)
    assert calls
    refusals = [
        ("AccessDeniedException", "it takes the permission for that"),
        ("ThrottlingException", "try again"),
        ("ExpiredTokenException", "the credentials have expired"),
    ]
    for number in range(calls):
        for aws.fault, remedy in refusals if number == 0 else refusals[:1]:
            aws.called, aws.number = [], number
            result = run(*COMMANDS[command])
            if len(aws.called) <= number:
                continue  # what was acknowledged before is not saved again
            operation = aws.called[number]
            where = (aws.fault, operation, result.output)
            if ended(result) == 0:
                # The diagnosis is left out where it cannot be read.
                assert operation in ("GetItem", "Query"), where
                continue
            assert result.exit_code == 1, where
            said = [line for line in result.output.splitlines() if operation in line and remedy in line]
            assert len(said) == 1, where


FAULTS = [
    (sdk.NoCredentialsError(), "aws sso login"),
    (sdk.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "aws configure"),
    (sdk.UnauthorizedSSOTokenError(), "aws sso login"),
    (sdk.TokenRetrievalError(provider="sso", error_msg="expired"), "aws sso login"),
    (sdk.NoRegionError(), "--region"),
    (sdk.InvalidRegionError(region_name="€"), "eu-west-1"),
    (sdk.EndpointConnectionError(endpoint_url="https://ecs.eu-west-9.amazonaws.com"), "is the Region right"),
    (sdk.ProfileNotFound(profile="nope"), "aws configure list-profiles"),
]


@pytest.mark.parametrize(("fault", "remedy"), FAULTS, ids=[type(fault).__name__ for fault, _ in FAULTS])
@pytest.mark.parametrize("command", COMMANDS)
def test_who_cannot_ask_is_told_how_to(
    command: str, fault: Exception, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No credentials, no Region, no network: one line that begins with loopctl, and status 1."""

    def refuse(*_args: object, **_given: object) -> Any:
        raise fault

    monkeypatch.setattr(boto3, "Session", refuse)
    result = run(*COMMANDS[command])
    assert ended(result) == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("loopctl: ")
    assert remedy in line


@pytest.mark.parametrize("command", ["scan", "status"])
@pytest.mark.parametrize(
    ("code", "lines"), [("ExpiredToken", 1), ("UnrecognizedClientException", 1), ("InternalFailure", 3)]
)
def test_what_is_wrong_everywhere_is_said_once(
    command: str, code: str, lines: int, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all Regions: expired credentials are one line; a Region that is not enabled is none where others are."""

    def refuse(_client: Any, operation: str, _given: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, operation)

    aws.answer = refuse
    result = run(command, "--all-regions")
    assert ended(result) == 1
    said = [line for line in result.stderr.splitlines() if code in line or "expired" in line]
    assert len(said) == lines


@pytest.mark.parametrize("command", ["scan", "status"])
def test_a_region_that_is_not_enabled_is_no_news(command: str, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are shown, and the status is that of success."""
    inner = aws.call

    def answer(client: Any, operation: str, given: Any) -> Any:
        if client.meta.region_name != "eu-west-1":
            raise ClientError({"Error": {"Code": "UnrecognizedClientException", "Message": "no"}}, operation)
        return inner(client, operation, given)

    aws.answer = answer
    result = run(command, "--all-regions")
    assert (ended(result), result.stderr) == (0, "")


def test_the_stack_that_is_not_there_is_said_with_what_to_try(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Region and the name are what is mostly wrong; scan works without one."""
    absent: Any = {"Error": {"Code": "ValidationError", "Message": "Stack with id Loopbreaker does not exist"}}

    def refuse(_client: Any, operation: str, _given: Any) -> Any:
        raise ClientError(absent, operation)

    aws.answer = refuse
    for command in ("status", "history", "doctor", "drill", "show"):
        result = run(*COMMANDS[command])
        assert ended(result) == 1
        (line,) = result.stderr.splitlines()
        assert all(words in line for words in ("stack Loopbreaker", "--region", "--stack", "loopctl scan"))


LONG = "x" * 255


@pytest.mark.parametrize("command", ["opt-in", "show", "ack", "mute", "unmute", "resume"])
def test_a_service_that_is_not_there_is_said_by_its_name(command: str, aws: Aws) -> None:
    """Whatever it is called: one line, status 1, and nothing is changed."""
    first, _, *rest = COMMANDS[command]
    for name in (LONG, "ünï-çødé", "a b", "$(reboot)", "-", "🙂"):
        result = run(first, f"{SERVICE.cluster}/{name}", *rest)
        assert (ended(result), result.stdout) == (1, "")
        (line,) = result.stderr.splitlines()
        assert name in line
    assert {call for call in aws.called if call.startswith(("Put", "Update", "Delete"))} == set()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explain", "--only", "oops", "-"], "'oops' is none of failure, normal"),
        (["explain", "--only", "failed", "-"], "did you mean 'failure'?"),
        (["opt-in", NAME, "stopp"], "did you mean 'stop'?"),
        (["opt-in", NAME, "stop", "--recovery", "manuel"], "did you mean 'manual'?"),
        (["show", "prod"], "not CLUSTER/SERVICE, such as prod/web: 'prod'"),
        (["show", "a/b/c"], "not CLUSTER/SERVICE"),
        (["show", "a/b@c"], "not CLUSTER/SERVICE"),
        (["ack", "prod/\x1b[2J"], r"'prod/\x1b[2J'"),
        (["mute", NAME, "soon"], "neither a time span such as 30m"),
        (["mute", NAME, "2020-01-01"], "'2020-01-01' is past"),
        (["mute", NAME, "9999999d"], "neither a time span"),
        (["history", "--since", "9" * 500 + "d"], "not an age such as 30m"),
        (["history", "--limit", "0"], "--limit"),
        (["backtest", "--since", "never"], "a span such as 30d"),
        (["replay", "--json", "--html", "-"], "one of --json"),
        (["show", "--json", "--svg", NAME], "one of --svg"),
        (["status", "--hub", "--all-regions"], "one of --hub"),
    ],
)
def test_wrong_words_are_named_with_what_would_be_right(arguments: list[str], said: str) -> None:
    """Before anything is asked or read; exit status 2."""
    result = run(*arguments)
    assert ended(result) == 2
    assert said in " ".join(result.stderr.split())
    assert "Value error" not in result.stderr


@pytest.mark.parametrize("text", [["explain", "--only", "FAILURE", "-"], ["mute", NAME, "999999w"]])
def test_what_can_be_understood_is_taken(text: list[str], aws: Aws) -> None:
    """Case does not matter, and a silence ends with the last year that its tag can say."""
    assert ended(run(*text)) == 0


UNREADABLE = {
    "cut.json": b'{"a":',
    "odd.utf16": b"\xff\xfea",
    "damaged.gz": b"\x1f\x8b\x08garbage",
    "zeros": bytes(4096),
    "huge.csv": b"@timestamp,@message\n1," + b"x" * 17_000_000 + b"\n",
}


@pytest.mark.parametrize("command", ["replay", "explain", "backtest"])
@pytest.mark.parametrize("name", [*UNREADABLE, "a folder", "missing"])
def test_a_file_that_is_none_is_named(command: str, name: str, tmp_path: Path) -> None:
    """What cannot be read is one line with the file, and status 1; nothing is made of nothing."""
    path = tmp_path / name
    if name in UNREADABLE:
        path.write_bytes(UNREADABLE[name])
    elif name == "a folder":
        path.mkdir()
    result = run(command, str(path))
    assert ended(result) == 1
    assert str(path) in result.stderr
    assert "no restart loop" not in result.output
    assert "nothing to say" not in result.output


@pytest.mark.parametrize("command", ["status", "history", "show"])
def test_nothing_is_wider_than_the_terminal(command: str, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 40 columns on; no colours in it, whatever the terminal."""
    for width in (40, 60, 80, 120):
        monkeypatch.setattr("loopctl.session.Screen.width", width)
        result = run(*COMMANDS[command])
        assert ended(result) == 0
        assert max(map(len, result.stdout.splitlines())) <= width, (width, result.stdout)
        assert "\x1b" not in result.stdout


def test_an_empty_account_is_an_answer(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cluster, no loop: said as such."""
    monkeypatch.setitem(HAVE, "ListClusters", {"clusterArns": []})
    boto3.client("dynamodb").delete_table(TableName="records")
    create_table(boto3.client("dynamodb"), "records")
    assert run("scan").stdout == "None of 0 services in 0 clusters (eu-west-1) loops now.\n"
    assert run("status").stdout.startswith("No service loops.")
    assert run("history").stdout == "No loop is remembered.\n"


def test_thousands_of_loops_are_all_seen(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three thousand services at once are three thousand lines for programs."""
    monkeypatch.setattr(Table, "due", lambda *_args, limit, **_rest: [SERVICE] * min(3000, limit))
    monkeypatch.setattr(Table, "load", lambda *_args: HELD)
    lines = run("status", "--json").stdout.splitlines()
    assert len(lines) == 3000
    assert json.loads(lines[-1])["state"] == "held at 0"
