"""The message as mail: plain text of at most 78 columns, commands on lines of their own. Pure."""

from collections.abc import Iterator
from textwrap import wrap

from loopbreaker.telling.commands import wrapped
from loopbreaker.telling.letter import Block, Letter, clean

WIDTH = 78
# SNS takes a subject of fewer than 100 characters (SNS API reference, Publish).
_SUBJECT = 99
_LABEL = 11


def subject(text: str) -> str:
    """ASCII, no line breaks, short enough for SNS, and not cut within a word."""
    plain = clean(text.encode("ascii", "replace").decode(), most=10_000)
    if len(plain) <= _SUBJECT:
        return plain
    head = plain[: _SUBJECT - 3]
    return f"{head[: head.rfind(' ')] if ' ' in head[_SUBJECT // 2 :] else head}..."


def render(letter: Letter) -> str:
    parts = [
        _prose(f"{letter.headline}."),
        _prose(f"Why: {letter.why}."),
        "\n".join(line for label, value in letter.facts for line in _row(label, value)),
        *(_block(block) for block in letter.blocks),
        _prose(f"Left out to stay short: {', '.join(letter.left_out)}.") if letter.left_out else "",
        "\n".join(line for name, url in letter.links for line in _row(name, url)),
    ]
    return "\n\n".join(part for part in parts if part)


def _block(block: Block) -> str:
    lines = [block.title.upper()]
    if block.text:
        lines.append(_prose(block.text))
    lines += [line for label, value in block.rows for line in _row(label, value, indent="  ")]
    lines += [folded for line in block.lines for folded in _fold(line)]
    for command in block.commands:
        lines += ["", *(f"  {line}" for line in wrapped(command, width=WIDTH - 2))]
    return "\n".join(lines)


def _prose(text: str) -> str:
    return "\n".join(wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False))


def _row(label: str, value: str, *, indent: str = "") -> list[str]:
    head = f"{indent}{label + ':':<{_LABEL}}"
    if not head.endswith(" "):
        head += " "
    margin = " " * (len(indent) + _LABEL)
    return wrap(
        value, WIDTH, initial_indent=head, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
    )


def _fold(line: str) -> Iterator[str]:
    """A line shown as it is, folded where it is too long."""
    yield from wrap(line, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False) or ["  "]
