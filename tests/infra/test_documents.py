"""The documents say what the code does."""

from pathlib import Path

import pytest

from infra.document import PAGES, tables, written


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_those_of_the_code(page: Path) -> None:
    """Whoever adds a threshold runs `python -m infra.document`."""
    text = page.read_text()
    assert written(text) == text
    assert any(table in text for table in tables().values())
