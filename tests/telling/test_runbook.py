"""The runbook: a page for each cause that a message can link to, each with its causes, commands, fix and wrong fix."""

import re
from pathlib import Path

import pytest

from loopbreaker.telling.advice import ADVICE

FOLDER = Path(__file__).parents[2] / "docs" / "runbook"
PAGES = [*(category.value for category in ADVICE), "restarts", "empty", "mass"]


@pytest.mark.parametrize("page", PAGES)
def test_every_cause_has_its_page(page: str) -> None:
    """In order of likelihood, each with a command; then the usual fix and the wrong one."""
    text = (FOLDER / f"{page}.md").read_text(encoding="utf-8")
    assert text.startswith("# ")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Likely causes, the likeliest first", "The usual fix", "The wrong fix"]
    causes = re.findall(r"^\d\. .+", text, re.MULTILINE)
    assert len(causes) >= 2
    assert text.count("```sh") == len(causes)
    assert all(part.strip() for part in re.split(r"^##? .+$", text, flags=re.MULTILINE)[1:])


def test_there_is_no_other_page() -> None:
    """A page that no message links to would be found by nobody; the list names all."""
    there = {path.stem for path in FOLDER.glob("*.md")}
    assert there == {*PAGES, "README"}
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"({page}.md)" in listed for page in PAGES)
