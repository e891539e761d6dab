"""What a new user does once the stack is there: the commands of `loopctl`, as processes, against the embedded AWS."""

import subprocess
import sys

import pytest

from demo.sandbox import REGION
from loopbreaker import VERSION
from simulation import Failure, crash
from tests.e2e.account import CLUSTER, Account, until

pytestmark = pytest.mark.e2e

ROOT = __file__.rsplit("/tests/", 1)[0]


@pytest.fixture
def loopctl(account: Account) -> "Loopctl":
    """The command line, with the endpoints of the embedded AWS and of the simulated ECS."""
    return Loopctl(account)


class Loopctl:
    """Runs `loopctl` as a user does."""

    def __init__(self, account: Account) -> None:
        self._environment = {
            **account.aws.sandbox.environment,
            "AWS_ENDPOINT_URL": account.aws.url,
            "AWS_ENDPOINT_URL_ECS": account.ecs.url,
            "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING": account.ecs.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "PYTHONPATH": f"{ROOT}:{ROOT}/lambdas",
        }

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "loopctl", *arguments],
            env=self._environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )


def test_a_drill_reaches_every_hop(loopctl: Loopctl, account: Account) -> None:
    """Through rule, queue, functions, table and log; the subscriber reads what it is; ECS hears nothing."""
    calls = len(account.ecs.simulation.calls)
    done = loopctl("drill")
    assert done.returncode == 0, done.stdout + done.stderr
    hops = [line[:20].strip() for line in done.stdout.splitlines() if " after " in line]
    assert hops == ["events on the bus", "counted by detect", "found by respond", "told by notify", "over again"]
    assert "sqs" in done.stdout
    until(lambda: _letters(account), what="the letter of the drill arrives")
    assert "This is a drill" in _letters(account)[0]
    drilled = [given for _, given in account.ecs.simulation.calls[calls:] if "drill" in str(given)]
    assert drilled == []


def test_the_doctor_looks_at_everything(loopctl: Loopctl) -> None:
    """Every check can be made; the version is this one."""
    done = loopctl("doctor")
    assert f"version {VERSION}, mode stop" in done.stdout, done.stdout + done.stderr
    assert "could not be looked at" not in done.stdout
    assert "services looked at" in done.stdout or "service looked at" in done.stdout


def test_a_scan_finds_the_loop(loopctl: Loopctl, account: Account) -> None:
    """Without the stack: from what ECS shows."""
    account.create("scanned", count=1)
    account.settle("scanned")
    account.act(lambda ecs: ecs.behave(CLUSTER, "scanned", crash(Failure.APP_CRASH)))
    account.act(lambda ecs: ecs.restart(CLUSTER, "scanned"))
    until(lambda: _stopped(account, "scanned") > 5, what="it fails again and again")
    done = loopctl("scan")
    assert f"{CLUSTER}/scanned" in done.stdout, done.stdout + done.stderr


def _stopped(account: Account, name: str) -> int:
    tasks = list(account.ecs.simulation.world.tasks.values())
    return sum(task.service.name == name and task.last_status == "STOPPED" for task in tasks)


def _letters(account: Account) -> list[str]:
    account.letters += account.mailbox.collect()
    return [letter.text for letter in account.letters if "this-is-a-drill" in letter.text]
