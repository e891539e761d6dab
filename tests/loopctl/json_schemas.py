"""The published schemas of what commands print with `--json`, strict: nothing is printed that is not described."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"
BY_COMMAND = {
    "doctor": "finding",
    "status": "loop",
    "status --hub": "hub",
    "history": "loop",
    "show": "loop",
    "replay": "change",
    "explain": "explanation",
    "policy": "policy",
    "backtest": "backtest",
    "scan": "scan",
}
"""Every command that has `--json`, and the schema of a line of it."""

_FORMATS = FormatChecker(())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_utc(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.endswith("Z") and bool(datetime.fromisoformat(value)))


def check(command: str, printed: str) -> list[Any]:
    """The objects in what a command printed. Raises jsonschema.ValidationError where one is not as published."""
    schema = _strict(json.loads((FOLDER / f"{BY_COMMAND[command]}.schema.json").read_text(encoding="utf-8")))
    validator = Draft202012Validator(schema, format_checker=_FORMATS)
    found = [json.loads(line) for line in printed.splitlines()]
    for one in found:
        validator.validate(one)
    return found


def _strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _strict(value) for key, value in schema.items()}
    return closed | ({"additionalProperties": False} if "properties" in schema else {})
