"""What ships: the package as `cdk deploy` takes it."""

import shutil
import subprocess
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from infra import asset
from tests.infra.conftest import ROOT

UNCHECKED = 1
"""The flags of bytecode that is used without a look at its source (PEP 552)."""
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def package() -> Path:
    return asset.package()


def test_every_module_ships_bytecode_that_is_never_checked(package: Path) -> None:
    """Files in a package are dated 1980, so only unchecked bytecode spares a cold start the compiling."""
    sources = set(package.rglob("*.py"))
    compiled = list(package.rglob("*.pyc"))
    assert len(compiled) == len(sources) > 100
    assert all(path.name.endswith(".cpython-313.pyc") for path in compiled)
    headers = [path.read_bytes()[:8] for path in compiled]
    assert {int.from_bytes(header[4:], "little") for header in headers} == {UNCHECKED}
    assert len({header[:4] for header in headers}) == 1
    if sys.version_info[:2] == (3, 13):
        assert headers[0][:4] == MAGIC_NUMBER


def test_the_package_runs_on_any_architecture(package: Path) -> None:
    """Nothing in it is machine code."""
    assert [path for path in package.rglob("*") if path.suffix in {".so", ".pyd", ".dylib"}] == []


def test_the_package_is_ours_and_what_it_needs(package: Path) -> None:
    """No tests, no tools, no SDK: the runtime brings boto3."""
    folders = {path.name for path in package.iterdir() if not path.name.endswith(".dist-info")}
    assert folders == {
        "__pycache__",
        "aws_lambda_powertools",
        "handlers",
        "jmespath",
        "loopbreaker",
        "requirements.txt",
        "typing_extensions.py",
    }


def test_every_handler_can_be_imported_from_the_package(package: Path) -> None:
    """With the package and the SDK alone, neither variables nor AWS are needed to import a handler."""
    sdk = Path(pytest.importorskip("boto3").__file__).parents[1]
    names = [path.stem for path in (ROOT / "lambdas" / "handlers").glob("*.py") if "def handler(" in path.read_text()]
    assert {"detect", "respond", "sweep", "notify"} <= set(names)
    program = (
        f"import sys; sys.path[:0] = [{str(package)!r}]; sys.path.append({str(sdk)!r})\n"
        f"import {', '.join(f'handlers.{name}' for name in names)}\n"
        f"assert handlers.__path__[0].startswith({str(package)!r})\n"
        "import aws_lambda_powertools as p; assert p.__file__.startswith(sys.path[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program], capture_output=True, text=True, check=False, env={}
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("handler", ["detect", "respond", "sweep"])
def test_a_cold_start_loads_no_words(handler: str) -> None:
    """What people read, Slack and the diagnosis are loaded by those who need them, when they do."""
    program = (
        f"import sys; sys.path[:0] = [{str(asset.LAMBDAS)!r}]; import handlers.{handler}\n"
        "loaded = [name for name in sys.modules if name.startswith('loopbreaker.')]\n"
        "assert not [name for name in loaded if name.partition('.')[2].startswith('telling.')], loaded\n"
        "assert not {'loopbreaker.aws.slack', 'loopbreaker.aws.secrets', 'loopbreaker.aws.diagnosis'} & set(loaded)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr


def test_the_package_is_small(package: Path, tmp_path: Path) -> None:
    """A small package starts faster: at most 1.5 MiB as a zip."""
    zipped = Path(shutil.make_archive(str(tmp_path / "package"), "zip", package))
    assert zipped.stat().st_size < 1.5 * MIB


def test_the_hash_follows_the_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hash changes with any file that ships, and with nothing else."""
    copy = tmp_path / "lambdas"
    shutil.copytree(asset.LAMBDAS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(asset, "LAMBDAS", copy)
    before = asset.source_hash()
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__" / "left.over.pyc").write_bytes(b"")
    assert asset.source_hash() == before
    with (copy / "requirements.txt").open("a") as pins:
        pins.write("# touched\n")
    assert asset.source_hash() != before


def test_a_missing_wheelhouse_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who did not install is told to, by name of the command."""
    monkeypatch.setattr(asset, "WHEELHOUSE", tmp_path / "wheelhouse")
    with pytest.raises(asset.BundlingError, match="make install"):
        asset.bundle(tmp_path / "package")


def test_what_pip_says_reaches_the_reader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A package that cannot be made raises with pip's own words."""
    (tmp_path / "wheelhouse").mkdir()
    monkeypatch.setattr(asset, "WHEELHOUSE", tmp_path / "wheelhouse")
    with pytest.raises(asset.BundlingError, match="aws-lambda-powertools"):
        asset.bundle(tmp_path / "package")


def test_half_a_package_is_never_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever ends the making of a package leaves nothing that the next synth takes for finished."""

    def cut_off(output: Path) -> None:
        output.mkdir()
        (output / "handlers").mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(asset, "BUILD", tmp_path / "build")
    monkeypatch.setattr(asset, "bundle", cut_off)
    with pytest.raises(KeyboardInterrupt):
        asset.package()
    assert list((tmp_path / "build").iterdir()) == []
