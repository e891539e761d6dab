"""cdk-nag's AwsSolutions rules: the stack passes, and each exception states its reason where it is made."""

from pathlib import Path

import pytest

from infra.asset import LAMBDAS  # first: infra chooses the Node that aws_cdk starts
from infra.stack import LoopbreakerStack
from loopbreaker.policy import Mode
from tests.infra.conftest import FLAGS, a_config

# isort: split
import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from cdk_nag import AwsSolutionsChecks


def judged(folder: Path) -> tuple[cdk.App, LoopbreakerStack]:
    app = cdk.App(context=FLAGS, outdir=str(folder), analytics_reporting=False)
    stack = LoopbreakerStack(app, "Loopbreaker", config=a_config(Mode.STOP), package=LAMBDAS)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app, stack


def test_the_stack_passes(tmp_path: Path) -> None:
    """Nothing is reported about the stack in the mode with the most permissions."""
    app, _ = judged(tmp_path)
    app.synth()


def test_a_violation_would_be_seen(tmp_path: Path) -> None:
    """The rules are really applied: a plain queue is refused."""
    app, stack = judged(tmp_path)
    sqs.Queue(stack, "Plain")
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert "AwsSolutions-SQS4" in (tmp_path / "validation-report.json").read_text()
