"""The Python package: what is in it, and that it works where nothing of this folder is."""

import json
import os
import resource
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from infra.package import SHIPPED
from loopbreaker import VERSION
from release import dist
from tests.release.conftest import ROOT
from tests.task_events import task_stopped


def run(*command: object, env: dict[str, str] | None = None, cwd: Path, seconds: float = 180) -> str:
    """What a command prints, within a bounded time and without a variable of ours."""
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=seconds,
        stdin=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | (env or {}),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_package_holds_the_command_the_construct_and_the_functions(wheel: Path, sdist: Path) -> None:
    """Every module of the core, of loopctl and of the stack; no test, no tool, no simulation."""
    with zipfile.ZipFile(wheel) as zipped:
        names = set(zipped.namelist())
    folders = {"loopbreaker": "lambdas/loopbreaker", "loopctl": "loopctl", "loopbreaker/cdk": "infra"}
    for package, folder in ((package, ROOT / folder) for package, folder in folders.items()):
        expected = {f"{package}/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.py")}
        assert expected <= names
    assert {name.split("/")[0] for name in names} == {"loopbreaker", "loopctl", f"loopbreaker-{VERSION}.dist-info"}
    data = "loopbreaker/aws/data"
    shipped = {"loopbreaker/cdk/functions.zip", f"{data}/endpoints.json", f"{data}/ecs/2014-11-13/service-2.json"}
    assert shipped <= names
    with tarfile.open(sdist) as packed:
        assert f"loopbreaker-{VERSION}/infra/functions.zip" in packed.getnames()


def test_the_same_sources_make_the_same_zip(tmp_path: Path, wheel: Path) -> None:
    """CDK deploys the functions anew when the bytes of the zip change."""
    assert dist.ship(tmp_path / "again.zip").read_bytes() == SHIPPED.read_bytes()
    with zipfile.ZipFile(SHIPPED) as zipped:
        assert "handlers/detect.py" in zipped.namelist()
        assert "aws_lambda_powertools/__init__.py" in zipped.namelist()


def test_an_app_of_somebody_else_holds_the_construct(wheel: Path, tmp_path: Path) -> None:
    """The example synthesises with what is in the wheel alone, beside the CDK library; all of it is in that stack."""
    with zipfile.ZipFile(wheel) as zipped:
        zipped.extractall(tmp_path / "installed")
    out = tmp_path / "cdk.out"
    run(
        sys.executable,
        ROOT / "examples" / "cdk" / "app.py",
        env={"PYTHONPATH": str(tmp_path / "installed"), "CDK_OUTDIR": str(out)},
        cwd=tmp_path,
    )
    template = json.loads((out / "Observability.template.json").read_text())
    functions = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]
    handlers = {function["Handler"].split(".")[1] for function in functions}
    assert {"detect", "respond", "sweep", "notify"} <= handlers
    assert {"LoopbreakerTableName", "LoopbreakerVersion"} <= set(template["Outputs"])
    (asset,) = out.glob("asset.*.zip")
    assert asset.read_bytes() == SHIPPED.read_bytes()


@pytest.mark.fresh
def test_loopctl_works_on_a_bare_machine(wheel: Path, tmp_path: Path) -> None:
    """In a new environment with what the package declares, and nothing of this folder; it starts in half a second.

    The wheel was made from the source distribution.
    """
    venv.create(tmp_path / "venv", with_pip=True)
    python, loopctl = tmp_path / "venv" / "bin" / "python", tmp_path / "venv" / "bin" / "loopctl"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=tmp_path)
    assert run(loopctl, "--version", cwd=tmp_path) == f"loopctl {VERSION}\n"
    recording = tmp_path / "events.jsonl"
    recording.write_text(json.dumps(task_stopped()) + "\n")
    assert "1 event" in run(loopctl, "replay", recording, cwd=tmp_path)
    assert run(loopctl, "status", "--help", cwd=tmp_path)
    assert min(cpu_seconds(loopctl, "--version", cwd=tmp_path) for _ in range(5)) < 0.5


def cpu_seconds(*command: object, cwd: Path) -> float:
    """What a command takes of a processor, however busy the machine is."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(*command, cwd=cwd)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
