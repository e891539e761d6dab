"""What the dashboard is given to show."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree

import pytest

from handlers import draw
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.record import Record
from loopbreaker.stories.ports import UnreadableError
from tests.builders import SERVICE, looping

CONTEXT = cast(
    Any, SimpleNamespace(function_name="draw", memory_limit_in_mb=512, invoked_function_arn="", aws_request_id="1")
)


class Known:
    """A table with these records; those of services named `broken` cannot be read."""

    def __init__(self, *records: Record) -> None:
        self._records = {record.service: record for record in records}

    def due(self, *, now: float, limit: int) -> list[ServiceRef]:
        return list(self._records)[:limit]

    def load(self, service: ServiceRef) -> Record:
        if service.name == "broken":
            raise UnreadableError("broken")
        return self._records[service]


def shown(monkeypatch: pytest.MonkeyPatch, *records: Record) -> str:
    monkeypatch.setattr(draw, "table", lambda: Known(*records))
    return str(draw.handler({"widgetContext": {"theme": "dark"}}, CONTEXT))


def named(name: str) -> Record:
    return replace(looping(), service=replace(SERVICE, name=name))


def test_each_loop_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """One picture for each, told apart for those who listen; one that cannot be read hides no other."""
    html = shown(monkeypatch, named("a"), named("broken"), named("b"), Record(service=replace(SERVICE, name="calm")))
    page = ElementTree.fromstring(f"<div>{html}</div>")
    ids = [element.get("id") for element in page.iter("{http://www.w3.org/2000/svg}title") if element.get("id")]
    assert ids == ["lb0-title", "lb1-title"]


def test_of_many_loops_some_are_drawn_and_all_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit on the page is not hidden."""
    html = shown(monkeypatch, *(named(f"s{n}") for n in range(9)))
    assert html.count("<svg ") == 6
    assert all(f"prod/s{n}" in html or f"s{n} in prod" in html for n in range(9))
    assert len(html.encode()) < 600_000


def test_peace_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty widget would look like one that is broken."""
    assert shown(monkeypatch) == "<p>No service loops.</p>"


def test_it_describes_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudWatch asks for this when somebody edits the widget."""
    assert "markdown" in draw.handler({"describe": True}, CONTEXT)


def test_names_cannot_break_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a service is called."""
    html = shown(monkeypatch, *(named(f"<script>{n}</script>") for n in range(8)))
    assert "<script" not in html
