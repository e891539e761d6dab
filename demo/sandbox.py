"""A place of its own for one run: a folder below `.run/`, and an environment without anything of the user's.

Nothing that is set for AWS, proxies, Node, CDK or Docker outside may leak in: a run must neither need credentials
nor, by accident, have some.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.session import Session

from demo import ROOT
from demo.certificate import write_certificate

ACCOUNT = "123456789012"
REGION = "eu-west-1"

_RUNS = ROOT / ".run"
_CERTIFICATE = "127.0.0.1.crt"
_INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE")
# The name of MiniStack's account root; it means nothing to AWS.
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


class SandboxError(Exception):
    """The run cannot have a place of its own."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Where one run keeps its files, and the environment of every process that it starts."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def certificate(self) -> Path:
        """What every process of the run trusts, and nobody else."""
        return self.folder / _CERTIFICATE

    @property
    def key(self) -> Path:
        return self.folder / "127.0.0.1.key"

    def client(self, service: str, url: str) -> Any:
        """A botocore client of a service at `url` that reads neither environment nor files of the user."""
        known = BOTOCORE_DEFAUT_SESSION_VARIABLES
        unset = {name: (None, None, default, kind) for name, (_, _, default, kind) in known.items()}
        no_file = (None, None, os.devnull, None)
        return Session(session_vars={**unset, "config_file": no_file, "credentials_file": no_file}).create_client(
            service,
            region_name=REGION,
            endpoint_url=url,
            verify=str(self.certificate),
            aws_access_key_id=_CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(proxies={}, connect_timeout=5, read_timeout=60),
        )


@contextmanager
def sandbox(name: str) -> Iterator[Sandbox]:
    """The folder `.run/<name>`, emptied of an earlier run; its logs stay, to look at after a failure.

    Raises SandboxError where another run has it now.
    """
    _RUNS.mkdir(exist_ok=True)
    with (_RUNS / f"{name}.lock").open("w") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)  # the kernel gives it back, however this process ends
        except BlockingIOError as taken:
            raise SandboxError(f"{lock.name}: another run is under way; let it end, or stop it.") from taken
        folder = _RUNS / name
        shutil.rmtree(folder, ignore_errors=True)
        for part in ("home", "tmp"):
            (folder / part).mkdir(parents=True)
        place = Sandbox(folder=folder, environment=_environment(folder))
        write_certificate(place.certificate, place.key)
        try:
            yield place
        finally:
            shutil.rmtree(folder / "tmp", ignore_errors=True)  # the functions' code, unpacked many times


def _environment(folder: Path) -> dict[str, str]:
    """What every process gets: an allow-list, since each tool reads dozens of variables of its own."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    certificate = str(folder / _CERTIFICATE)
    return {
        **inherited,
        **_CREDENTIALS,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)]),
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CA_BUNDLE": certificate,
        "NODE_EXTRA_CA_CERTS": certificate,
        "DOCKER_HOST": f"unix://{folder / 'no-docker.sock'}",
        # 200 MB, unpacked once for all runs; complete or not there, however a run ends.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(_RUNS / "jsii"),
    }
