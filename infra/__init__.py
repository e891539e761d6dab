"""The stack. jsii runs the CDK library on the `node` it finds first: here, the one installed beside this Python."""

import os
import sys
from pathlib import Path

_node = Path(sys.executable).with_name("node")
if _node.exists():
    os.environ.setdefault("JSII_NODE", str(_node))
