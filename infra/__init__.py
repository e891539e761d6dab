"""The stack, and the construct for the apps of others, who know this package as `loopbreaker.cdk`.

jsii runs the CDK library on the `node` it finds first: here, the one installed beside this Python.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from loopbreaker.policy import Mode, Policy
from loopbreaker.thresholds import PolicyError, override

from .config import ConfigError, StackConfig

if TYPE_CHECKING:
    from .package import ShippedError
    from .stack import Loopbreaker

__all__ = ["ConfigError", "Loopbreaker", "Mode", "Policy", "PolicyError", "ShippedError", "StackConfig", "override"]

_node = Path(sys.executable).with_name("node")
if _node.exists():
    os.environ.setdefault("JSII_NODE", str(_node))


def __getattr__(name: str) -> object:
    """The construct, when it is asked for: the CDK library takes a second to load, and starts Node."""
    if name == "Loopbreaker":
        from .stack import Loopbreaker  # noqa: PLC0415

        return Loopbreaker
    if name == "ShippedError":
        from .package import ShippedError  # noqa: PLC0415

        return ShippedError
    raise AttributeError(name)
