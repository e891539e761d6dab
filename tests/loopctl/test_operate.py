"""The commands that ask a deployed stack: what loops, and bring this one back."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner

from loopbreaker.aws.store import Table
from loopbreaker.remembering.trip import Step, Trip
from loopctl import operate
from loopctl.cli import app
from loopctl.operate import OperateError, installed, table_name, whereabouts
from tests.builders import SERVICE, T0, looping
from tests.schema import create_table

_OUTPUTS = [{"OutputKey": "TableName", "OutputValue": "records"}]


STACK_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/Loopbreaker/1"


class Cloudformation:
    """Describes one stack, with these outputs."""

    def __init__(self, outputs: list[dict[str, str]]) -> None:
        self._outputs = outputs

    def describe_stacks(self, *, StackName: str) -> dict[str, object]:  # noqa: N803 - the API's name
        if StackName != "Loopbreaker":
            body: Any = {"Error": {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}}
            raise ClientError(body, "DescribeStacks")
        return {"Stacks": [{"Outputs": self._outputs, "StackId": STACK_ID}]}


_TRIP = Trip(
    step=Step.HELD,
    since=T0,
    lease_until=T0,
    desired_count=3,
    deployment_id="ecs-svc/1",
    task_definition="web:1",
    scaling=None,
)
HELD = replace(looping(due_at=T0 + 60), version=0, trip=_TRIP)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        create_table(dynamodb, "records")
        stacks = Cloudformation(_OUTPUTS)
        monkeypatch.setattr(operate, "table_name", lambda _client, stack: table_name(stacks, stack))
        monkeypatch.setattr(operate, "whereabouts", lambda _client, stack: whereabouts(stacks, stack))
        monkeypatch.setattr(operate, "installed", lambda _client, stack: installed(stacks, stack))
        yield Table(dynamodb, "records")


def test_resume_asks_for_the_service(table: Table) -> None:
    """`loopctl resume` leaves a request in the record, which the stream hands to respond, and says the saved count."""
    table.save(HELD)
    done = CliRunner().invoke(app, ["resume", SERVICE.cluster, SERVICE.name])
    record = table.load(SERVICE)
    assert (done.exit_code, record.resume_asked, record.asked_at is not None) == (0, True, True)
    assert "brought back to 3" in done.stdout


def test_resume_takes_the_name_as_the_others_do(table: Table) -> None:
    """CLUSTER/SERVICE in one word, as `status` prints it; a name that is none is wrong usage."""
    table.save(HELD)
    assert CliRunner().invoke(app, ["resume", f"{SERVICE.cluster}/{SERVICE.name}"]).exit_code == 0
    assert table.load(SERVICE).resume_asked
    assert CliRunner().invoke(app, ["resume", SERVICE.cluster]).exit_code == 2


def test_resume_of_a_service_that_is_not_held(table: Table) -> None:
    """A service that Loopbreaker does not hold is left alone, with one line that says so and status 1."""
    table.save(replace(HELD, trip=None))
    done = CliRunner().invoke(app, ["resume", SERVICE.cluster, SERVICE.name])
    assert done.exit_code == 1
    assert "does not hold" in done.stderr
    assert not table.load(SERVICE).resume_asked


def test_resume_of_an_unknown_service(table: Table) -> None:
    """A name that nothing is remembered of is an error, not a new record."""
    done = CliRunner().invoke(app, ["resume", "prod", "nobody"])
    assert (done.exit_code, "does not hold such a service" in done.stderr) == (1, True)
    assert table.load(replace(SERVICE, name="nobody")).version == 0


def test_status_lists_what_is_held(table: Table) -> None:
    """`loopctl status --json` names each service that loops, with its saved count."""
    table.save(HELD)
    done = CliRunner().invoke(app, ["status", "--json"])
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert (found["service"], found["state"], found["saved_desired_count"]) == (SERVICE.name, "held at 0", 3)


def test_no_stack(table: Table) -> None:
    """A stack that is not there is one line on standard error and status 1, no traceback."""
    done = CliRunner().invoke(app, ["status", "--stack", "Nothing"])
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)


def test_a_stack_that_is_not_ours() -> None:
    """A stack without our output is named in the error."""
    with pytest.raises(OperateError, match="stack Loopbreaker: has no output TableName"):
        table_name(Cloudformation([]), "Loopbreaker")
