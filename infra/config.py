"""What can be chosen at deploy time: in `loopbreaker.toml`, on the command line (`-c action=stop`), or by a program.

All become one `StackConfig`; everything wrong is told in one `ConfigError`.
"""

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from loopbreaker.policy import Mode, Policy
from loopbreaker.thresholds import PolicyError, changes

from . import recipients, values
from .values import ECS_SOURCE

CDK_PREFIXES = ("aws:", "@aws-cdk/", "aws-cdk:", "cdk-")


class ConfigError(ValueError):
    """Everything that is wrong with the configuration, one problem a line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["the configuration is wrong:", *(f"  - {line}" for line in problems)]))
        self.problems = problems


def _is(read: Callable[[object], object], meaning: str) -> dict[str, object]:
    """How a value of the key is read, and what the documents say of it."""
    return {"read": read, "meaning": meaning}


@dataclass(frozen=True, slots=True, kw_only=True)
class StackConfig:
    """The configuration of one installation. Raises ConfigError where a value is wrong, naming all that are.

    Values may be given as text too, as they come from outside; they are kept as the type of their field.
    """

    mail: tuple[str, ...] = field(
        default=(), metadata=_is(values.list_of(recipients.mail), "mail addresses that are told, comma separated")
    )
    https: tuple[str, ...] = field(
        default=(),
        metadata=_is(
            values.list_of(recipients.https),
            "`https://` endpoints that get each event as JSON, comma separated; each has to confirm its subscription",
        ),
    )
    slack_workspace: str = field(
        default="",
        metadata=_is(
            values.or_none(recipients.workspace),
            "id of a Slack workspace (`T…`): Amazon Q Developer in chat applications tells `slack_channel`",
        ),
    )
    slack_channel: str = field(
        default="", metadata=_is(values.or_none(recipients.channel), "id of the Slack channel (`C…`) that is told")
    )
    slack_token: str = field(
        default="",
        metadata=_is(
            values.or_none(recipients.secret_name),
            "name of a secret with the token of a Slack bot, which keeps one message per incident up to date",
        ),
    )
    slack_channels: tuple[str, ...] = field(
        default=(),
        metadata=_is(
            values.list_of(recipients.channel),
            "ids of more channels, which owners may choose by the tag `loopbreaker:channel`; for a bot only",
        ),
    )
    slack_webhook: str = field(
        default="",
        metadata=_is(
            values.or_none(recipients.secret_name),
            "name of a secret with the address of an incoming webhook of Slack; a new message for each change",
        ),
    )
    devops_agent: str = field(
        default="",
        metadata=_is(
            values.or_none(recipients.agent_space),
            "id of an agent space of AWS DevOps Agent, which investigates each incident once; it is paid for by use",
        ),
    )
    devops_agent_daily: int = field(
        default=5, metadata=_is(values.daily, "investigations that may be begun in a day, at most")
    )
    log_lines: str = field(
        default="off",
        metadata=_is(
            values.log_lines,
            "whose last log lines stand in messages, with what looks like a secret masked: `off`, `tagged` "
            "(`loopbreaker:logs` = `true`) or `all`",
        ),
    )
    digest: bool = field(
        default=True,
        metadata=_is(
            values.boolean,
            "services whose tasks fail now and then, and that do not loop, are told in one message a day at most, "
            "each once a week at most",
        ),
    )
    runbook: str = field(
        default="",
        metadata=_is(
            values.or_none(recipients.address),
            "`https://` address of the pages of `docs/runbook`, for links in messages",
        ),
    )
    action: Mode = field(
        default=Mode.ALERT,
        metadata=_is(values.action, "the most that may be done to a service: `alert`, `rollback`, `stop`"),
    )
    act_on: tuple[str, ...] = field(
        default=(),
        metadata=_is(
            values.list_of(values.pattern),
            "patterns of `cluster/service` on which the stack may act, such as `prod/*`, comma separated; "
            "it watches every service all the same; none means all",
        ),
    )
    never_act_on: tuple[str, ...] = field(
        default=(), metadata=_is(values.list_of(values.pattern), "patterns on which it never acts; wins over `act_on`")
    )
    policy: Policy = field(
        default=Policy(),
        metadata=_is(
            values.thresholds,
            "[thresholds](#thresholds) that differ from the default, such as `fast.depth=4,outage=300`",
        ),
    )
    stack_name: str = field(default="Loopbreaker", metadata=_is(values.stack_name, "name of the stack"))
    log_retention_days: int = field(
        default=30, metadata=_is(values.retention, "how long logs of the functions are kept, in days")
    )
    log_level: str = field(default="INFO", metadata=_is(values.log_level, "`DEBUG`, `INFO`, `WARNING`, `ERROR`"))
    keep_data: bool = field(
        default=True, metadata=_is(values.boolean, "the table outlives the stack, protected from deletion")
    )
    event_source: tuple[str, ...] = field(
        default=(ECS_SOURCE,),
        metadata=_is(
            values.sources,
            "where events come from; anything else is for tests, since nobody but AWS can send as `aws.`",
        ),
    )
    hub: str = field(
        default="",
        metadata=_is(
            values.or_none(recipients.bus),
            "ARN of the event bus of a [hub](organisation.md), which is told all that this stack tells",
        ),
    )
    organisation: str = field(
        default="",
        metadata=_is(
            values.or_none(recipients.organisation),
            "id of an organisation (`o-…`): makes the [hub](organisation.md) of its accounts instead of the stack; "
            "it tells by `mail` and `https`",
        ),
    )

    def __post_init__(self) -> None:
        problems: list[str] = []
        for item in fields(self):
            value = getattr(self, item.name)
            try:
                object.__setattr__(self, item.name, item.metadata["read"](value))
            except PolicyError as error:
                problems += [f"{item.name}: {problem}" for problem in error.problems]
            except ValueError as error:
                shown = item.name if item.name in recipients.SECRET_KEYS else f"{item.name}={value}"
                problems.append(f"{shown}: {error}")
        if not problems and self.action is Mode.ALERT and (self.act_on or self.never_act_on):
            problems.append("act_on and never_act_on say where to act, but action=alert never acts")
        if not problems:
            problems += recipients.problems(
                workspace=self.slack_workspace,
                channel=self.slack_channel,
                token=self.slack_token,
                channels=self.slack_channels,
            )
        if not problems and self.organisation:
            problems += self._beside_the_hub()
        if problems:
            raise ConfigError(problems)

    def _beside_the_hub(self) -> list[str]:
        """Keys that a hub has no use for: who gave them expected something that would not come about."""
        kept = ("mail", "https", "stack_name", "log_retention_days", "log_level", "keep_data", "organisation")
        given = [key.name for key in fields(self) if key.name not in kept and getattr(self, key.name) != key.default]
        if not given:
            return []
        return [f"organisation makes a hub, which acts on nothing: leave out {', '.join(given)}, or organisation"]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The configuration with these keys. Raises ConfigError naming unknown keys too."""
        known = [item.name for item in fields(cls)]
        unknown = [f"unknown key '{key}'{_nearest(key, known)}" for key in given if key not in known]
        try:
            config = cls(**{key: value for key, value in given.items() if key in known})
        except ConfigError as error:
            raise ConfigError(error.problems + unknown) from None
        if unknown:
            raise ConfigError(unknown)
        return config

    @classmethod
    def from_context(cls, context: Mapping[str, object], *, file: Path | None = None) -> Self:
        """What the file says, if there is one, with the CDK context (`-c key=value`, cdk.json) on top.

        Raises ConfigError naming every unknown key, wrong value and impossible combination.
        """
        chosen = {key: value for key, value in context.items() if not key.startswith(CDK_PREFIXES)}
        return cls.of((_of_file(file) if file and file.exists() else {}) | chosen)

    @property
    def recipients(self) -> tuple[str, ...]:
        """Who is told, in words, each without a comma: what a later deployment is compared with."""
        channels = dict.fromkeys((self.slack_channel, *self.slack_channels))
        return (
            *(f"mail {address}" for address in self.mail),
            *(f"https {url}" for url in self.https),
            *((f"Amazon Q {self.slack_workspace}/{self.slack_channel}",) if self.slack_workspace else ()),
            *(f"Slack {channel}" for channel in channels if self.slack_token),
            *((f"Slack webhook {self.slack_webhook}",) if self.slack_webhook else ()),
            *((f"hub {self.hub}",) if self.hub else ()),
        )

    @property
    def policy_json(self) -> str:
        """The policy as the functions read it."""
        return json.dumps(changes(self.policy), sort_keys=True)


def _of_file(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError([f"{file.name}: {error}"]) from error


def _nearest(key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; there are: {', '.join(known)}"
