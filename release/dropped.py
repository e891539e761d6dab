"""`python -m release.dropped [-c key=value]...`: would a deployment drop somebody who is told now?

`make deploy` asks before it deploys: the configuration is compared with the output `Recipients` of the stack that is
there. Where AWS cannot be asked, nothing is known and nothing is said: the deployment fails by itself then.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.config import ConfigError, StackConfig
from loopctl.doctor import recipients

_AGREED = "DROP"


def dropped(outputs: Mapping[str, str], config: StackConfig) -> tuple[str, ...]:
    """Who is told by the deployed stack, and would not be by this configuration."""
    return tuple(one for one in recipients(outputs.get("Recipients", "")) if one not in config.recipients)


def main(argv: Sequence[str], *, environment: Mapping[str, str], cloudformation: Any = None) -> int:
    """0 where nobody is dropped, or somebody agreed to it; 1 where somebody is, each named on standard error."""
    parser = argparse.ArgumentParser(prog="python -m release.dropped", add_help=False)
    parser.add_argument("-c", "--context", action="append", default=[])
    parser.add_argument("--profile")
    given, _ = parser.parse_known_args(argv)
    context = dict(pair.partition("=")[::2] for pair in given.context)
    try:
        config = StackConfig.from_context(context, file=Path("loopbreaker.toml"))
        client = cloudformation or boto3.Session(profile_name=given.profile).client("cloudformation")
        stack = client.describe_stacks(StackName=config.stack_name)["Stacks"][0]
    except (ConfigError, ClientError, BotoCoreError):
        return 0
    lost = dropped({one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}, config)
    for one in lost:
        print(f"deploy: {one} is told now, and would not be told any more", file=sys.stderr)
    if not lost or environment.get(_AGREED) == "yes":
        return 0
    print(
        f"deploy: name them again (-c, loopbreaker.toml), or say {_AGREED}=yes; nothing was deployed", file=sys.stderr
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], environment=os.environ))
