"""JSON as recordings hold it: one value a line, with the time stamp of a log before it or not; else a text of values.

What cannot be read is one `Broken`, and reading goes on behind it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder

# `2026-11-21T03:16:19.000Z {…}` and, as `aws logs tail` prints it, with the log stream in between.
_LOG_PREFIX = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[^\s{]*[ \t][^{\n]*(?=\{)")
# What may stand between two values.
_BETWEEN = re.compile(r"[\s\ufeff,]*")
_DECODER = JSONDecoder()
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Value:
    """A JSON value and the number of the line on which it begins."""

    line: int
    json: object


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that is not JSON, on which line, and why."""

    line: int
    why: str


def values(lines: Iterable[str]) -> Iterator[Value | Broken]:
    """The values in a text, in order; lists are opened. Undecodable bytes are lone surrogates in the lines.

    A line that holds whole values is read by itself. From the first on that begins a list, or a value that goes on in
    the next line, the rest of the text is read as one.
    """
    numbered = enumerate(lines, 1)
    for number, line in numbered:
        if _goes_on(line):
            line += "".join(more for _, more in numbered)  # noqa: PLW2901 - the rest of the text is one long line
        yield from _scan(line, number)


def _goes_on(line: str) -> bool:
    text = line.strip(" \t\r\n\ufeff")
    if text.startswith("["):
        return True
    prefix = _LOG_PREFIX.match(text)
    start = prefix.end() if prefix else 0
    if text.endswith("}") or not text.startswith("{", start):
        return False
    try:
        _DECODER.raw_decode(text, start)
    except JSONDecodeError as error:
        return error.pos >= len(text)
    except (ValueError, RecursionError):
        pass
    return False


def _scan(text: str, line: int) -> Iterator[Value | Broken]:
    """The values one after another, and the elements of lists, in a text that begins on this line."""
    at = depth = 0
    damaged = False
    while True:
        start = _blank_end(text, at)
        line += text.count("\n", at, start)
        if start == len(text):
            break
        found, at = _next(text, start, line, depth)
        match found:
            case "[":
                depth += 1
            case "]":
                depth = max(depth - 1, 0)
            case Broken() | Value():
                yield found
                damaged = damaged or isinstance(found, Broken)
        line += text.count("\n", start, at)
    if depth and not damaged:
        yield Broken(line, "the recording ends inside a list: it was cut off")


def _next(text: str, at: int, line: int, depth: int) -> tuple[Value | Broken | str, int]:
    """What stands here, and where it ends; where it is broken, where reading may go on."""
    if text[at] == "[" or (text[at] == "]" and depth):
        return text[at], at + 1
    prefix = _LOG_PREFIX.match(text, at)
    start = prefix.end() if prefix else at
    try:
        found, end = _DECODER.raw_decode(text, start)
    except JSONDecodeError as error:
        return Broken(line, _why(text, at, line, error)), _fresh(text, at, error.pos)
    except (ValueError, RecursionError) as error:  # A number of thousands of digits, lists in thousands of lists.
        return Broken(line, f"not JSON: {error}"), _fresh(text, at, start)
    if not (depth or isinstance(found, dict | str)):
        return Broken(line, f"not JSON: {_shown(text, at)}"), _fresh(text, at, start)
    value = text[start:end]
    return (Value(line, found) if value.isascii() or _is_unicode(value) else Broken(line, "not UTF-8")), end


def _why(text: str, at: int, line: int, error: JSONDecodeError) -> str:
    if text[at] not in '{["' and not text.startswith("{", error.pos) and error.pos == at:
        return f"not JSON: {_shown(text, at)}"
    if _blank_end(text, error.pos) == len(text):
        return "not JSON: it was cut off"
    lines = text.count("\n", at, error.pos)
    where = f"line {line + lines}, " if lines else ""
    return f"not JSON: {error.msg.removesuffix(' at')} at {where}column {error.colno}"


def _fresh(text: str, at: int, pos: int) -> int:
    """Behind what broke off at `pos`: its line; where it has several, all that are indented deeper than the first."""
    if text.find("\n", at, pos) < 0:
        return _line_end(text, pos)
    indent = at - text.rfind("\n", 0, at) - 1
    line = re.compile(rf"^[ \t]{{0,{indent}}}(?=[\[{{\]\d])", re.MULTILINE).search(text, text.rfind("\n", at, pos) + 1)
    return line.end() if line else len(text)


def _blank_end(text: str, at: int) -> int:
    blank = _BETWEEN.match(text, at)
    return blank.end() if blank else at


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return end if end >= 0 else len(text)


def _shown(text: str, at: int) -> str:
    line = text[at : _line_end(text, at)].rstrip()
    return repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
