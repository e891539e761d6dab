"""An account for a new user: the embedded AWS, a simulated ECS in which a service loops, and what they downloaded."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

from demo.ministack import Ministack, ministack
from demo.sandbox import sandbox
from infra.package import SHIPPED
from loopbreaker import VERSION
from loopbreaker.policy import Mode
from release import dist, template
from simulation import Failure, ServiceSpec, constant, crash
from simulation.server import Server
from tests.e2e.account import CLUSTER, empty_cluster, until

ROOT = Path(__file__).resolve().parents[2]
SESSIONS = ROOT / "docs" / "sessions"
OLDER = "0.0.9"
SERVICE = "checkout"
_PATIENCE = 420.0
_GROUP = "/aws/events/ecs/containerinsights/prod/events"
# A checkout, as far as the CDK app and the example need one.
_CHECKOUT = ("app.py", "cdk.json", "infra", "lambdas", "examples", "package-lock.json", "node_modules", ".venv")


def download(folder: Path) -> None:
    """What `make release` leaves in `dist/`, a release before it in `dist.older/`, and a checkout around both."""
    for name in _CHECKOUT:
        (folder / name).symlink_to(ROOT / name)
    new, old = folder / "dist", folder / "dist.older"
    for release in (new, old):
        release.mkdir()
    dist.ship(SHIPPED)
    dist.build(new)
    shutil.copy(SHIPPED, new / template.ZIP)
    shutil.copy(SHIPPED, old / f"loopbreaker-{OLDER}.zip")
    made = template.template(Mode.ALERT)
    template.write(new / "loopbreaker-alert.template.json", made)
    template.write(old / "loopbreaker-alert.template.json", _older(made))


def _older(made: dict[str, Any]) -> dict[str, Any]:
    """No release is older yet: this one under another version, without what draws, as it was before."""
    text = json.dumps(made).replace(VERSION, OLDER)
    older: dict[str, Any] = json.loads(text)
    older["Resources"] = {
        id_: resource for id_, resource in older["Resources"].items() if not id_.startswith(("Draw", "Dashboard"))
    }
    return older


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session runs: `folder` holds what the script expects beside it."""

    folder: Path
    aws: Ministack
    ecs: Server
    environment: dict[str, str]
    seen: list[dict[str, Any]]

    def run(self, name: str, *arguments: str, path: tuple[Path, ...]) -> str:
        """What the script of a session prints, both streams in order; `path` is where it finds its commands.

        AssertionError where it fails.
        """
        found = os.pathsep.join([*map(str, path), self.environment["PATH"]])
        done = subprocess.run(
            ["bash", str(SESSIONS / name), *arguments],
            cwd=self.folder,
            env=self.environment | {"PATH": found},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def loops(self) -> None:
        """`prod/checkout` loops, and the account records its events as the console's event capture does."""
        with self.ecs.lock:
            self.ecs.simulation.create_service(
                ServiceSpec(cluster=CLUSTER, name=SERVICE, behaviour=crash(Failure.APP_CRASH, after=constant(0.5)))
            )
        until(lambda: sum(event["detail"].get("lastStatus") == "STOPPED" for event in self.seen) > 12, what="a loop")
        logs = self.aws.client("logs")
        logs.create_log_group(logGroupName=_GROUP)
        logs.create_log_stream(logGroupName=_GROUP, logStreamName="events")
        now = int(time() * 1000)
        messages = [{"timestamp": now, "message": json.dumps(event)} for event in list(self.seen)]
        logs.put_log_events(logGroupName=_GROUP, logStreamName="events", logEvents=messages)


@contextmanager
def place(folder: Path, name: str) -> Iterator[Place]:
    """A new account, empty but for a cluster, and an environment that knows it alone."""
    seen: list[dict[str, Any]] = []
    with sandbox(f"session-{name}") as box, Server.from_now(empty_cluster, sink=seen.append) as ecs:
        endpoints = {"AWS_ENDPOINT_URL_ECS": ecs.url, "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING": ecs.url}
        with ministack(box, environment=endpoints) as aws:
            environment = {
                **box.environment,
                **endpoints,
                "AWS_ENDPOINT_URL": aws.url,
                "CDK_HOME": str(box.folder / "home"),
                "CDK_DISABLE_CLI_TELEMETRY": "true",
                "CDK_DISABLE_VERSION_CHECK": "true",
                "CI": "true",
            }
            yield Place(folder, aws, ecs, environment, seen)
