"""Recorded events, in the many forms in which people have them: one stream of envelopes, each with its place."""

import codecs
import csv
import json
import os
import stat
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from loopctl.jsonstream import Broken, Value, values
from loopctl.observed import of_task

STDIN = "-"
_CHUNK = 2**16
_GZIP = b"\x1f\x8b"
# What one chunk of a gzip file may become at once.
_INFLATED = 2**20
# An event in an SNS message in an SQS message in a log line in a list is wrapped five times.
_WRAPPERS = 8
# How a table of CloudWatch Logs Insights begins.
_INSIGHTS = ("@", '"@')


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event as it was recorded, unwrapped, not yet parsed; and where it stands."""

    file: str
    line: int
    event: object


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something in a recording that cannot be read. `line` is 0 where it concerns the whole file."""

    file: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.why}" if self.line else f"{self.file}: {self.why}"


class _BinaryError(ValueError):
    """A file that holds no text."""


class Recordings:
    """The events of several files, one file after the other; `-` is standard input.

    Files hold JSON Lines, JSON lists, exports and tails of CloudWatch Logs, tables of Logs Insights (CSV), SQS and SNS
    messages, answers of DescribeTasks, plain or gzipped: what they hold is found out by looking.
    Lines are read as they arrive. A list, or objects over several lines, take the memory of their text, twice.
    """

    def __init__(self, files: Sequence[str]) -> None:
        self._files = files
        self.bytes_read = 0

    def bytes_total(self) -> int | None:
        """How many bytes there are to read; None where nobody knows, as of a pipe."""
        try:
            found = [os.fstat(sys.stdin.fileno()) if file == STDIN else os.stat(file) for file in self._files]
        except OSError:
            return None
        return sum(one.st_size for one in found) if all(stat.S_ISREG(one.st_mode) for one in found) else None

    def __iter__(self) -> Iterator[Recorded | Unreadable]:
        for file in self._files:
            name = "standard input" if file == STDIN else file
            try:
                with _opened(file) as stream:
                    for found in _values(_text(self._bytes(stream))):
                        if isinstance(found, Broken):
                            yield Unreadable(name, found.line, found.why)
                        else:
                            yield from _unwrapped(found.json, file=name, line=found.line)
            except OSError as error:
                yield Unreadable(name, 0, error.strerror or str(error))
            except (UnicodeDecodeError, csv.Error) as error:
                yield Unreadable(name, 0, f"neither JSON nor a table, or damaged: {error}")
            except _BinaryError:
                yield Unreadable(name, 0, "no text, but a binary file: neither JSON nor a table")
            except zlib.error as error:
                yield Unreadable(name, 0, f"not gzip, or damaged: {error}")

    def _bytes(self, stream: BinaryIO) -> Iterator[bytes]:
        # read1 waits for something, not for a whole chunk: a pipe is followed as it is written to.
        read = getattr(stream, "read1", stream.read)
        while chunk := read(_CHUNK):
            self.bytes_read += len(chunk)
            yield chunk


def _values(text: Iterator[str]) -> Iterator[Value | Broken]:
    """The values of a text: JSON, or a table of CloudWatch Logs Insights as CSV with a column of messages."""
    first = next(text, "")
    lines = _lines(chain([first], text))
    return _rows(lines) if first.lstrip("\ufeff").startswith(_INSIGHTS) else values(lines)


def _rows(lines: Iterator[str]) -> Iterator[Value | Broken]:
    csv.field_size_limit(_INFLATED * 16)
    reader = csv.DictReader(lines)
    for row in reader:
        message = row.get("@message") or row.get("message")
        if message is None:
            yield Broken(reader.line_num, "no column @message: ask for `fields @timestamp, @message`")
            return
        yield Value(reader.line_num, message)


def _lines(chunks: Iterator[str]) -> Iterator[str]:
    pieces: list[str] = []
    for chunk in chunks:
        first, *more = chunk.split("\n")
        pieces.append(first)
        for line in more:
            yield "".join(pieces) + "\n"
            pieces = [line]
    if last := "".join(pieces):
        yield last


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if file == STDIN else open(file, "rb")


def _text(compressed: Iterator[bytes]) -> Iterator[str]:
    """The text of a file: UTF-8, or what its byte order mark says. Bytes that are neither become lone surrogates.

    Raises _BinaryError where it begins like no text: of a zip or a picture thousands of lines would be refused.
    """
    chunks = _inflated(compressed)
    first = next(chunks, b"")
    utf16 = first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if not utf16 and b"\0" in first:
        raise _BinaryError
    decoder = codecs.getincrementaldecoder("utf-16" if utf16 else "utf-8")(errors="surrogateescape")
    for chunk in chain([first], chunks):
        if text := decoder.decode(chunk):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text


def _inflated(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The content of a gzip file, which may have several members; anything else as it is."""
    first = next(chunks, b"")
    if not first.startswith(_GZIP):
        yield from chain([first], chunks)
        return
    member = zlib.decompressobj(wbits=31)
    for chunk in chain([first], chunks):
        left = chunk
        while left := left.lstrip(b"\0") if member.eof else left:
            if member.eof:
                member = zlib.decompressobj(wbits=31)
            yield member.decompress(left, _INFLATED)
            left = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise zlib.error("the file was cut off")


def _unwrapped(found: object, *, file: str, line: int, depth: int = 0) -> Iterator[Recorded | Unreadable]:
    """The events in a value: itself, or what a log, a queue or a topic has wrapped around them."""
    inner: object
    if depth > _WRAPPERS:
        yield Unreadable(file, line, f"wrapped more than {_WRAPPERS} times")
        return
    match found:
        case {"detail-type": _}:
            yield Recorded(file, line, found)
            return
        case {"taskArn": str(arn), "lastStatus": str(status), **rest}:
            task = {str(name): value for name, value in rest.items()}
            yield Recorded(file, line, of_task(task | {"taskArn": arn, "lastStatus": status}))
            return
        case {"events": [*parts]} | {"logEvents": [*parts]} | {"tasks": [*parts]} | [*parts]:
            yield from _each(parts, file=file, line=line, depth=depth)
            return
        case {"Records": [*parts]} | {"Messages": [*parts]}:
            yield from _each(parts, file=file, line=line, depth=depth)
            return
        case {"Type": "Notification", "Message": inner} | {"TopicArn": _, "Message": inner}:
            pass
        case {"body": inner} | {"Body": inner} | {"message": inner} | {"@message": inner} | (str() as inner):
            pass
        case _:
            yield Recorded(file, line, found)
            return
    try:
        parsed = json.loads(inner) if isinstance(inner, str) else inner
    except (ValueError, RecursionError) as error:
        yield Unreadable(file, line, f"wraps something that is not JSON: {error}")
        return
    yield from _unwrapped(parsed, file=file, line=line, depth=depth + 1)


def _each(parts: list[object], *, file: str, line: int, depth: int) -> Iterator[Recorded | Unreadable]:
    for part in parts:
        yield from _unwrapped(part, file=file, line=line, depth=depth + 1)
