"""The CDK app: `cdk synth` and `cdk deploy` run it. Asks neither the network, nor an account, nor git."""

import sys
from pathlib import Path

from infra.asset import BundlingError, package  # first: infra chooses the Node that aws_cdk starts
from infra.config import ConfigError, StackConfig
from infra.stack import LoopbreakerStack

# isort: split
import aws_cdk as cdk


def main() -> None:
    app = cdk.App()
    try:
        config = StackConfig.from_context(app.node.get_all_context(), file=Path("loopbreaker.toml"))
        shipped = package()
    except (ConfigError, BundlingError) as error:
        sys.exit(f"loopbreaker: {error}")
    LoopbreakerStack(app, config.stack_name, config=config, package=shipped)
    app.synth()


main()
