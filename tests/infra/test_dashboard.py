"""The dashboard shows what the functions send, of every function, and fits what CloudWatch gives for nothing."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from aws_lambda_powertools import Metrics

from handlers import observability
from infra import asset
from loopbreaker.policy import Mode
from loopbreaker.remembering.record import Record, Verdict
from loopbreaker.stories.ports import Change
from tests.builders import looping, trip
from tests.infra.resources import functions, of_type

OURS = {value for name, value in vars(observability).items() if name.isupper() and isinstance(value, str)}


@pytest.fixture
def widgets(templates: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What the page holds; references to other resources by their logical ids."""
    template = templates[Mode.STOP.value]
    (page,) = of_type(template, "AWS::CloudWatch::Dashboard").values()
    parts = page["DashboardBody"]["Fn::Join"][1]
    body = "".join(part if isinstance(part, str) else str(part.get("Ref", "")) for part in parts)
    found: list[dict[str, Any]] = json.loads(body)["widgets"]
    return found


def test_it_shows_metrics_that_are_sent(widgets: list[dict[str, Any]]) -> None:
    """Each metric of ours on the page is one that a function counts, in the same namespace and dimensions."""
    shown = re.findall(r'"Loopbreaker", "(\w+)", "service", "loopbreaker"', json.dumps(widgets))
    assert {"LoopsFound", "LoopsEnded", "ServicesStopped", "Failures", "DetectionDelay", "MessagesSent"} <= {*shown}
    assert {*shown} <= OURS


@pytest.mark.parametrize("mode", list(Mode))
def test_what_is_shown_and_alarmed_on_is_what_is_printed(
    mode: Mode,
    templates: dict[str, dict[str, Any]],
    widgets: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the environment of the template, all that the functions count: namespace, names and dimensions are those
    of the page and of the alarms. A metric under another dimension would be another metric, and its alarm silent."""
    template = templates[mode.value]
    for name, value in functions(template)["respond"]["Environment"]["Variables"].items():
        if name.startswith("POWERTOOLS"):
            monkeypatch.setenv(name, value)
    printed = Metrics()
    monkeypatch.setattr(observability, "metrics", printed)
    loops = looping(verdict=Verdict.LOOPING)
    healthy = Record(service=loops.service)
    for before, after in ((healthy, loops), (loops, replace(loops, trip=trip())), (loops, healthy)):
        observability.log_change(Change(before, after))
    observability.log_unreadable("web", "a reason")
    for name in _counted_by_handlers():
        observability.count_event(name)
    printed.flush_metrics()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "CloudWatchMetrics" in line]
    sent = {
        (group["Namespace"], metric["Name"], tuple((key, line[key]) for key in dimensions))
        for line in lines
        for group in line["_aws"]["CloudWatchMetrics"]
        for metric in group["Metrics"]
        for dimensions in group["Dimensions"]
    }
    assert {name for _, name, _ in sent} >= OURS - {observability.MALFORMED}
    shown = re.findall(r'"Loopbreaker", "(\w+)", "(\w+)", "(\w+)"', json.dumps(widgets))
    alarms = [a for a in of_type(template, "AWS::CloudWatch::Alarm").values() if a.get("Namespace") == "Loopbreaker"]
    assert alarms
    wanted: set[tuple[str, str, tuple[tuple[str, str], ...]]]
    wanted = {("Loopbreaker", name, ((key, value),)) for name, key, value in shown}
    wanted |= {
        ("Loopbreaker", a["MetricName"], tuple((d["Name"], d["Value"]) for d in a["Dimensions"])) for a in alarms
    }
    assert wanted <= sent


def _counted_by_handlers() -> set[str]:
    """What the handlers themselves count, by the names of the constants in their calls."""
    source = "".join(path.read_text(encoding="utf-8") for path in (asset.LAMBDAS / "handlers").glob("*.py"))
    return {
        str(getattr(observability, name))
        for name in re.findall(r"count_event\(([A-Z]+)\b", source)
        if hasattr(observability, name)
    }


def test_the_cost_is_of_every_function(widgets: list[dict[str, Any]], templates: dict[str, dict[str, Any]]) -> None:
    """A function that is added is paid for, and shown."""
    (cost,) = [widget for widget in widgets if "dollars" in widget["properties"].get("title", "")]
    for function in of_type(templates[Mode.STOP.value], "AWS::Lambda::Function"):
        assert json.dumps(cost).count(function) == 2, "its time and its runs"


def test_it_costs_nothing(widgets: list[dict[str, Any]]) -> None:
    """CloudWatch gives three dashboards for nothing, of up to 50 metrics each (its price page)."""
    metrics = [metric for widget in widgets for metric in widget["properties"].get("metrics", [])]
    assert 10 < len([metric for metric in metrics if isinstance(metric[0], str)]) <= 50


def test_the_causes_are_read_from_lines_that_are_written(widgets: list[dict[str, Any]]) -> None:
    """The words of the query are those of the log line."""
    (query,) = [widget for widget in widgets if widget["type"] == "log"]
    assert 'message = "record changed"' in query["properties"]["query"]
    assert "category" in query["properties"]["query"]
