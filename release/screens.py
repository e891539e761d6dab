"""`python -m release.screens` writes what the commands of the README print, for a simulated account; a test holds it.

The commands are the shipped ones; in place of the AWS SDK they get a simulated ECS, and its time for the clock.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from typer.testing import CliRunner

from loopctl.cli import app
from simulation import Failure, ServiceSpec, Simulation, crash

README = Path(__file__).resolve().parent.parent / "README.md"
_BEGIN, _END = "<!-- screens -->\n", "<!-- /screens -->"
_MINUTE, _HOUR = 60.0, 3600.0
_START = datetime(2026, 1, 5, tzinfo=UTC)
_FINE = 40
"""Services in each of two clusters that live."""


def written(readme: str) -> str:
    """The README as it should be."""
    before, _, rest = readme.partition(_BEGIN)
    return f"{before}{_BEGIN}\n{screens()}\n{_END}{rest.partition(_END)[2]}"


def screens() -> str:
    """The two commands, each with what it prints."""
    return f"```console\n$ loopctl scan\n{scan()}\n$ loopctl backtest events.jsonl\n{backtest()}```\n"


def scan() -> str:
    """Three of 84 services loop, for 50 minutes."""
    ecs = Simulation(seed=1, start=_START, region="eu-west-1")
    for cluster in ("prod", "stage"):
        ecs.create_cluster(cluster)
        for number in range(_FINE):
            ecs.create_service(ServiceSpec(cluster=cluster, name=f"fine-{number}", desired_count=2))
    ecs.create_service(ServiceSpec(cluster="stage", name="web"))
    looping = {"checkout": Failure.APP_CRASH, "search": Failure.OUT_OF_MEMORY}
    for name, failure in looping.items():
        ecs.create_service(ServiceSpec(cluster="prod", name=name, behaviour=crash(failure)))
    ecs.create_service(ServiceSpec(cluster="stage", name="reports", behaviour=crash(Failure.IMAGE_PULL)))
    ecs.run_until(50 * _MINUTE)
    with _in_place_of_aws(ecs):
        return _printed("scan")


def backtest() -> str:
    """A service that lives, loops for two days, and lives again."""
    ecs = Simulation(seed=1, start=_START)
    ecs.create_cluster("prod")
    ecs.create_service(ServiceSpec(cluster="prod", name="checkout", behaviour=crash(Failure.APP_CRASH)))
    events = ecs.run_until(48 * _HOUR)
    ecs.behave("prod", "checkout", crash(Failure.APP_CRASH, slots=()))
    events += ecs.advance(2 * _HOUR)
    ecs.deploy("prod", "checkout")
    events += ecs.advance(_HOUR)
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "events.jsonl"
        recording.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")
        return _printed("backtest", str(recording))


def _printed(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "80"})
    if done.exit_code:
        raise RuntimeError(f"loopctl {' '.join(arguments)}: {done.output}")
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


@contextmanager
def _in_place_of_aws(ecs: Simulation) -> Iterator[None]:
    class Session:
        region_name = "eu-west-1"

        def __init__(self, **_: object) -> None:
            """Whatever account and Region is asked for."""

        def client(self, name: str, **_: object) -> Any:
            return ecs.client(name)

    with patch("boto3.Session", Session), patch("time.time", ecs.utc_now.timestamp):
        yield


def main() -> None:
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
