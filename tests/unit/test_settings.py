"""The settings of a function come from its environment; every problem is in one error."""

from dataclasses import replace

import pytest

from handlers.settings import Settings, SettingsError
from loopbreaker.policy import Mode, Policy
from loopbreaker.treating.scope import Scope

FULL = {
    "TABLE_NAME": "loops",
    "INDEX_NAME": "due",
    "TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:loops",
    "EVENT_BUS_NAME": "ops",
    "CHAT_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:chat",
    "OUTLET_QUEUES": "https://sqs/one.fifo,https://sqs/two.fifo",
    "RUNBOOK_URL": "https://example.com/runbook",
    "SECRET_NAME": "ops/slack",
    "STACK_NAME": "Observability",
    "LOG_LINES": "tagged",
    "SLACK_CHANNELS": "C0123456789,C9999999999",
    "ACTION": "stop",
    "ACT_ON": "prod/*, stage/web",
    "NEVER_ACT_ON": "*/payments,",
    "DIGEST": "off",
    "POLICY": '{"fast": {"depth": 4}, "slow.depth": 5, "confirm_after": 60}',
}


def test_everything_is_read() -> None:
    """Names, mode and thresholds, nested or by their dotted key."""
    policy = replace(
        Policy(), fast=replace(Policy().fast, depth=4), slow=replace(Policy().slow, depth=5), confirm_after=60
    )
    assert Settings.from_env(FULL, needs=tuple(FULL)) == Settings(
        table_name="loops",
        index_name="due",
        topic_arn="arn:aws:sns:eu-west-1:123456789012:loops",
        bus_name="ops",
        chat_topic_arn="arn:aws:sns:eu-west-1:123456789012:chat",
        outlet_queues=("https://sqs/one.fifo", "https://sqs/two.fifo"),
        runbook="https://example.com/runbook",
        stack="Observability",
        secret_name="ops/slack",
        channels=("C0123456789", "C9999999999"),
        agent_space="",
        agent_daily=0,
        digest=False,
        chat_queue="",
        log_lines="tagged",
        mode=Mode.STOP,
        scope=Scope(allow=("prod/*", "stage/web"), deny=("*/payments",)),
        policy=policy,
    )


def test_nothing_set_means_alert_with_the_default_policy() -> None:
    """Without configuration nothing is ever acted upon."""
    read = Settings.from_env({}, needs=())
    assert (read.mode, read.policy, read.bus_name) == (Mode.ALERT, Policy(), "default")
    assert read.scope == Scope()
    assert (read.table_name, read.index_name, read.topic_arn) == ("", "", "")
    assert Settings.from_env({"POLICY": ""}, needs=()).policy == Policy()


def test_thresholds_may_be_text() -> None:
    """As people write them into the parameter of a template."""
    read = Settings.from_env({"POLICY": " slow.depth=5, outage=300 "}, needs=())
    assert read.policy == replace(Policy(), slow=replace(Policy().slow, depth=5), outage=300)
    with pytest.raises(SettingsError, match="POLICY: unknown threshold 'outtage'; did you mean 'outage'"):
        Settings.from_env({"POLICY": "outtage=3"}, needs=())


def test_every_problem_is_in_one_error() -> None:
    """Missing and wrong variables are all named at once."""
    env = {"TABLE_NAME": "", "ACTION": "explode", "POLICY": '{"fast": {"depth": -1}, "speed": 3}'}
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(env, needs=("TABLE_NAME", "TOPIC_ARN"))
    text = str(refused.value)
    assert text.startswith(
        "TABLE_NAME is not set; TOPIC_ARN is not set; ACTION: not one of alert, rollback, stop: 'explode'"
    )
    assert "POLICY: fast.depth must be a whole number, at least 2, not '-1'" in text
    assert "POLICY: unknown threshold 'speed'" in text


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ("{", "POLICY: not JSON: "),
        ("[" * 100_000, "POLICY: not JSON: "),
        ("[1]", r"POLICY: not an object of thresholds: \[1\]"),
        ("3", "POLICY: not an object of thresholds: 3"),
        ("null", "POLICY: not an object of thresholds: None"),
        ('{"fast": 3}', "POLICY: unknown threshold 'fast'"),
        ('{"fast": {"depth": {"x": 1}}}', "POLICY: fast.depth must be a whole number, at least 2, not "),
    ],
)
def test_a_policy_that_cannot_be_read_is_refused(policy: str, problem: str) -> None:
    """Broken JSON and JSON of another shape are errors of the variable POLICY, not of the program."""
    with pytest.raises(SettingsError, match=problem):
        Settings.from_env({"POLICY": policy}, needs=())
