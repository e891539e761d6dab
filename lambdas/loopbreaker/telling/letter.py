"""What a message says, before it is written as mail, chat or event. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum


class Severity(StrEnum):
    """How soon somebody should look: at once, soon, or not at all."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a message under its own title.

    text: sentences. rows: label and value. lines: shown as they are. commands: ready to paste, one each.
    rank: what is left out first where a message would be too long; 0 is never left out.
    """

    title: str
    text: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in its parts. `links` are names and addresses; `left_out` names the parts that did not fit."""

    headline: str
    why: str
    severity: Severity
    facts: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    left_out: tuple[str, ...] = ()


# What tells a terminal of colours and cursors (ECMA-48): without its first character it would stand there as text.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")

Rendering = Callable[[Letter], str]
"""Writes a letter in one form; what it gives is measured as UTF-8."""


def shortened(letter: Letter, render: Rendering, *, limit: int) -> Letter:
    """The letter without as many of its parts as must go for `render` to stay within `limit` bytes.

    The parts of the highest rank go first; what went is named in the letter.
    """
    while len(render(letter).encode()) > limit:
        spare = [block for block in letter.blocks if block.rank]
        if not spare:
            return replace(letter, links=()) if letter.links else letter
        gone = max(spare, key=lambda block: block.rank)
        letter = replace(
            letter,
            blocks=tuple(block for block in letter.blocks if block is not gone),
            left_out=(*letter.left_out, gone.title.lower()),
        )
    return letter


def clean(text: str, *, most: int = 300) -> str:
    """Text from outside on one line: no colours of a terminal, no control characters, never cut within a word."""
    text = _ESCAPES.sub("", text)
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(line) <= most:
        return line
    head = line[: most - 1]
    return f"{head[: head.rfind(' ')] if ' ' in head[most // 2 :] else head}…"


def short(name: str, most: int) -> str:
    """A name of at most so many characters: both ends, because names of one family differ at either."""
    if len(name) <= most:
        return name
    tail = most // 3
    return f"{name[: most - tail - 3]}...{name[-tail:]}"
