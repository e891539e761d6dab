"""The configuration: what is read, and that everything wrong is told at once."""

import json
from pathlib import Path

import pytest

from handlers.settings import Settings
from infra.config import ConfigError, StackConfig
from loopbreaker.policy import Mode, Policy
from loopbreaker.thresholds import override


def test_nothing_given_means_the_defaults() -> None:
    """Without context the stack alerts about ECS events, keeps its data, and tells nobody yet."""
    config = StackConfig.from_context({})
    assert config == StackConfig()
    assert (config.action, config.event_source, config.keep_data) == (Mode.ALERT, ("aws.ecs",), True)


def test_every_key_is_read_from_the_command_line() -> None:
    """Text from `-c key=value` becomes typed values."""
    context = {
        "mail": "ops@example.com, oncall@example.com",
        "https": "https://example.com/hook",
        "action": "stop",
        "event_source": "aws.ecs,example.replay",
        "stack_name": "Loops-prod",
        "log_retention_days": "90",
        "log_level": "DEBUG",
        "policy": "fast.depth=4, confirm_after=0.5",
        "keep_data": "false",
    }
    assert StackConfig.from_context(context) == StackConfig(
        mail=("ops@example.com", "oncall@example.com"),
        https=("https://example.com/hook",),
        action=Mode.STOP,
        event_source=("aws.ecs", "example.replay"),
        stack_name="Loops-prod",
        log_retention_days=90,
        log_level="DEBUG",
        policy=override(Policy(), {"fast.depth": 4, "confirm_after": 0.5}),
        keep_data=False,
    )


def test_cdk_json_may_hold_typed_values() -> None:
    """JSON from cdk.json means the same as text from the command line."""
    config = StackConfig.from_context({"log_retention_days": 90, "keep_data": False})
    assert (config.log_retention_days, config.keep_data) == (90, False)


def test_the_cdk_s_own_keys_are_left_alone() -> None:
    """Context that CDK adds by itself is not taken for a mistake."""
    own = {"aws:cdk:bundling-stacks": ["**"], "@aws-cdk/core:target-partitions": ["aws"], "cdk-migrate": True}
    assert StackConfig.from_context(own) == StackConfig()


def test_a_file_holds_the_same_keys(tmp_path: Path) -> None:
    """Lists, numbers, truth values and a table of thresholds; the command line is on top, key by key."""
    file = tmp_path / "loopbreaker.toml"
    file.write_text(
        """
        mail = ["ops@example.com", "oncall@example.com"]
        action = "stop"
        log_retention_days = 90
        keep_data = false
        [policy]
        outage = 240
        fast.depth = 4
        """
    )
    config = StackConfig.from_context({"action": "rollback"}, file=file)
    assert config == StackConfig(
        mail=("ops@example.com", "oncall@example.com"),
        action=Mode.ROLLBACK,
        log_retention_days=90,
        keep_data=False,
        policy=override(Policy(), {"outage": 240, "fast.depth": 4}),
    )
    assert StackConfig.from_context({}, file=tmp_path / "none.toml") == StackConfig()


def test_a_wrong_file_is_refused_with_all_that_is_wrong(tmp_path: Path) -> None:
    """As on the command line; a file that is no TOML is named with what is wrong with it."""
    file = tmp_path / "loopbreaker.toml"
    file.write_text('mial = "x"\nkeep_data = 3\n[policy]\nfast = { depht = 4 }\n')
    with pytest.raises(ConfigError) as refused:
        StackConfig.from_context({}, file=file)
    assert refused.value.problems == [
        "policy: unknown threshold 'fast.depht'; did you mean 'fast.depth'?",
        "keep_data=3: must be one of true, false",
        "unknown key 'mial'; did you mean 'mail'?",
    ]
    file.write_text("mail = [")
    with pytest.raises(ConfigError, match=r"loopbreaker\.toml: Invalid value"):
        StackConfig.from_context({}, file=file)


def test_a_program_is_held_to_the_same() -> None:
    """Who writes a CDK app gets the error where the value stands."""
    with pytest.raises(ConfigError, match="'ops' is not a mail address"):
        StackConfig(mail=("ops",))
    with pytest.raises(ConfigError, match="act_on and never_act_on"):
        StackConfig(act_on=("prod/*",))


def test_the_functions_get_what_is_not_as_by_default() -> None:
    """What the functions make of it is the policy that was asked for."""
    config = StackConfig.from_context({"policy": "fast.depth=4,slow.depth=5,confirm_after=10,outage=180"})
    assert json.loads(config.policy_json) == {"fast.depth": 4, "slow.depth": 5, "confirm_after": 10}
    read = Settings.from_env({"POLICY": config.policy_json, "ACTION": config.action.value}, needs=())
    assert (read.policy, read.mode) == (config.policy, config.action)


WRONG: dict[str, tuple[dict[str, object], list[str]]] = {
    "no mail address": ({"mail": "ops"}, ["mail=ops", "not a mail address"]),
    "one of two addresses": ({"mail": "ops@example.com,on call@example.com"}, ["on call@example.com"]),
    "the same address twice": ({"mail": "ops@example.com,ops@example.com"}, ["ops@example.com is there twice"]),
    "no TLS": ({"https": "http://example.com"}, ["https=http://example.com", "not an https:// URL"]),
    "no such action": ({"action": "kill"}, ["action=kill", "alert, rollback, stop"]),
    "another AWS source": ({"event_source": "aws.ec2"}, ["event_source=aws.ec2", "aws.ecs"]),
    "no source name": ({"event_source": "my source"}, ["event_source=my source"]),
    "no stack name": ({"stack_name": "1st"}, ["stack_name=1st", "beginning with a letter"]),
    "no such retention": ({"log_retention_days": "31"}, ["log_retention_days=31", "30", "60"]),
    "no such level": ({"log_level": "debug"}, ["log_level=debug", "DEBUG"]),
    "neither true nor false": ({"keep_data": "no"}, ["keep_data=no", "true, false"]),
    "a table where text belongs": ({"mail": {"to": "ops@example.com"}}, ["mail=", "must be text, not dict"]),
    "a list in a list": ({"mail": [["ops@example.com"]]}, ["mail=", "must be text, not list"]),
    "a misspelt key": ({"acton": "stop"}, ["unknown key 'acton'", "did you mean 'action'"]),
    "a key like no other": ({"zzz": "1"}, ["unknown key 'zzz'", "there are: mail, https, slack_workspace"]),
    "a misspelt threshold": (
        {"policy": "fast.dept=4"},
        ["policy: unknown threshold 'fast.dept'", "did you mean 'fast.depth'"],
    ),
    "depth of one": ({"policy": "fast.depth=1"}, ["fast.depth must be a whole number, at least 2, not '1'"]),
    "half a generation": ({"policy": "slow.depth=2.5"}, ["slow.depth must be a whole number", "2.5"]),
    "no time at all": ({"policy": "quiet_after=0"}, ["quiet_after must be seconds, more than 0, not '0'"]),
    "for ever": ({"policy": "quiet_after=inf"}, ["quiet_after must be seconds", "inf"]),
    "no number": ({"policy": "mass_limit=many"}, ["mass_limit must be a whole number", "many"]),
    "certainty": ({"policy": "fast.chance=1"}, ["fast.chance must be a probability", "1"]),
    "no value": ({"policy": "mass_limit"}, ["mass_limit must be a whole number"]),
    "a threshold twice": ({"policy": "mass_limit=1,mass_limit=2"}, ["mass_limit is there twice"]),
    "profiles the wrong way round": (
        {"policy": "slow.max_lifetime=60"},
        ["fast.max_lifetime=900, the default is more than slow.max_lifetime=60"],
    ),
    "over before it is confirmed": (
        {"policy": "confirm_after=60,quiet_after=30"},
        ["policy: confirm_after=60 is more than quiet_after=30"],
    ),
    "against a default": (
        {"policy": "longest_cool_down=60"},
        [f"policy: cool_down={Policy().cool_down:g}, the default is more than longest_cool_down=60"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_context_is_refused_by_name(name: str) -> None:
    """The message names the key, the value and what it must be."""
    context, words = WRONG[name]
    with pytest.raises(ConfigError) as refused:
        StackConfig.from_context(context)
    assert [word for word in words if word not in str(refused.value)] == []


def test_one_message_names_every_problem() -> None:
    """All mistakes of a context are told together, one a line."""
    context = {"mail": "ops", "action": "kill", "retention": "1", "policy": "fast.dept=4,mass_limit=0"}
    with pytest.raises(ConfigError) as refused:
        StackConfig.from_context(context)
    message = str(refused.value)
    assert all(word in message for word in ("mail=ops", "action=kill", "'retention'", "fast.dept", "mass_limit"))
    assert message.count("\n") == 5
