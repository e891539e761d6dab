"""The commands as a whole: every module is listed, every option reads well."""

from importlib import import_module
from pkgutil import iter_modules

import pytest
from typer.testing import CliRunner

from loopctl import commands
from loopctl.cli import COMMANDS, app

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
