"""The server for agents, driven by the client of the official SDK, in process and as a process of its own."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult

from loopbreaker.picture.loops import Loop
from loopctl.agents import server
from loopctl.operate import Account, OperateError
from tests.builders import SERVICE, T0, looping
from tests.loopctl.json_schemas import check
from tests.loopctl.recorded import crash_loop
from tests.loopctl.test_looking_back import looped

ROOT = Path(__file__).parents[2]
NAME = f"{SERVICE.cluster}/{SERVICE.name}"
GOING = Loop(SERVICE, looped(3), record=looping())
OVER = Loop(SERVICE, looped(1), closed_at=T0 + 90_000, closed_because="the service was deleted")


class Known:
    """An installation that knows one loop that goes on, and one that is over; it can only be asked."""

    def open(self) -> list[Loop]:
        return [GOING]

    def past(self, service: object = None) -> list[Loop]:
        return [OVER]

    def service(self, cluster: str, name: str) -> object:
        return replace(SERVICE, name=name)

    def find(self, service: object, number: str) -> Loop:
        found = [loop for loop in (GOING, OVER) if loop.service == service and number in ("", loop.incident.id)]
        if not found:
            raise OperateError("no loop is remembered")
        return found[0]


def ask(talk: Callable[[Client], Awaitable[Any]]) -> Any:
    """What a client of the SDK makes of our server."""

    async def session() -> Any:
        async with Client(server(lambda: cast(Account, Known()), clock=lambda: T0 + 300_000)) as client:
            return await talk(client)

    return asyncio.run(session())


def call(tool: str, **arguments: Any) -> CallToolResult:
    return cast(CallToolResult, ask(lambda client: client.call_tool(tool, arguments)))


def test_it_can_only_be_asked() -> None:
    """Every tool says that it changes nothing, and none is named after a command that does."""
    tools = ask(lambda client: client.list_tools()).tools
    assert {tool.name for tool in tools} == {"loops", "history", "incident", "timeline", "explain", "backtest"}
    assert all(tool.annotations.read_only_hint and tool.description for tool in tools)


def test_loops_and_history_are_the_published_objects() -> None:
    """As `status --json` and `history --json` print them."""
    for tool, expected in (("loops", GOING), ("history", OVER)):
        found = call(tool).structured_content
        assert found
        (loop,) = found["loops"]
        check("status", json.dumps(loop))
        assert loop["id"] == expected.id


def test_incident_finds_by_name_and_by_number() -> None:
    """The one that goes on, or the one that was asked for."""
    for asked, expected in ((NAME, GOING), (OVER.id, OVER)):
        found = call("incident", service=asked).structured_content
        assert found
        assert found["id"] == expected.id


def test_timeline_is_the_picture_in_characters() -> None:
    """With the story beside it."""
    found = call("timeline", service=NAME).structured_content
    assert found
    assert "slot 1" in found["picture"]
    assert "Cause:    app-crash" in found["story"]


def test_explain_judges_an_event() -> None:
    """As `explain --json` prints it."""
    found = call("explain", event=crash_loop(1)[0]).structured_content
    check("explain", json.dumps(found))
    assert found
    assert found["counts"]


def test_backtest_reads_a_recording(tmp_path: Path) -> None:
    """And tells how much of it could not be read, but nothing of what it holds otherwise."""
    path = tmp_path / "events.jsonl"
    path.write_text("".join(f"{json.dumps(event)}\n" for event in crash_loop(10)) + "password=hunter2\n")
    answer = call("backtest", path=str(path))
    assert answer.structured_content
    assert [loop["service"] for loop in answer.structured_content["loops"]] == ["prod/web"]
    assert answer.structured_content["unreadable"] == 1
    assert "hunter2" not in answer.model_dump_json()


@pytest.mark.parametrize("service", ["web", "prod/nobody", f"{NAME}@7"])
def test_what_cannot_be_answered_is_an_error_of_the_tool(service: str) -> None:
    """With the reason, so that whoever asks can ask better; the server goes on."""
    answer = call("incident", service=service)
    assert answer.is_error
    assert "not CLUSTER/SERVICE" in str(answer.content) or "no loop" in str(answer.content)


def test_the_command_serves_over_its_streams() -> None:
    """`loopctl mcp` as a client starts it: it answers without an installation where none is needed."""
    env = {"PYTHONPATH": f"{ROOT}:{ROOT / 'lambdas'}", "PATH": os.environ["PATH"]}
    started = StdioServerParameters(command=sys.executable, args=["-m", "loopctl", "mcp"], env=env, cwd=ROOT)

    async def session() -> Any:
        async with Client(started) as client:
            return await client.call_tool("explain", {"event": crash_loop(1)[0]})

    answer = asyncio.run(session())
    assert answer.structured_content["label"] == "failure"
