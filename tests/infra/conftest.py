"""The stack, synthesised once for each mode, as the template that CloudFormation gets."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra import asset  # first: infra chooses the Node that aws_cdk starts
from infra.config import StackConfig
from infra.stack import LoopbreakerStack
from loopbreaker.policy import Mode, Policy
from loopbreaker.thresholds import override

# isort: split
import aws_cdk as cdk

ROOT = Path(__file__).resolve().parents[2]
FLAGS = json.loads((ROOT / "cdk.json").read_text())["context"]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Template by mode; the functions' package is not made for it."""
    found = {}
    for action in Mode:
        folder = tmp_path_factory.mktemp(f"cdk-{action}")
        app = cdk.App(context=FLAGS, outdir=str(folder), analytics_reporting=False)
        LoopbreakerStack(app, "Loopbreaker", config=a_config(action), package=asset.LAMBDAS)
        app.synth()
        found[action.value] = json.loads((folder / "Loopbreaker.template.json").read_text())
    return found


@pytest.fixture(scope="session")
def template(templates: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return templates["alert"]


def a_config(action: Mode) -> StackConfig:
    return StackConfig(
        mail=("ops@example.com",),
        https=("https://example.com/hook",),
        action=action,
        log_retention_days=14,
        policy=override(Policy(), {"fast.depth": 4}),
    )
