"""MiniStack, an embedded AWS, as a child process on a free port of 127.0.0.1.

It runs Lambda functions as processes of the Python that runs it, and these inherit its environment. It judges every
call by IAM: a function may do what its role in the template lets it do, and nothing else.
"""

import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.error import URLError
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from demo.child import child, last_lines, processes_of
from demo.sandbox import ACCOUNT, REGION, Sandbox

_PATIENCE = 60.0  # seconds for it to start; it takes about one
_PORTS = 3  # between choosing a free port and binding it, somebody else may take it


class MinistackError(Exception):
    """MiniStack did not start; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Ministack:
    """A running MiniStack: its address, its log, and the process that guards it."""

    sandbox: Sandbox
    url: str
    log: Path
    guard: subprocess.Popen[bytes]

    def client(self, service: str) -> Any:
        """A botocore client of one of its services, in the name of the account's root."""
        return self.sandbox.client(service, self.url)

    @property
    def processes(self) -> int:
        """How many processes it has, those of the functions among them; 0 after the end of the `with`."""
        return processes_of(self.guard.pid)


@contextmanager
def ministack(sandbox: Sandbox, *, environment: Mapping[str, str]) -> Iterator[Ministack]:
    """MiniStack, from here to the end of the `with`. `environment` is added to its own and that of the functions.

    Raises MinistackError where it does not start.
    """
    log = sandbox.folder / "ministack.log"
    for _ in range(_PORTS):
        with ExitStack() as running:
            port = free_port()
            settings = {**sandbox.environment, **_settings(sandbox, port), **environment}
            guard = running.enter_context(child(_command(sandbox, port), environment=settings, log=log))
            started = Ministack(sandbox=sandbox, url=f"https://127.0.0.1:{port}", log=log, guard=guard)
            if _is_up(started):
                yield started
                return
        if "already in use" not in last_lines(log):
            break
    raise MinistackError(f"MiniStack did not start. {last_lines(log)}")


def free_port() -> int:
    """A port of 127.0.0.1 that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _command(sandbox: Sandbox, port: int) -> list[str]:
    """Its web server alone; its own command line would take port 443 too, where it may."""
    tls = ["--certfile", str(sandbox.certificate), "--keyfile", str(sandbox.key)]
    address = ["--bind", f"127.0.0.1:{port}", "--keep-alive", "75", "--graceful-timeout", "0"]
    return [sys.executable, "-m", "hypercorn", *address, *tls, "ministack.app:app"]


def _settings(sandbox: Sandbox, port: int) -> dict[str, str]:
    return {
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


def _is_up(started: Ministack) -> bool:
    """Wait until it answers; False where it ended instead, or never does. Nobody else has its certificate."""
    trust = ssl.create_default_context(cafile=started.sandbox.certificate)
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=trust))
    deadline = monotonic() + _PATIENCE
    while monotonic() < deadline and started.guard.poll() is None:
        with suppress(URLError, ConnectionError, TimeoutError):
            opener.open(f"{started.url}/_ministack/health", timeout=2).close()
            return True
        sleep(0.05)
    return False
