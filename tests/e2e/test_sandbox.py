"""What the demo and the end-to-end tests run in: nothing gets in, and nothing stays."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

import demo.child
import demo.ministack
from demo.child import child, last_lines, processes_of
from demo.ministack import MinistackError, free_port, ministack
from demo.sandbox import ACCOUNT, SandboxError, sandbox

_FOREIGN = {
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
    "AWS_CONFIG_FILE": "/nowhere",
    "AWS_CA_BUNDLE": "/nowhere",
    "AWS_MAX_ATTEMPTS": "many",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "AWS_SESSION_TOKEN": "secret",
    "GATEWAY_PORT": "80",
}

_STARTER = """
import os, sys, time
from pathlib import Path
from demo.child import child
with child(["sh", "-c", "sleep 600 & sleep 600"], environment=dict(os.environ), log=Path(sys.argv[1])) as guard:
    print(guard.pid, flush=True)
    time.sleep(600)
"""
_STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("here", flush=True)
time.sleep(600)
"""


def test_nothing_of_the_user_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Profiles, endpoints, proxies and credentials of the user reach neither a child process nor a client."""
    for name, value in _FOREIGN.items():
        monkeypatch.setenv(name, value)
    with sandbox("test") as box:
        assert not {name for name, value in _FOREIGN.items() if box.environment.get(name) == value}
        with ministack(box, environment={}) as aws:
            assert aws.client("sts").get_caller_identity()["Account"] == ACCOUNT
    assert aws.processes == 0


def test_a_taken_port_is_given_up_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody takes the chosen port first, the next one is tried."""
    with sandbox("test") as box, socket.create_server(("127.0.0.1", 0)) as other:
        taken: int = other.getsockname()[1]
        ports = iter([taken, free_port()])
        monkeypatch.setattr(demo.ministack, "free_port", lambda: next(ports))
        with ministack(box, environment={}) as aws:
            assert not aws.url.endswith(f":{taken}")
            assert aws.client("sts").get_caller_identity()["Account"] == ACCOUNT


def test_a_start_that_fails_says_why() -> None:
    """Where MiniStack ends at once, the error names the log and holds its last words."""
    wrong = {"PYTHONHOME": "/nowhere"}
    why = r"ministack\.log:\n(.*\n)*.*No module named 'encodings'"
    with sandbox("test") as box, pytest.raises(MinistackError, match=why), ministack(box, environment=wrong):
        pass


def test_a_second_run_is_refused() -> None:
    """Two runs never share a folder; the second says who has it."""
    with sandbox("test"), pytest.raises(SandboxError, match=r"test\.lock: another run is under way"), sandbox("test"):
        pass


def test_a_child_ends_with_its_starter(tmp_path: Path) -> None:
    """A starter that is killed takes along what it started, and what that started."""
    command = [sys.executable, "-c", _STARTER, str(tmp_path / "log")]
    starter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=demo.ROOT)
    assert starter.stdout
    group = int(starter.stdout.readline())
    starter.kill()
    starter.wait()
    deadline = monotonic() + 10
    while processes_of(group) and monotonic() < deadline:
        sleep(0.05)
    assert processes_of(group) == 0


def test_a_child_is_ended_with_all_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even a process that ignores SIGTERM is left; the log keeps what was said."""
    monkeypatch.setattr(demo.child, "_GRACE", 0.5)
    log = tmp_path / "log"
    with child([sys.executable, "-c", _STUBBORN], environment=dict(os.environ), log=log) as guard:
        while "here" not in last_lines(log):
            sleep(0.05)
    assert guard.returncode == -signal.SIGKILL
    assert processes_of(guard.pid) == 0
