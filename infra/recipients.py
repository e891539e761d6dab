"""Who is told: the recipients in the configuration, read with care. A secret that is given as a value is not shown."""

import re
from urllib.parse import urlsplit

NEVER_CONFIRM = {
    "hooks.slack.com": "use slack_webhook, with the name of a secret that holds the address",
    "hooks.slack-gov.com": "use slack_webhook, with the name of a secret that holds the address",
    "discord.com": "put a function between",
    "chat.googleapis.com": "put a function between",
    "outlook.office.com": "put a function between",
}
"""Hosts that never confirm a subscription of SNS: deployed without an error, they would never get a message."""
SECRET_KEYS = ("slack_token", "slack_webhook")


def mail(text: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", text):
        raise ValueError(f"'{text}' is not a mail address")
    return text


def https(text: str) -> str:
    """An endpoint that is to get each event as JSON; it has to confirm its subscription."""
    if not re.fullmatch(r"https://[^/\s]+(/\S*)?", text):
        raise ValueError(f"'{text}' is not an https:// URL")
    host = (urlsplit(text).hostname or "").lower()
    for known, remedy in NEVER_CONFIRM.items():
        if host == known or host.endswith(f".{known}") or host.endswith(".webhook.office.com"):
            raise ValueError(f"{host} never confirms a subscription, so nothing would ever arrive: {remedy}")
    return text


def address(text: str) -> str:
    if not re.fullmatch(r"https://[^/\s]+(/\S*)?", text):
        raise ValueError(f"'{text}' is not an https:// URL")
    return text


def workspace(text: str) -> str:
    if not re.fullmatch(r"[TE][A-Z0-9]{6,20}", text):
        raise ValueError("is not the id of a Slack workspace, such as T0123456789")
    return text


def channel(text: str) -> str:
    if not re.fullmatch(r"[CG][A-Z0-9]{6,20}", text):
        raise ValueError(f"'{text}' is not the id of a Slack channel, such as C0123456789: a name does not do")
    return text


def agent_space(text: str) -> str:
    """AWS DevOps Agent API reference, CreateBacklogTask."""
    if not re.fullmatch(r"[a-zA-Z0-9-]{1,64}", text):
        raise ValueError(f"'{text}' is not the id of an agent space: letters, digits and hyphens, at most 64")
    return text


def secret_name(text: str) -> str:
    """Only the name: a value would stand in the template and in the history of the shell."""
    if text.startswith(("xox", "https:")):
        raise ValueError("is the secret itself: put it into Secrets Manager, give the name, and replace the secret")
    if not re.fullmatch(r"[\w/+=.@-]{1,500}", text, flags=re.ASCII):
        raise ValueError("is not the name of a secret in Secrets Manager")
    return text


def bus(text: str) -> str:
    if not re.fullmatch(r"arn:aws[-a-z]*:events:[-a-z0-9]+:\d{12}:event-bus/[/.\-\w]{1,256}", text, flags=re.ASCII):
        raise ValueError("is not the ARN of an event bus: see the output HubBusArn of the hub's stack")
    return text


def organisation(text: str) -> str:
    """AWS docs: Organizations API reference, "Organization"."""
    if not re.fullmatch(r"o-[a-z0-9]{10,32}", text):
        raise ValueError("is not the id of an organisation, such as o-a1b2c3d4e5")
    return text


def problems(*, workspace: str, channel: str, token: str, channels: tuple[str, ...]) -> list[str]:
    """What of Slack does not fit together."""
    found = []
    if workspace and token:
        found.append("slack_workspace and slack_token: both would tell the same channel; give one of them")
    if channel and not (workspace or token):
        found.append("slack_channel: give slack_workspace (Amazon Q) or slack_token (a bot) with it")
    if (workspace or token) and not channel:
        found.append(f"{'slack_workspace' if workspace else 'slack_token'}: give slack_channel with it")
    if channels and not token:
        found.append("slack_channels: only a bot posts in several channels; give slack_token with it")
    return found
