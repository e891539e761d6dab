"""The committed previews are what the code writes today, and they are fit to be read."""

import re
from functools import cache

import pytest

from loopbreaker.model import Category
from loopbreaker.remembering.notice import NoticeKind
from previews.__main__ import PICTURED, ROOT, TARGET, shown, written
from previews.cases import cases

NAMES = sorted(path.name for path in TARGET.iterdir() if path.suffix != ".png")
FAILURES = list(Category)[: list(Category).index(Category.UNKNOWN) + 1]


@cache
def files() -> dict[str, str]:
    """What the command writes, as the code is when a test asks."""
    return written()


def test_no_committed_preview_is_stale() -> None:
    """`make previews` would change nothing; pictures are not compared."""
    found = files()
    stale = [name for name in NAMES if (TARGET / name).read_text(encoding="utf-8") != found.get(name)]
    assert not stale, f"make previews would change {', '.join(stale)}"


def test_nothing_else_lies_there() -> None:
    """Every file of docs/previews/ is written by the command, and every picture that is spoken of is there."""
    there = {path.name for path in TARGET.iterdir()}
    assert there == set(files()) | {f"{name}.png" for name in PICTURED}


def test_the_readme_shows_one_that_is_made_by_the_command() -> None:
    """Its first screen is a message as it is sent today."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert shown(readme) == readme
    assert "Subject: [Loopbreaker] checkout is in a restart loop in prod" in readme[:4000]


def test_every_kind_and_every_cause_is_shown() -> None:
    """A kind that is added must be looked at too."""
    kinds = {case.after.notices[-1].kind for case in cases()}
    assert kinds == set(NoticeKind)
    told = [(case.before or case.after).incident for case in cases()]
    assert {incident.category for incident in told if incident} == set(FAILURES)


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith((".txt", ".html"))])
def test_a_preview_can_be_read(name: str) -> None:
    """No empty field, no `None`, no double full stop, no text that was cut within a word."""
    text = re.sub(r"<style>.*?</style>", "", files()[name], flags=re.DOTALL)
    assert "None" not in text
    assert not re.search(r"\.\.(?!\.)(?<!\.\.\.)\s", text)
    assert not re.search(r"\(\)|  ,|: ,|, ,", text)
    assert not re.search(r"\b(generation|rung|ladder|verdict|breaker)s?\b", text, re.IGNORECASE)
