"""Slack: what a stack with each way to it may do, how it fails, and what the configuration refuses."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from handlers.settings import Settings
from infra import asset  # first: infra chooses the Node that aws_cdk starts
from infra.config import ConfigError, StackConfig
from infra.stack import LoopbreakerStack
from loopbreaker.policy import Mode
from tests.infra.conftest import FLAGS, a_config
from tests.infra.resources import as_list, functions, of_type, referenced, statements, watched_by
from tests.infra.test_permissions import EXPECTED, LOGS, RECEIVE, actions

# isort: split
import aws_cdk as cdk
from aws_cdk.assertions import Annotations, Match
from cdk_nag import AwsSolutionsChecks

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
BOT = replace(
    a_config(Mode.ALERT),
    slack_token="ops/slack-bot",
    slack_channel="C0123456789",
    slack_channels=("C9999999999",),
    slack_webhook="ops/slack-webhook",
    runbook="https://example.com/runbook",
)
AMAZON_Q = replace(a_config(Mode.ALERT), slack_workspace="T0123456789", slack_channel="C0123456789")


def synthesised(config: StackConfig, folder: Path) -> Json:
    app = cdk.App(context=FLAGS, outdir=str(folder), analytics_reporting=False)
    LoopbreakerStack(app, "Loopbreaker", config=config, package=asset.LAMBDAS)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
    found: Json = json.loads((folder / "Loopbreaker.template.json").read_text())
    return found


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """The template with a bot and a webhook; cdk-nag has nothing against it."""
    return synthesised(BOT, tmp_path_factory.mktemp("bot"))


@pytest.fixture(scope="module")
def amazon_q(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """The template with Amazon Q; cdk-nag has nothing against it."""
    return synthesised(AMAZON_Q, tmp_path_factory.mktemp("q"))


# -- permissions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (
            "chat",
            LOGS
            | RECEIVE
            | {"secretsmanager:GetSecretValue", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        ),
        (
            "webhook",
            LOGS | RECEIVE | {"secretsmanager:GetSecretValue", "dynamodb:GetItem", "dynamodb:UpdateItem"},
        ),
        ("notify", EXPECTED["alert"]["notify"] | {"sqs:SendMessage"}),
        ("detect", EXPECTED["alert"]["detect"]),
        ("respond", EXPECTED["alert"]["respond"]),
        ("sweep", EXPECTED["alert"]["sweep"]),
    ],
)
def test_each_function_may_do_exactly_what_is_written_here(bot: Json, function: str, expected: set[str]) -> None:
    """Slack adds permissions to notify and to its own functions, and to nobody else."""
    assert actions(bot, function) == expected


def test_a_secret_is_read_by_the_one_who_needs_it(bot: Json) -> None:
    """Each outlet reads its own secret, by name, and no other."""
    for function, name in (("chat", "ops/slack-bot"), ("webhook", "ops/slack-webhook")):
        (allowed,) = [s for s in statements(bot, function) if "secretsmanager" in str(s["Action"])]
        assert f":secret:{name}-??????" in json.dumps(allowed["Resource"])
        assert len(as_list(allowed["Resource"])) == 1


def test_no_secret_is_in_an_environment_variable(bot: Json) -> None:
    """The name of the secret is, and nothing that looks like a token or a webhook."""
    variables = {name: item["Environment"]["Variables"] for name, item in functions(bot).items()}
    assert variables["chat"]["SECRET_NAME"] == "ops/slack-bot"
    assert not re.search(r"xox|hooks\.slack", json.dumps(variables))


def test_amazon_q_may_read_and_nothing_else(amazon_q: Json) -> None:
    """The default guardrail is AdministratorAccess: ours is given, and every action of it reads."""
    (channel,) = of_type(amazon_q, "AWS::Chatbot::SlackChannelConfiguration").values()
    (policy,) = of_type(amazon_q, "AWS::IAM::ManagedPolicy").values()
    assert [list(referenced(arn)) for arn in channel["GuardrailPolicies"]] == [
        list(of_type(amazon_q, "AWS::IAM::ManagedPolicy"))
    ]
    granted = [action for statement in policy["PolicyDocument"]["Statement"] for action in as_list(statement["Action"])]
    assert granted
    assert all(action.split(":")[1].startswith(("Describe", "List")) for action in granted)
    assert "AdministratorAccess" not in json.dumps(amazon_q)


def test_amazon_q_reads_a_topic_of_its_own(amazon_q: Json) -> None:
    """It drops what is not in its schema, so mail and endpoints are on another; both are encrypted and told alarms."""
    (channel,) = of_type(amazon_q, "AWS::Chatbot::SlackChannelConfiguration").values()
    (chat,) = referenced(channel["SnsTopicArns"])
    topics = of_type(amazon_q, "AWS::SNS::Topic")
    assert len(topics) == 2
    assert all("KmsMasterKeyId" in topic for topic in topics.values())
    subscribed = {next(referenced(s["TopicArn"])) for s in of_type(amazon_q, "AWS::SNS::Subscription").values()}
    assert chat not in subscribed
    for alarm in of_type(amazon_q, "AWS::CloudWatch::Alarm").values():
        assert set(referenced(alarm["AlarmActions"])) == set(topics)


def test_the_logs_of_amazon_q_end(amazon_q: Json) -> None:
    """They would be kept for ever otherwise."""
    (retention,) = of_type(amazon_q, "Custom::LogRetention").values()
    assert retention["RetentionInDays"] == 30
    assert "/aws/chatbot/" in json.dumps(retention["LogGroupName"])


def test_what_amazon_q_drops_is_told(amazon_q: Json) -> None:
    """An alarm on the messages whose form it does not know."""
    alarms = of_type(amazon_q, "AWS::CloudWatch::Alarm").values()
    assert [alarm for alarm in alarms if alarm.get("MetricName") == "UnsupportedEvents"]


def test_devops_agent_is_off_and_bounded(bot: Json, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Asked for, it may begin investigations in the one agent space, and has a queue and alarms of its own."""
    assert "investigate" not in functions(bot)
    config = replace(BOT, devops_agent="space-1", devops_agent_daily=2)
    made = synthesised(config, tmp_path_factory.mktemp("agent"))
    expected = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "aidevops:CreateBacklogTask"}
    assert actions(made, "investigate") == LOGS | RECEIVE | expected | {"sqs:SendMessage"}
    (begin,) = [s for s in statements(made, "investigate") if s["Action"] == "aidevops:CreateBacklogTask"]
    assert json.dumps(begin["Resource"]).count(":agentspace/space-1") == 1
    variables = functions(made)["investigate"]["Environment"]["Variables"]
    assert (variables["AGENT_SPACE"], variables["AGENT_DAILY"]) == ("space-1", "2")
    (rule,) = [r for r in of_type(made, "AWS::Events::Rule").values() if "aws.aidevops" in json.dumps(r)]
    assert rule["EventPattern"]["detail"] == {"metadata": {"agent_space_id": ["space-1"]}}
    explained = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")))
    names = {re.sub(r"^Alarms|[0-9A-F]{8}$", "", id_) for id_ in of_type(made, "AWS::CloudWatch::Alarm")}
    assert names - explained == set()


# -- failing ----------------------------------------------------------------------------------------------


def test_each_channel_fails_for_itself(bot: Json) -> None:
    """Its own queue, in order, its own failure queue, and an alarm on each."""
    queues = {id_: q for id_, q in of_type(bot, "AWS::SQS::Queue").items() if q.get("FifoQueue")}
    work = {id_: q for id_, q in queues.items() if "RedrivePolicy" in q}
    assert (len(queues), len(work)) == (4, 2)
    watched = set(watched_by(bot))
    for id_, queue in work.items():
        (failed,) = referenced(queue["RedrivePolicy"])
        assert failed in queues
        assert ("ApproximateNumberOfMessagesVisible", failed) in watched
        assert ("ApproximateAgeOfOldestMessage", id_) in watched
        (timeout,) = {item["Timeout"] for name, item in functions(bot).items() if name in ("chat", "webhook")}
        assert queue["VisibilityTimeout"] >= 6 * timeout


def test_the_environment_is_what_the_settings_read(bot: Json) -> None:
    """Notify knows the queues and the runbook, the bot its channels, the default one first."""
    variables = {
        name: {
            key: value if isinstance(value, str) else "token,token"
            for key, value in item["Environment"]["Variables"].items()
        }
        for name, item in functions(bot).items()
    }
    notify = Settings.from_env(variables["notify"], needs=("TOPIC_ARN", "OUTLET_QUEUES"))
    assert (len(notify.outlet_queues), notify.runbook) == (2, "https://example.com/runbook")
    chat = Settings.from_env(variables["chat"], needs=("SLACK_CHANNELS", "SECRET_NAME", "TABLE_NAME"))
    assert chat.channels == ("C0123456789", "C9999999999")
    Settings.from_env(variables["webhook"], needs=("SECRET_NAME",))


def test_every_alarm_of_a_channel_is_explained(bot: Json, amazon_q: Json) -> None:
    """Who is woken by one finds it in the operations page."""
    explained = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")))
    for template in (bot, amazon_q):
        names = {re.sub(r"^Alarms|[0-9A-F]{8}$", "", id_) for id_ in of_type(template, "AWS::CloudWatch::Alarm")}
        assert names - explained == set()


# -- the configuration ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T0/B0/planted",
        "https://HOOKS.slack.com/x",
        "https://discord.com/api/webhooks/1/2",
        "https://acme.webhook.office.com/webhookb2/1",
        "https://chat.googleapis.com/v1/spaces/1",
    ],
)
def test_an_endpoint_that_never_confirms_is_refused(url: str) -> None:
    """It would be deployed without an error and never get a message."""
    with pytest.raises(ConfigError, match="never confirms a subscription"):
        StackConfig.from_context({"https": url})


@pytest.mark.parametrize("key", ["slack_token", "slack_webhook"])
@pytest.mark.parametrize("value", ["xoxb-planted-1", "https://hooks.slack.com/services/T0/B0/planted", "planted name"])
def test_a_secret_is_not_taken_for_its_name_and_not_repeated(key: str, value: str) -> None:
    """The error says what to do, and does not write the secret into the log of the build."""
    with pytest.raises(ConfigError, match=key) as caught:
        StackConfig.from_context({key: value, "slack_channel": "C0123456789"})
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    ("context", "problem"),
    [
        ({"slack_workspace": "T0123456789"}, "slack_workspace: give slack_channel with it"),
        ({"slack_token": "ops/slack"}, "slack_token: give slack_channel with it"),
        ({"slack_channel": "C0123456789"}, "slack_channel: give slack_workspace"),
        ({"slack_channel": "#ops", "slack_token": "ops/slack"}, "a name does not do"),
        ({"slack_workspace": "acme", "slack_channel": "C0123456789"}, "not the id of a Slack workspace"),
        ({"slack_channels": "C0123456789"}, "only a bot posts in several channels"),
        ({"runbook": "docs/runbook"}, "not an https:// URL"),
        (
            {"slack_workspace": "T0123456789", "slack_token": "ops/slack", "slack_channel": "C0123456789"},
            "both would tell the same channel",
        ),
    ],
)
def test_what_does_not_fit_together_is_told(context: dict[str, str], problem: str) -> None:
    """Before anything is deployed."""
    with pytest.raises(ConfigError, match=re.escape(problem)):
        StackConfig.from_context(context)


def test_every_way_to_slack_is_read() -> None:
    """From the command line, as text."""
    context = {
        "slack_channel": "C0123456789",
        "slack_token": "ops/slack-bot",
        "slack_channels": "C9999999999, C8888888888",
        "slack_webhook": "ops/slack-webhook",
        "runbook": "https://example.com/runbook",
    }
    config = StackConfig.from_context(context)
    assert config.slack_channels == ("C9999999999", "C8888888888")
    assert (config.slack_token, config.slack_webhook) == ("ops/slack-bot", "ops/slack-webhook")
    assert config.recipients == (
        "Slack C0123456789",
        "Slack C9999999999",
        "Slack C8888888888",
        "Slack webhook ops/slack-webhook",
    )


def test_a_stack_that_tells_nobody_says_so(tmp_path: Path) -> None:
    """A warning at synth, and none where somebody is told."""
    for config, warned in ((StackConfig(), True), (StackConfig(mail=("ops@example.com",)), False)):
        app = cdk.App(context=FLAGS, outdir=str(tmp_path / str(warned)), analytics_reporting=False)
        stack = LoopbreakerStack(app, "Loopbreaker", config=config, package=asset.LAMBDAS)
        annotations = Annotations.from_stack(stack)
        found = annotations.find_warning("*", Match.string_like_regexp("nobody would be told"))
        assert bool(found) == warned
