"""Recordings in every form in which people have them."""

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loopctl.recordings import Recorded, Recordings, Unreadable
from tests.task_events import task_stopped

EVENTS = [task_stopped(task_id=f"{number:032x}") for number in range(3)]
TEXTS = [json.dumps(event) for event in EVENTS]


def read(*files: Path | str) -> list[Recorded | Unreadable]:
    return list(Recordings([str(file) for file in files]))


def events(*files: Path | str) -> list[object]:
    """The events alone, where everything can be read."""
    found = read(*files)
    assert not [one for one in found if isinstance(one, Unreadable)]
    return [one.event for one in found if isinstance(one, Recorded)]


def problems(*files: Path | str) -> list[str]:
    return [str(one) for one in read(*files) if isinstance(one, Unreadable)]


def sns(text: str) -> dict[str, Any]:
    return {"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:ecs", "Message": text}


def logged(text: str) -> dict[str, Any]:
    return {"logStreamName": "a", "timestamp": 1767225600000, "message": text, "eventId": "1"}


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Writes a recording; gives its path."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.log"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(TEXTS),
        json.dumps(EVENTS),
        json.dumps(EVENTS, indent=4),
        "".join(json.dumps(event, indent=2) for event in EVENTS),
        json.dumps(TEXTS),
        "\r\n\r\n".join(TEXTS) + "\r\n",
        "\ufeff" + "\n".join(TEXTS),
        "\n".join(f"2026-11-21T03:16:19.000Z {text}" for text in TEXTS),
        "\n".join(f"2026-11-21T03:16:19.000000+00:00 events/2026 {text}" for text in TEXTS),
        "\n".join(json.dumps({"timestamp": 1767225600000, "message": text}) for text in TEXTS),
        "\n".join(json.dumps({"@timestamp": "2026-01-01 00:00:00.000", "@message": event}) for event in EVENTS),
        json.dumps({"events": [logged(text) for text in TEXTS], "searchedLogStreams": []}, indent=4),
        json.dumps({"nextToken": "x", "events": [logged(text) for text in TEXTS]}),
        json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [logged(text) for text in TEXTS]}),
        json.dumps({"Messages": [{"MessageId": "1", "Body": text} for text in TEXTS]}, indent=4),
        json.dumps({"Records": [{"messageId": "1", "body": text} for text in TEXTS]}),
        json.dumps({"requestId": "1", "Records": [{"body": text} for text in TEXTS]}),
        "\n".join(json.dumps({"body": text}) for text in TEXTS),
        "\n".join(json.dumps(sns(text)) for text in TEXTS),
        json.dumps({"Messages": [{"Body": json.dumps(sns(text))} for text in TEXTS]}),
        json.dumps({"events": [logged(json.dumps({"Records": [{"body": json.dumps(sns(text))}]})) for text in TEXTS]}),
        f"{TEXTS[0]}\n[{TEXTS[1]}]\n2026-11-21T03:16:19.000Z {TEXTS[2]}",
    ],
)
@pytest.mark.parametrize("coding", ["plain", "gzip", "members", "utf-16"])
def test_every_form_gives_the_same_events(content: str, coding: str, file: Callable[[bytes], Path]) -> None:
    """What a recording is, is found out by looking at it, not by its name."""
    data = content.encode("utf-16" if coding == "utf-16" else "utf-8")
    if coding == "gzip":
        data = gzip.compress(data)
    if coding == "members":
        data = gzip.compress(data[:1000]) + gzip.compress(data[1000:]) + bytes(512)
    assert events(file(data)) == EVENTS


def test_standard_input_is_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gzip or not; a problem in it is one of standard input."""
    for content in ("\n".join(TEXTS).encode(), gzip.compress("\n".join(TEXTS).encode())):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert events("-") == EVENTS
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"oh")))
    assert problems("-") == ["standard input:1: not JSON: 'oh'"]


def test_files_are_read_in_the_order_given(file: Callable[[str], Path]) -> None:
    """Each with line numbers of its own, whatever is wrong with the others."""
    first, empty, second = file(f"{TEXTS[0]}\nno\n"), file(""), file(f"\n{TEXTS[1]}")
    missing = first.with_name("missing")
    assert read(first, missing, empty, second, first.parent) == [
        Recorded(str(first), 1, EVENTS[0]),
        Unreadable(str(first), 2, "not JSON: 'no'"),
        Unreadable(str(missing), 0, "No such file or directory"),
        Recorded(str(second), 2, EVENTS[1]),
        Unreadable(str(first.parent), 0, "Is a directory"),
    ]


def test_an_event_in_a_list_knows_its_line(file: Callable[[str], Path]) -> None:
    """Also the elements of an indented list."""
    path = file(json.dumps([{"detail-type": "a"}, {"detail-type": "b"}], indent=1))
    assert [one.line for one in read(path)] == [2, 5]


@pytest.mark.parametrize(
    ("wrapper", "why"),
    [
        (sns("plain words"), "wraps something that is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ({"body": ""}, "wraps something that is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ({"Body": "[" * 100_000}, "wraps something that is not JSON: maximum recursion depth exceeded"),
        ([[[[[[[[[[[[{}]]]]]]]]]]]], ""),
        ({"a": 0, "Records": [{"body": "oh"}, {"body": TEXTS[0]}]}, "wraps something that is not JSON"),
    ],
)
def test_a_wrapper_around_nothing_is_a_problem(wrapper: object, why: str, file: Callable[[str], Path]) -> None:
    """It is named once, and the events beside it are read."""
    path = file(f"{json.dumps(wrapper)}\n{TEXTS[1]}\n")
    assert [problem.startswith(f"{path}:1: {why}") for problem in problems(path)] == ([True] if why else [])
    assert EVENTS[1] in [one.event for one in read(path) if isinstance(one, Recorded)]


def test_wrapping_without_end_is_a_problem(file: Callable[[str], Path]) -> None:
    """Messages in messages are opened eight deep."""
    wrapped: object = EVENTS[0]
    for _ in range(9):
        wrapped = {"message": wrapped}
    path = file(json.dumps(wrapped))
    assert problems(path) == [f"{path}:1: wrapped more than 8 times"]


@pytest.mark.parametrize("found", [{"a": 1}, {"detail": {}}, {"Message": "{}"}, {"Records": {}}])
def test_other_objects_are_left_to_the_parser(found: object, file: Callable[[str], Path]) -> None:
    """Reading does not judge what an event is."""
    path = file(json.dumps(found))
    assert read(path) == [Recorded(str(path), 1, found)]


WHOLE = gzip.compress(("\n".join(TEXTS) + "\n").encode(), mtime=0)


@pytest.mark.parametrize(
    ("damaged", "readable"),
    [
        (WHOLE[:-8], EVENTS),
        (WHOLE[:-12], EVENTS[:2]),
        (WHOLE + b"no member", EVENTS),
        (WHOLE[:-8] + bytes(8), []),
        (WHOLE[:20], []),
        (b"\x1f\x8b", []),
    ],
)
def test_a_damaged_gzip_file_is_a_problem(damaged: bytes, readable: object, file: Callable[[bytes], Path]) -> None:
    """The events before the damage are read, unless the damage may be anywhere."""
    found = read(file(damaged))
    assert [one.event for one in found if isinstance(one, Recorded)] == readable
    [problem] = [one for one in found if isinstance(one, Unreadable)]
    assert problem.why.startswith("not gzip, or damaged: ")


def test_bytes_are_counted_as_they_are_read(file: Callable[[bytes], Path]) -> None:
    """Progress is told in bytes of the files, packed as they are; of a pipe or a missing file nobody knows the end."""
    path = file(gzip.compress("\n".join(TEXTS).encode()))
    recordings = Recordings([str(path), str(path)])
    assert recordings.bytes_total() == 2 * path.stat().st_size
    assert list(recordings)
    assert recordings.bytes_read == recordings.bytes_total()
    assert Recordings([str(path), str(path.parent / "missing")]).bytes_total() is None
    assert Recordings(["/dev/null"]).bytes_total() is None


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_another_kind_is_one_line(tmp_path: Path, packed: bool) -> None:
    """A zip, a spreadsheet or a picture is named once, and not refused line by line."""
    content = b"PK\x03\x04\x14\0\0\0\x08" + b"\n\xa0\x1b{}" * 500
    file = tmp_path / "release.zip"
    file.write_bytes(gzip.compress(content) if packed else content)
    (found,) = Recordings([str(file)])
    assert str(found) == f"{file}: no text, but a binary file: neither JSON nor a table"
