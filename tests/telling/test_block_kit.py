"""Slack's own SDK reads what is posted: its models of Block Kit know the fields and the limits."""

import json
from typing import Any

import pytest
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.attachments import BlockAttachment
from slack_sdk.models.blocks import Block

from tests.telling.told import CASES, NAMES, of


def read(attachment: dict[str, Any]) -> list[Block]:
    """The blocks of an attachment, as the SDK has them. Raises SlackObjectFormationError where one breaks a limit."""
    blocks = list(Block.parse_all(attachment["blocks"]))
    for block in blocks:
        block.validate_json()
    BlockAttachment(blocks=blocks, color=attachment["color"]).validate_json()
    return blocks


@pytest.mark.parametrize("name", NAMES)
def test_a_post_is_what_slack_calls_one(name: str) -> None:
    """No limit is broken, and no field is there that the SDK does not know: it gives back what it read."""
    for attachment in of(CASES[NAMES.index(name)]).post["attachments"]:
        assert json.loads(json.dumps([block.to_dict() for block in read(attachment)])) == attachment["blocks"]


def test_what_slack_would_refuse_is_refused_here() -> None:
    """A header of 151 characters."""
    (attachment,) = of(CASES[0]).post["attachments"]
    attachment["blocks"][0]["text"]["text"] = "x" * 151
    with pytest.raises(SlackObjectFormationError):
        read(attachment)
