"""The CDK app: `cdk synth` and `cdk deploy` run it. Asks neither the network, nor an account, nor git."""

import json
import sys
from pathlib import Path

from infra.asset import BundlingError, package  # first: infra chooses the Node that aws_cdk starts
from infra.config import ConfigError, StackConfig
from infra.organisation import HubStack
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
    if config.organisation:
        HubStack(app, f"{config.stack_name}Hub", config=config, package=shipped)
    else:
        LoopbreakerStack(app, config.stack_name, config=config, package=shipped)
    _leave_out_flag_report(Path(app.synth().directory) / "manifest.json")


def _leave_out_flag_report(manifest: Path) -> None:
    """The command line would count the feature flags of the CDK that are as they always were, at every synth.

    Those that matter here are set in cdk.json, and the tests hold the template to them.
    """
    content = json.loads(manifest.read_text())
    content["artifacts"] = {
        name: artifact
        for name, artifact in content["artifacts"].items()
        if artifact["type"] != "cdk:feature-flag-report"
    }
    manifest.write_text(json.dumps(content, indent=2))


main()
