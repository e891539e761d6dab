"""What a cold start costs: `python -m benchmarks.cold_start` writes results/cold-start.md.

Counts the instructions that a fresh interpreter executes, with cachegrind (valgrind): the same count every time,
whatever else the machine does. Each program imports one handler and makes the clients that it needs; the yardstick
is `boto3.client("dynamodb")` alone. The bare interpreter is taken off both.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_YARDSTICK = 'import boto3; boto3.client("dynamodb")'
_PROGRAMS = {
    "detect, with its client": "import handlers.detect as h; h.table()",
    "respond, with the client of the table": "import handlers.respond as h; h.table()",
    "respond, with all its clients": "import handlers.respond as h; h.tools()",
    "notify, before a message is owed": "import handlers.notify",
    "notify, with its clients": "import handlers.notify as h; h.publisher()",
    "sweep, with its client": "import handlers.sweep as h; h.table()",
}
_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": str(_ROOT / "lambdas"),
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "POWERTOOLS_SERVICE_NAME": "loopbreaker",
    "POWERTOOLS_METRICS_NAMESPACE": "Loopbreaker",
    "TABLE_NAME": "table",
    "TOPIC_ARN": "topic",
}
_LIMIT = 1.15


def instructions(program: str) -> int:
    """Instructions of a fresh interpreter that runs the program, its bytecode compiled before."""
    command = [sys.executable, "-c", program]
    subprocess.run(command, env=_ENVIRONMENT, check=True)
    tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    done = subprocess.run([*tool, *command], env=_ENVIRONMENT, check=True, capture_output=True, text=True)
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if found is None:
        raise RuntimeError(f"cachegrind did not say how many instructions: {done.stderr[-300:]}")
    return int(found[1].replace(",", ""))


def main() -> int:
    """Measure, write the table, and fail where an import with its clients costs more than the limit."""
    if not shutil.which("valgrind"):
        print("valgrind is not installed: nothing was measured", file=sys.stderr)
        return 2
    bare = instructions("pass")
    yardstick = instructions(_YARDSTICK) - bare
    ratios = {name: (instructions(program) - bare) / yardstick for name, program in _PROGRAMS.items()}
    rows = [f"| {name} | {ratio:.2f} |" for name, ratio in ratios.items()]
    text = "\n".join(
        [
            "# Cold start",
            "",
            'Instructions to import a handler and to make its clients, as a multiple of `boto3.client("dynamodb")`.',
            f"Measured by `make bench-cold-start` with Python {platform.python_version()}; the limit is {_LIMIT}.",
            "",
            "| program | ratio |",
            "|---|---|",
            *rows,
            "",
        ]
    )
    (_ROOT / "benchmarks" / "results" / "cold-start.md").write_text(text, encoding="utf-8")
    print(text)
    return int(max(ratios.values()) > _LIMIT)


if __name__ == "__main__":
    sys.exit(main())
