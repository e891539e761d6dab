"""The dashboard shows what the functions send, of every function, and fits what CloudWatch gives for nothing."""

import json
import re
from typing import Any

import pytest

from handlers import observability
from loopbreaker.policy import Mode
from tests.infra.resources import of_type

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
