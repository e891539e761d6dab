"""What a cold start and an event cost: `python -m benchmarks.cold_start` writes results/cold-start.md.

Counts the instructions that an interpreter executes, with cachegrind (valgrind): the same count every time, whatever
else the machine does. A cold start is a handler imported and its clients made, beside `boto3.client("dynamodb")`; an
event is handled with a table on loopback, beside the same JSON read and one UpdateItem. The bare interpreter is taken
off all of them. Exit code 1 where a goal is missed.
"""

import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.cost.dynamodb import Item, image
from benchmarks.cost.events import stopped
from benchmarks.cost.installation import installed
from benchmarks.cost.workloads import BEGIN
from infra import asset

_ROOT = Path(__file__).parent.parent
_YARDSTICK = 'import boto3; c = boto3.client("dynamodb")'
_PROGRAMS = {
    "detect, with its client": ("import handlers.detect as h; h.table()", 0.95),
    "respond, with the client of the table": ("import handlers.respond as h; h.table()", 1.15),
    "respond, with all its clients": ("import handlers.respond as h; h.tools()", 1.15),
    "notify, before a message is owed": ("import handlers.notify", 1.15),
    "notify, with its clients": ("import handlers.notify as h; h.publisher()", 1.15),
    "sweep, with its client": ("import handlers.sweep as h; h.table()", 1.15),
}
# Bodies of one service in a loop, a minute apart; each program is given how many, and how many to a batch.
_BARE = f"""
import json, sys
{_YARDSTICK}
for body in json.load(open(sys.argv[1]))[: int(sys.argv[2])]:
    event = json.loads(body)
    c.update_item(
        TableName="table",
        Key={{"pk": {{"S": event["detail"]["clusterArn"]}}, "sk": {{"S": "SERVICE"}}}},
        UpdateExpression="SET #t = :s",
        ExpressionAttributeNames={{"#t": event["detail"]["taskArn"][-16:]}},
        ExpressionAttributeValues={{":s": {{"N": "1"}}}},
    )
"""
_HANDLED = """
import json, sys
import handlers.detect as h
class Context:
    function_name = aws_request_id = invoked_function_arn = "detect"
    memory_limit_in_mb = 512
    def get_remaining_time_in_millis(self):
        return 60_000
bodies, size = json.load(open(sys.argv[1]))[: int(sys.argv[2])], int(sys.argv[3])
for at in range(0, len(bodies), size):
    batch = [{"messageId": str(n), "body": body} for n, body in enumerate(bodies[at : at + size])]
    answer = h.handler({"Records": batch}, Context())
    assert answer == {"batchItemFailures": []}, answer
"""
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


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement beside its yardstick; `goal` is the most that it may be."""

    what: str
    ratio: float
    goal: float


def instructions(program: str, *arguments: object, table: Callable[[], str] = str) -> int:
    """Instructions of a fresh interpreter that runs the program, its bytecode compiled before.

    `table` starts a table as it was and gives its address, for each of the two runs.
    """
    command = [sys.executable, "-c", program, *map(str, arguments)]
    tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    for started in (command, [*tool, *command]):
        known = _ENVIRONMENT | {name: value for name, value in (("AWS_ENDPOINT_URL_DYNAMODB", table()),) if value}
        done = subprocess.run(started, env=known, check=True, capture_output=True, text=True)
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if found is None:
        raise RuntimeError(f"cachegrind did not say how many instructions: {done.stderr[-300:]}")
    return int(found[1].replace(",", ""))


def cold(bare: int) -> list[Row]:
    """Each function, imported with its clients."""
    yardstick = instructions(_YARDSTICK) - bare
    return [Row(name, (instructions(program) - bare) / yardstick, goal) for name, (program, goal) in _PROGRAMS.items()]


def events(bare: int) -> list[Row]:
    """The first event of a process, events of a loop, and ten of them in one batch."""
    with tempfile.TemporaryDirectory() as folder:
        given, known = Path(folder) / "bodies.json", Path(folder) / "items.json"
        bodies, items = _loop()
        given.write_text(json.dumps(bodies))
        known.write_text(json.dumps(items))

        def count(program: str, number: int, size: int = 1) -> int:
            with _table(known) as table:
                return instructions(program, given, number, size, table=table)

        first = (count(_HANDLED, 1) - bare) / (count(_BARE, 1) - bare)
        call = (count(_BARE, 30) - count(_BARE, 10)) / 20
        single = (count(_HANDLED, 30) - count(_HANDLED, 10)) / 20
        batched = (count(_HANDLED, 60, 10) - count(_HANDLED, 20, 10)) / 40
    return [
        Row("first event of a fresh process, beside a bare client with one UpdateItem", first, 1.00),
        Row("each event of a loop, beside its JSON and one UpdateItem", single / call, 1.15),
        Row("one of ten events in a batch, beside one that comes alone", batched / single, 0.30),
    ]


def _loop() -> tuple[list[str], list[Item]]:
    """The events of an hour in which a service of one task loops on, and the records as they were before."""
    random = Random(1)
    with installed(BEGIN) as ours, redirect_stdout(io.StringIO()):
        for n in range(60):
            ours.run(BEGIN + 60 * n + 1)
            ours.send(stopped("checkout", at=BEGIN + 60 * n, random=random), at=BEGIN + 60 * n + 1)
        ours.run(BEGIN + 3600)
        items = [image(item) for (_, kind), item in ours.table.items.items() if kind == "SERVICE"]
    return [json.dumps(stopped("checkout", at=BEGIN + 60 * n, random=random)) for n in range(60, 120)], items


class _table:  # noqa: N801 - used as a context
    """Starts the stub of a table anew, and gives its address."""

    def __init__(self, known: Path) -> None:
        self._known = known
        self._running: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Callable[[], str]:
        return self._start

    def _start(self) -> str:
        command = [sys.executable, "-m", "benchmarks.dynamodb_stub", str(self._known)]
        stub = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._running.append(stub)
        assert stub.stdout
        return f"http://127.0.0.1:{stub.stdout.readline().strip()}"

    def __exit__(self, *_fault: object) -> None:
        for stub in self._running:
            assert stub.stdin
            stub.stdin.close()
            stub.wait(timeout=10)


def package() -> Row:
    """The zip that is uploaded, in megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        made = shutil.make_archive(f"{folder}/package", "zip", asset.package())
        return Row("zip, in MB", Path(made).stat().st_size / 1e6, 1.5)


def main() -> int:
    """Measure, write the table, and fail where a goal is missed."""
    if not shutil.which("valgrind"):
        print("valgrind is not installed: nothing was measured", file=sys.stderr)
        return 2
    bare = instructions("pass")
    rows = [*cold(bare), *events(bare), package()]
    text = "\n".join(
        [
            "# Cold start",
            "",
            f"Made by `make bench-cold-start`: instructions counted by cachegrind, Python {platform.python_version()},",
            "less those of a bare interpreter.",
            'A function, imported with its clients, stands beside `boto3.client("dynamodb")`;',
            "an event beside a bare client of boto3, both with a table on loopback, without TLS.",
            "",
            "| what | ratio | goal |",
            "|---|---|---|",
            *(f"| {row.what} | {row.ratio:.2f} | {row.goal:.2f} |" for row in rows),
            "",
        ]
    )
    (_ROOT / "benchmarks" / "results" / "cold-start.md").write_text(text, encoding="utf-8")
    print(text)
    missed = [row.what for row in rows if round(row.ratio, 2) > row.goal]
    for what in missed:
        print(f"over its goal: {what}", file=sys.stderr)
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
