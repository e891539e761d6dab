"""The documents say what the code does."""

from pathlib import Path

import pytest

from release.document import PAGES, tables, written


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_those_of_the_code(page: Path) -> None:
    """Whoever adds a threshold runs `python -m release.document`."""
    text = page.read_text()
    assert written(text) == text
    assert any(table in text for table in tables().values())
