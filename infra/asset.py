"""The one package that all functions ship: `lambdas/`, what it needs, and bytecode. Made without Docker or network."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from aws_cdk import aws_lambda as lambda_

ROOT = Path(__file__).resolve().parent.parent
LAMBDAS = ROOT / "lambdas"
COMPILER = Path(__file__).with_name("compile.mjs")
RECIPE = (COMPILER, Path(__file__), ROOT / "package-lock.json")
BUILD = ROOT / "build"
WHEELHOUSE = Path(sys.prefix) / "wheelhouse"
NODE = Path(sys.executable).with_name("node")
UNUSED = (
    "event_handler",
    "middleware_factory",
    "utilities/auth_alpha",
    "utilities/batch",
    "utilities/circuit_breaker",
    "utilities/data_classes",
    "utilities/data_masking",
    "utilities/feature_flags",
    "utilities/idempotency",
    "utilities/kafka",
    "utilities/metadata",
    "utilities/parameters",
    "utilities/parser",
    "utilities/streaming",
    "utilities/validation",
)
"""Packages of Powertools that no function imports: three quarters of it."""
RUNTIME = lambda_.Runtime.PYTHON_3_13


class BundlingError(RuntimeError):
    """The package could not be made."""


def package() -> Path:
    """The folder to ship, made where there is none of these sources yet. Raises BundlingError.

    CDK's own bundling would take a folder that an interrupted synth left half full for a finished one.
    """
    finished = BUILD / source_hash()
    if not finished.is_dir():
        BUILD.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            half = Path(folder) / "package"
            bundle(half)
            try:
                half.rename(finished)
            except OSError:
                # Another synth has made the same package meanwhile.
                if not finished.is_dir():
                    raise
    return finished


def source_hash() -> str:
    """Hash of everything the package is made from; the same on every machine."""
    digest = hashlib.sha256()
    named = [(path.relative_to(LAMBDAS).as_posix(), path) for path in _sources()]
    for name, path in (*named, *((path.name, path) for path in RECIPE)):
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return digest.hexdigest()


def bundle(output: Path) -> None:
    """Makes the package in the folder `output`. Raises BundlingError."""
    for needed in (WHEELHOUSE, NODE):
        if not needed.exists():
            raise BundlingError(f"{needed} is missing: run `make install`, and the app with .venv/bin/python.")
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install")
    offline = ("--no-index", f"--find-links={WHEELHOUSE}", f"--requirement={LAMBDAS / 'requirements.txt'}")
    _run(*pip, *offline, "--no-compile", f"--target={output}")
    shutil.rmtree(output / "bin", ignore_errors=True)
    for unused in UNUSED:
        shutil.rmtree(output / "aws_lambda_powertools" / unused)
    for source in _sources():
        target = output / source.relative_to(LAMBDAS)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    compiler = _run(str(NODE), str(COMPILER), str(output))
    if not compiler.startswith(RUNTIME.name.removeprefix("python") + "."):
        raise BundlingError(f"pyodide in package.json is Python {compiler}; the functions run {RUNTIME.name}.")


def _sources() -> list[Path]:
    files = (path for path in LAMBDAS.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(files)


def _run(*command: str) -> str:
    """What a command prints. It gets no terminal; its own words are told where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, cwd=ROOT)
    if done.returncode:
        raise BundlingError(f"{' '.join(command[:4])} ... exited with {done.returncode}:\n{done.stderr or done.stdout}")
    return done.stdout.strip()
