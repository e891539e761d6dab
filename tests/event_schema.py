"""The published schema of the event, checked with a library; `conftest.py` holds every event of the suite to it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "event.schema.json").read_text(encoding="utf-8"))
_FORMATS = FormatChecker(())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_utc(value: object) -> bool:
    return isinstance(value, str) and value.endswith("Z") and datetime.fromisoformat(value).tzinfo is not None


# Readers pass over properties that they do not know; we send none that is not described.
_STRICT = Draft202012Validator(SCHEMA | {"additionalProperties": False}, format_checker=_FORMATS)


def follows_schema(detail: Any) -> None:
    """Raises jsonschema.ValidationError where the detail of an event is not as it is published."""
    _STRICT.validate(detail)
