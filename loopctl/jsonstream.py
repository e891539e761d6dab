"""JSON as recordings hold it, read piece by piece: values one after another, in lists, behind log time stamps.

The text never has to fit into memory, not even one line of it; a single value does. Lists are opened, not read:
their elements come out one by one. What cannot be read is one `Broken`, and reading goes on behind it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder

# Objects whose first key holds a list of records: the answers of `aws logs filter-log-events` and `aws sqs
# receive-message`, a CloudWatch Logs subscription, an SQS batch. They may be as long as the recording.
_LISTING = re.compile(r'\{\s*"(?:events|logEvents|Records|Messages)"\s*:\s*\[')
# `2026-11-21T03:16:19.000Z {…}` and, as `aws logs tail` prints it, with the log stream in between.
_LOG_PREFIX = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[^\s{]*[ \t][^{\n]*(?=\{)")
_BLANK = re.compile(r"[\s\ufeff]*")
# Where the next value may begin after one that broke off lines before.
_FRESH_LINE = re.compile(r"^([ \t]*)(?=[\[{\]\d])", re.MULTILINE)

_DECODER = JSONDecoder()
# EventBridge takes events of up to 1 MB; wrapped twice they are still shorter than this many characters.
_LONGEST = 16 * 2**20
_LONG = 2**18
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


def values(chunks: Iterable[str]) -> Iterator[Value | Broken]:
    """The values in a text, in order. Chunks may end anywhere; undecodable bytes are lone surrogates in them."""
    return _Scanner(chunks).scan()


class _Scanner:
    """A window on the text: what is left of it begins at `_at`, which is `_column` characters into line `_line`."""

    def __init__(self, chunks: Iterable[str]) -> None:
        self._chunks = iter(chunks)
        self._text = ""
        self._at = 0
        self._line = 1
        self._column = 0
        self._ended = False
        # The brackets that are open, and whether others may have been lost with something broken.
        self._open: list[str] = []
        self._lost = False

    def scan(self) -> Iterator[Value | Broken]:
        while self._skip_blanks():
            if found := self._next():
                yield found
        if self._open and not self._lost:
            yield Broken(self._line, "the recording ends inside a list: it was cut off")

    def _next(self) -> Value | Broken | None:
        """What stands here; None where it was punctuation, or where more text had to be read first."""
        char, inside = self._text[self._at], self._open[-1] if self._open else ""
        if char == "," or (char == ":" and inside == "{"):
            self._go(self._at + 1)
            return None
        if char in "]}":
            return self._close(char)
        if inside == "{":
            return self._passed_over()
        if char == "[":
            self._open.append("[")
            self._go(self._at + 1)
            return None
        if char == "{" and (listing := _LISTING.match(self._text, self._at)):
            self._open += ["{", "["]
            self._go(listing.end())
            return None
        return self._value(self._at) if char in '{"' else self._line_or_scalar()

    def _close(self, bracket: str) -> Broken | None:
        if self._open and self._open[-1] == {"]": "[", "}": "{"}[bracket]:
            self._open.pop()
        elif not self._lost:
            return self._give_up(self._at, f"not JSON: {bracket!r} where nothing is open")
        self._go(self._at + 1)
        return None

    def _passed_over(self) -> Broken | None:
        """The keys of a listing that come after its list, and their values."""
        found = self._value(self._at)
        return found if isinstance(found, Broken) else None

    def _line_or_scalar(self) -> Value | Broken | None:
        """A line of a log, for it begins with neither a bracket nor a quote; in a list it may be a number or null."""
        end = self._text.find("\n", self._at)
        if end < 0 and self._more():
            return None
        if prefix := _LOG_PREFIX.match(self._text, self._at):
            return self._value(prefix.end())
        if self._open:
            return self._value(self._at)
        line = self._text[self._at : end if end >= 0 else len(self._text)].rstrip()
        shown = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
        return self._give_up(self._at, f"not JSON: {shown!r}")

    def _value(self, start: int) -> Value | Broken | None:
        try:
            found, end = _DECODER.raw_decode(self._text, start)
        except JSONDecodeError as error:
            return self._fail(error.pos, f"not JSON: {error.msg.removesuffix(' at')}")
        except (ValueError, RecursionError) as error:  # A number of thousands of digits, lists in thousands of lists.
            return self._give_up(start, f"not JSON: {error}")
        if end == len(self._text) and isinstance(found, int | float) and self._more():
            return None
        line, text = self._line, self._text[start:end]
        self._go(end)
        return Value(line, found) if text.isascii() or _is_unicode(text) else Broken(line, "not UTF-8")

    def _fail(self, pos: int, why: str) -> Broken | None:
        """Decoding failed at `pos`: for want of text that is not there yet, or for good."""
        cut_off = self._blank_end(pos) == len(self._text)
        if (cut_off or self._text.find("\n", pos) < 0) and self._more():
            return None
        if cut_off:
            return self._give_up(pos, "not JSON: it was cut off" if self._ended else "longer than any event")
        lines = self._text.count("\n", self._at, pos)
        if not lines:
            return self._give_up(pos, f"{why} at column {self._column + pos - self._at + 1}")
        column = pos - self._text.rfind("\n", 0, pos)
        return self._give_up(pos, f"{why} at line {self._line + lines}, column {column}")

    def _give_up(self, pos: int, why: str) -> Broken:
        """Leave behind what is broken: its line, or where it has several, all of them."""
        broken = Broken(self._line, why)
        self._lost = self._lost or bool(self._open)
        line_start = self._text.rfind("\n", self._at, pos) + 1
        if line_start:
            indent = self._column
            self._go(line_start)
            self._resume(indent)
        else:
            self._skip_line(pos)
        return broken

    def _resume(self, indent: int) -> None:
        """Go to the next line that is indented no deeper and may begin a value."""
        while True:
            for line in _FRESH_LINE.finditer(self._text, self._at):
                if len(line[1]) <= indent:
                    self._go(line.end())
                    return
            self._go(max(self._at, self._text.rfind("\n") + 1))
            if not self._more():
                self._go(len(self._text))
                return

    def _skip_line(self, pos: int) -> None:
        self._go(pos)
        while (end := self._text.find("\n", self._at)) < 0:
            self._go(len(self._text))
            if not self._more():
                return
        self._go(end + 1)

    def _skip_blanks(self) -> bool:
        """Go to the next thing that is not blank; False at the end."""
        while True:
            self._go(self._blank_end(self._at))
            if self._at < len(self._text):
                return True
            if not self._more():
                return False

    def _blank_end(self, at: int) -> int:
        blank = _BLANK.match(self._text, at)
        return blank.end() if blank else at

    def _go(self, to: int) -> None:
        lines = self._text.count("\n", self._at, to)
        self._line += lines
        self._column = to - self._text.rfind("\n", self._at, to) - 1 if lines else self._column + to - self._at
        self._at = to

    def _more(self) -> bool:
        """Read on, forgetting what is behind; False where there is no more, or one value has become too long."""
        rest = self._text[self._at :]
        if self._ended or len(rest) > _LONGEST:
            return False
        # A value that grows is decoded again from its beginning: let a long one grow by a share each time.
        wanted, pieces = max(len(rest) - _LONG, 0) // 4, [rest]
        while wanted >= 0 and not self._ended:
            pieces.append(next(self._chunks, ""))
            wanted -= len(pieces[-1])
            self._ended = not pieces[-1]
        if len(pieces) == 2 and self._ended:
            return False
        self._text, self._at = "".join(pieces), 0
        return True


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
