"""The commands as a whole: every module is listed, every option reads well."""

from importlib import import_module
from pkgutil import iter_modules

import pytest
from typer.testing import CliRunner

from loopctl import commands
from loopctl.cli import COMMANDS, app
from tests.loopctl.json_schemas import BY_COMMAND, FOLDER

NAMES = [module.name for module in iter_modules(commands.__path__)]


def test_every_module_is_a_command() -> None:
    """A module in `loopctl.commands` that nobody listed would be a command that nobody can run."""
    assert {import_module(f"loopctl.commands.{name}") for name in NAMES} == set(COMMANDS)


@pytest.mark.parametrize("name", NAMES)
def test_help_shows_no_type_of_python(name: str) -> None:
    """A flag takes no value, and says so by showing none; words in angle brackets are the language's, not ours."""
    help_ = CliRunner().invoke(app, [name.replace("_", "-"), "--help"])
    assert help_.exit_code == 0
    assert "<" not in help_.stdout


def test_every_json_has_a_schema() -> None:
    """A command with --json is listed with the schema of its lines; the tests of that command hold it to it."""
    helps = {name: CliRunner().invoke(app, [name, "--help"]).stdout for name in NAMES}
    assert {name for name, text in helps.items() if "--json " in text} == BY_COMMAND.keys()
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.schema.json" for name in BY_COMMAND.values()}
