"""The commands as a whole: every module is listed, every option reads well."""

import os
import subprocess
import sys
from pathlib import Path
from pkgutil import iter_modules

import pytest
from typer.testing import CliRunner

from loopctl import commands
from loopctl.cli import COMMANDS, app
from tests.loopctl.json_schemas import BY_COMMAND, FOLDER

NAMES = [module.name for module in iter_modules(commands.__path__)]

_RUN = """
import sys
from loopctl.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def test_every_module_is_a_command() -> None:
    """A module in `loopctl.commands` that nobody listed would be a command that nobody can run."""
    assert {name.replace("_", "-") for name in NAMES} == set(COMMANDS)


@pytest.mark.parametrize(("arguments", "loaded"), [(["--version"], set()), (["mute", "--help"], {"mute"})])
def test_only_the_command_that_is_asked_for_is_loaded(arguments: list[str], loaded: set[str]) -> None:
    """And with it neither the AWS SDK nor what draws tables: a command line that starts late is not used."""
    modules = imported_by(*arguments)
    ours = {name.removeprefix("loopctl.commands.") for name in modules if name.startswith("loopctl.commands.")}
    assert ours == loaded
    assert not modules & {"rich", "boto3", "botocore", "mcp", "loopctl.replay", "loopctl.report"}


def test_a_command_that_does_not_exist_is_said_with_its_nearest() -> None:
    """Though no command is loaded for it."""
    result = CliRunner().invoke(app, ["stauts"])
    assert result.exit_code == 2
    assert "Did you mean 'status'" in result.stderr


def imported_by(*arguments: str) -> set[str]:
    """Every module that a run of the command loads."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments],
        env=os.environ | {"PYTHONPATH": f"{root}:{root / 'lambdas'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


@pytest.mark.parametrize("name", NAMES)
def test_help_shows_no_type_of_python(name: str) -> None:
    """A flag takes no value, and says so by showing none; words in angle brackets are the language's, not ours."""
    help_ = CliRunner().invoke(app, [name.replace("_", "-"), "--help"])
    assert help_.exit_code == 0
    assert "<" not in help_.stdout


def test_every_json_has_a_schema() -> None:
    """A command with --json is listed with the schema of its lines; the tests of that command hold it to it."""
    helps = {name: CliRunner().invoke(app, [name, "--help"]).stdout for name in NAMES}
    assert {name for name, text in helps.items() if "--json " in text} == {
        name.partition(" ")[0] for name in BY_COMMAND
    }
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.schema.json" for name in BY_COMMAND.values()}
