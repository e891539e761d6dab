"""What the environment of a function says, read once; every problem in one error."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from loopbreaker import STACK
from loopbreaker.policy import Mode, Policy
from loopbreaker.thresholds import PolicyError, override, parse
from loopbreaker.treating.scope import Scope


class SettingsError(ValueError):
    """Variables are missing or wrong; the message names every one."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one function. What a function does not use is empty.

    secret_name: the secret in Secrets Manager with Slack's token or webhook; never the secret itself.
    channels: where the bot may post; the first is where it posts all.
    agent_space, agent_daily: of AWS DevOps Agent, and how many investigations it may begin in a day.
    chat_queue: of the bot, for what is to be said in a thread.
    stack: the name of the installation, as people give it to `loopctl`.
    digest: whether services that ail and do not loop are told once a day.
    """

    table_name: str
    index_name: str
    topic_arn: str
    bus_name: str
    chat_topic_arn: str
    outlet_queues: tuple[str, ...]
    runbook: str
    stack: str
    secret_name: str
    channels: tuple[str, ...]
    log_lines: str
    agent_space: str
    agent_daily: int
    chat_queue: str
    digest: bool
    mode: Mode
    scope: Scope
    policy: Policy

    @classmethod
    def from_env(cls, env: Mapping[str, str], *, needs: tuple[str, ...]) -> "Settings":
        """Read the variables; those in `needs` must be there. Raises SettingsError."""
        problems = [f"{name} is not set" for name in needs if not env.get(name)]
        mode, policy = Mode.ALERT, Policy()
        try:
            mode = Mode(env.get("ACTION", Mode.ALERT.value))
        except ValueError:
            problems.append(f"ACTION: not one of {', '.join(map(str, Mode))}: {env['ACTION']!r}")
        try:
            policy = override(policy, _thresholds(env.get("POLICY", "").strip()))
        except PolicyError as error:
            problems += [f"POLICY: {problem}" for problem in error.problems]
        except (ValueError, RecursionError) as error:
            problems.append(f"POLICY: not JSON: {error}")
        if not env.get("AGENT_DAILY", "0").isdecimal():
            problems.append(f"AGENT_DAILY: not a number: {env['AGENT_DAILY']!r}")
        if env.get("LOG_LINES", "off") not in ("off", "tagged", "all"):
            problems.append(f"LOG_LINES: not one of off, tagged, all: {env['LOG_LINES']!r}")
        if problems:
            raise SettingsError("; ".join(problems))
        return cls(
            table_name=env.get("TABLE_NAME", ""),
            index_name=env.get("INDEX_NAME", ""),
            topic_arn=env.get("TOPIC_ARN", ""),
            bus_name=env.get("EVENT_BUS_NAME", "default"),
            chat_topic_arn=env.get("CHAT_TOPIC_ARN", ""),
            outlet_queues=_patterns(env, "OUTLET_QUEUES"),
            runbook=env.get("RUNBOOK_URL", ""),
            stack=env.get("STACK_NAME", STACK),
            secret_name=env.get("SECRET_NAME", ""),
            channels=_patterns(env, "SLACK_CHANNELS"),
            log_lines=env.get("LOG_LINES", "off"),
            agent_space=env.get("AGENT_SPACE", ""),
            agent_daily=int(env.get("AGENT_DAILY", "0")),
            chat_queue=env.get("CHAT_QUEUE", ""),
            digest=env.get("DIGEST", "on") != "off",
            mode=mode,
            scope=Scope(allow=_patterns(env, "ACT_ON"), deny=_patterns(env, "NEVER_ACT_ON")),
            policy=policy,
        )


def _patterns(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(pattern.strip() for pattern in env.get(name, "").split(",") if pattern.strip())


def _thresholds(text: str) -> Mapping[str, object]:
    """JSON, as the CDK app writes it, or `fast.depth=4,outage=300`, as people write it into a parameter."""
    if text[:1].isalpha() and "=" in text:
        return parse(text)
    given = json.loads(text or "{}")
    if not isinstance(given, dict):
        raise PolicyError(f"not an object of thresholds: {given!r}")
    return given
