"""MiniStack, an embedded AWS, as a child process on a free port of 127.0.0.1.

It runs Lambda functions as processes of the Python that runs it, and these inherit its environment. It judges every
call by IAM: a function may do what its role in the template lets it do, and nothing else.
"""

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.error import URLError
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from demo.sandbox import ACCOUNT, REGION, ROOT, Sandbox

_PATIENCE = 60.0  # seconds for it to start; it takes about one
_GRACE = 5.0  # seconds for it to end by itself
_PORTS = 3  # between choosing a free port and binding it, somebody else may take it


class MinistackError(Exception):
    """MiniStack did not start; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Ministack:
    """A running MiniStack: its address, its log, and its process, which leads a process group."""

    sandbox: Sandbox
    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def client(self, service: str) -> Any:
        """A botocore client of one of its services, in the name of the account's root."""
        return self.sandbox.client(service, self.url)

    @property
    def leftovers(self) -> int:
        """Processes of its group that still run; 0 after the end of the `with`. Needs /proc, and is 0 without."""
        return sum(_runs_in(self.process.pid, stat) for stat in Path("/proc").glob("[0-9]*/stat"))


@contextmanager
def ministack(sandbox: Sandbox, *, environment: Mapping[str, str]) -> Iterator[Ministack]:
    """MiniStack, from here to the end of the `with`. `environment` is added to its own and that of the functions.

    Raises MinistackError where it does not start.
    """
    running = _start(sandbox, environment)
    try:
        yield running
    finally:
        _stop(running)


def last_lines(log: Path, number: int = 15) -> str:
    """The end of a log."""
    if not log.is_file():
        return f"({log} was not written)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-number:])


def _start(sandbox: Sandbox, environment: Mapping[str, str]) -> Ministack:
    for attempt in range(_PORTS):
        candidate = _spawn(sandbox, environment, port=_free_port())
        if _is_up(candidate):
            return candidate
        _stop(candidate)
        if "already in use" not in last_lines(candidate.log) or attempt == _PORTS - 1:
            break
    raise MinistackError(f"MiniStack did not start. The end of {candidate.log}:\n{last_lines(candidate.log)}")


def _runs_in(group: int, stat: Path) -> bool:
    """Whether a process is of this group and no zombie (Linux man page proc_pid_stat(5))."""
    try:
        state, _, of, *_ = stat.read_text().rpartition(")")[2].split()
    except OSError:  # it has ended meanwhile
        return False
    return int(of) == group and state != "Z"


def _spawn(sandbox: Sandbox, environment: Mapping[str, str], *, port: int) -> Ministack:
    log = sandbox.folder / "ministack.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo.guard"],
            cwd=ROOT,
            env={**sandbox.environment, **_settings(sandbox, port), **environment},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Ministack(sandbox=sandbox, url=f"https://127.0.0.1:{port}", log=log, process=process)


def _settings(sandbox: Sandbox, port: int) -> dict[str, str]:
    return {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(sandbox.certificate),
        "MINISTACK_SSL_KEY": str(sandbox.key),
        # Their ports are fixed ones.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PYTHONUNBUFFERED": "1",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_up(candidate: Ministack) -> bool:
    """Wait until it answers; False where it ended instead, or never does."""
    trust = ssl.create_default_context(cafile=candidate.sandbox.certificate)
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=trust))
    deadline = monotonic() + _PATIENCE
    while monotonic() < deadline and candidate.process.poll() is None:
        with suppress(URLError, ConnectionError, TimeoutError):
            opener.open(f"{candidate.url}/_ministack/health", timeout=2).close()
            return candidate.process.poll() is None
        sleep(0.05)
    return False


def _stop(running: Ministack) -> None:
    """End it and every process of its group: politely, then not."""
    process = running.process
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    deadline = monotonic() + _GRACE
    while running.leftovers and monotonic() < deadline:
        sleep(0.02)  # killed, and not yet gone
    if process.stdin:
        process.stdin.close()
