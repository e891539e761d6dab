"""The commands that people are told to paste: each is one that its program takes, in messages and in the runbook."""

import re
import shlex
from pathlib import Path
from typing import Any

import jmespath  # type: ignore[import-untyped]
import pytest
import typer
from botocore import xform_name
from botocore.session import Session

from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.telling.contents import Background, write
from loopbreaker.telling.words import Telling
from loopctl.cli import app
from tests.builders import looping
from tests.telling.told import CASES, NAMES, held, told

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook"
PAGES = sorted(path.name for path in RUNBOOK.glob("*.md"))
# Options of every command of the AWS command line; `logs tail` is its own and no operation of the service.
GLOBAL = {"--region", "--query", "--output", "--profile"}
OF_TAIL = {"--since", "--filter-pattern", "--log-stream-name-prefix", "--follow"}
SDK = Session()


def models(service: str) -> dict[str, Any]:
    """The operations of a service, by the name that the command line gives them."""
    model = SDK.get_service_model(service)
    return {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}


def check_aws(words: list[str]) -> None:
    """A command of the AWS command line, without `aws`: service, operation, options, what must be there, the query."""
    service, operation, *rest = words
    options = [word for word in rest if word.startswith("--")]
    if "--query" in options:
        jmespath.compile(rest[rest.index("--query") + 1])
    if (service, operation) == ("logs", "tail"):
        assert not rest[0].startswith("--")
        assert set(options) <= OF_TAIL | GLOBAL
        return
    shape = models(service)[operation].input_shape
    known = {f"--{xform_name(name, '-')}": name for name in shape.members} if shape else {}
    unsigned = {option.replace("--no-", "--") for option in options} - GLOBAL
    cli_only = {"--interactive"} if operation == "execute-command" else set()
    assert unsigned - cli_only <= set(known), words
    needed = {f"--{xform_name(name, '-')}" for name in (shape.required_members if shape else ())} - cli_only
    assert needed <= unsigned | cli_only, words


def check_loopctl(words: list[str]) -> None:
    """A command of `loopctl`, as its own parser reads it."""
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    found = group.get_command(None, words[0])  # type: ignore[arg-type]
    assert found is not None, words
    found.make_context(words[0], words[1:])


def check(command: str) -> None:
    program, *words = shlex.split(command)
    match program:
        case "aws":
            check_aws(words)
        case "loopctl":
            check_loopctl(words)
        case _:
            assert program in ("docker", "curl"), command


@pytest.mark.parametrize("name", NAMES)
def test_every_command_of_a_message_is_taken(name: str) -> None:
    """With its options as their programs know them, and in the Region of the service."""
    case = CASES[NAMES.index(name)]
    letter = write(Telling(case.before, case.after, case.after.notices[-1]), case.background)
    for command in (command for block in letter.blocks for command in block.commands):
        check(command)
        assert "--region eu-west-1" in command


@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_the_runbook_is_taken(name: str) -> None:
    """What stands in a block of its own."""
    text = (RUNBOOK / name).read_text(encoding="utf-8")
    for block in re.findall(r"```sh\n(.+?)```", text, flags=re.DOTALL):
        for command in block.replace("\\\n", " ").strip().splitlines():
            check(command.strip())


@pytest.mark.parametrize("kind", [NoticeKind.LOOPING, NoticeKind.STOPPED])
def test_commands_ask_the_installation_that_told(kind: NoticeKind) -> None:
    """Whoever gave the stack another name reads it in each command of `loopctl`."""
    record = held() if kind is NoticeKind.STOPPED else looping()
    usual = " ".join(told(record, kind).text.split())
    other = " ".join(told(record, kind, background=Background(stack="Observability")).text.split())
    asked = re.findall(r"loopctl (?:resume|ack|mute) prod/web(?: 1d)? --region eu-west-1(.{16})", other)
    assert asked
    assert set(asked) == {" --stack Observa"}
    assert "--stack" not in usual
