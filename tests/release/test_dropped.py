"""A deployment that would drop somebody who is told now says so, and does not happen by accident."""

from pathlib import Path
from typing import Any

import pytest

from infra.config import StackConfig
from release.dropped import dropped, main
from tests.aws.fake_clients import FakeClient, refusal

BOTH = "mail ops@example.com, Slack C0123456789"


def cloudformation(recipients: str | None) -> FakeClient:
    """One stack with this output; none where it is of a version without it."""
    outputs = [{"OutputKey": "Recipients", "OutputValue": recipients}] if recipients is not None else []
    stack: dict[str, Any] = {"StackName": "Loopbreaker", "CreationTime": "2026-01-01", "StackStatus": "CREATE_COMPLETE"}
    return FakeClient("cloudformation", describe_stacks={"Stacks": [stack | {"Outputs": outputs}]})


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of anybody lies there."""
    monkeypatch.chdir(tmp_path)


def test_who_would_be_dropped_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Each by name, on standard error; who stays, and who is new, is not."""
    argv = ["-c", "mail=new@example.com", "-c", "slack_token=ops/bot", "-c", "slack_channel=C0123456789", "--quiet"]
    assert main(argv, environment={}, cloudformation=cloudformation(BOTH)) == 1
    said = capsys.readouterr().err
    assert said.startswith("deploy: mail ops@example.com is told now, and would not be told any more\n")
    assert "C0123456789" not in said
    assert "nothing was deployed" in said


@pytest.mark.parametrize(
    "context", [["-c", "mail=ops@example.com,second@example.com"], ["--context=mail=ops@example.com"]]
)
def test_who_stays_is_not_spoken_of(context: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is said where nobody is dropped."""
    assert main(context, environment={}, cloudformation=cloudformation("mail ops@example.com")) == 0
    assert capsys.readouterr().err == ""


def test_the_file_counts_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    """Recipients in loopbreaker.toml are told without being named on the command line."""
    Path("loopbreaker.toml").write_text('mail = ["ops@example.com"]\n')
    assert main([], environment={}, cloudformation=cloudformation("mail ops@example.com")) == 0
    assert capsys.readouterr().err == ""


def test_who_means_it_may() -> None:
    """It is said all the same."""
    assert main([], environment={"DROP": "yes"}, cloudformation=cloudformation(BOTH)) == 0


@pytest.mark.parametrize("recipients", [None, "nobody", "mail , hub "])
def test_where_nobody_was_told_nobody_is_dropped(recipients: str | None) -> None:
    """A first deployment, one of an older version, and a template whose parameters were left empty."""
    assert main([], environment={}, cloudformation=cloudformation(recipients)) == 0


def test_what_cannot_be_known_stops_nobody() -> None:
    """No stack, no credentials, or a configuration that the synth will refuse with all that is wrong."""
    gone = FakeClient("cloudformation", describe_stacks=refusal("ValidationError", "DescribeStacks"))
    assert main([], environment={}, cloudformation=gone) == 0
    assert main(["-c", "mial=x"], environment={}, cloudformation=cloudformation(BOTH)) == 0


def test_what_a_configuration_tells_it_finds_again() -> None:
    """The output that a configuration makes drops nobody of it."""
    config = StackConfig(
        mail=("a@example.com",),
        https=("https://example.com/hook",),
        slack_token="ops/bot",
        slack_channel="C0123456789",
        slack_channels=("C9999999999",),
        slack_webhook="ops/hook",
    )
    outputs = {"Recipients": ", ".join(config.recipients)}
    assert dropped(outputs, config) == ()
    assert dropped(outputs, StackConfig()) == config.recipients
    assert len(config.recipients) == 5
