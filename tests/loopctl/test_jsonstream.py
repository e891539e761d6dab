"""JSON read piece by piece: every value once, every bad line named, whatever the pieces are."""

import json
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopctl.jsonstream import Broken, Value, values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=6)


def read(text: str) -> list[Value | Broken]:
    *whole, last = text.split("\n")
    return list(values([*(f"{line}\n" for line in whole), last]))


def found(text: str) -> list[object]:
    """The values alone, where nothing is broken."""
    seen = read(text)
    assert not [one for one in seen if isinstance(one, Broken)]
    return [one.json for one in seen if isinstance(one, Value)]


def problems(text: str) -> list[tuple[int, str]]:
    return [(one.line, one.why) for one in read(text) if isinstance(one, Broken)]


def lines(text: str) -> list[tuple[int, object]]:
    return [(one.line, one.json) for one in read(text) if isinstance(one, Value)]


@settings(deadline=None, max_examples=50)
@given(OBJECTS, st.sampled_from([None, 0, 2]), st.sampled_from(["lines", "list", "lists"]))
def test_every_way_to_write_objects_reads_alike(objects: list[object], indent: int, form: str) -> None:
    """One a line, in one list or in several, on one line or on many, cut into chunks of any size."""
    match form:
        case "lines":
            text = "\n".join(json.dumps(one, indent=indent, ensure_ascii=False) for one in objects)
        case "list":
            text = json.dumps(objects, indent=indent)
        case _:
            text = "".join(json.dumps([one], indent=indent) for one in objects)
    assert found(text) == objects


@settings(deadline=None)
@given(st.text(alphabet='{}[]",:\n 1a\\', max_size=60))
def test_nonsense_is_read_to_its_end(text: str) -> None:
    """Whatever the text is, reading ends, and each finding has a line of the text."""
    last = text.count("\n") + 1
    assert all(1 <= one.line <= last for one in read(text))


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}\r\n\r\n{"b": 2}\r\n',
        '\ufeff{"a": 1}\n   \n\t{"b": 2}',
        '{"a": 1}{"b": 2}',
        '{"a": 1}\t{"b": 2}',
        '{"a": 1},\n{"b": 2},\n',
        '[{"a": 1}]\n[{"b": 2}]',
        '[\n  {\n    "a": 1\n  },\n  {"b": 2}\n]\n',
        '2026-11-21T03:16:19.000Z {"a": 1}\n2026-11-21T03:16:20.000Z {"b": 2}\n',
        '2026-11-21T03:16:19.123000+00:00 a/stream with blanks {"a": 1}\n2026-11-21T03:16:20+00:00 s {"b": 2}',
        '2026-11-21T03:16:19 {\n    "a": 1\n}\n2026-11-21T03:16:20 {\n    "b": 2\n}\n',
    ],
)
def test_recordings_of_many_shapes(text: str) -> None:
    """Two objects, however they are separated, listed, indented or stamped."""
    assert found(text) == [{"a": 1}, {"b": 2}]


def test_lists_hold_any_value() -> None:
    """Strings are values, and may be events that somebody quoted; brackets in them are text."""
    assert found('["]", 1, null, {"a": "}"}, [true, -2.5e3]]') == ["]", 1, None, {"a": "}"}, True, -2500.0]


def test_values_know_their_lines() -> None:
    """A value is on the line on which it begins."""
    text = '{"a": 1}\n\n[{"b":\n2}, {"c": 3}\n]\n{"d": 4}'
    assert lines(text) == [(1, {"a": 1}), (3, {"b": 2}), (4, {"c": 3}), (6, {"d": 4})]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("plain words", "not JSON: 'plain words'"),
        ("w" * 100, f"not JSON: '{'w' * 60}…'"),
        ("null", "not JSON: 'null'"),
        ("}", "not JSON: '}'"),
        ('{"a" 1}', "not JSON: Expecting ':' delimiter at column 6"),
        ('  {"a": nope}', "not JSON: Expecting value at column 9"),
        ('{"a": "cut o', "not JSON: it was cut off"),
        ('{"a": {"b": 2}, ', "not JSON: Expecting property name enclosed in double quotes at line 3, column 1"),
        ("2026-11-21T03:16:19.000Z no event", "not JSON: '2026-11-21T03:16:19.000Z no event'"),
        ('2026-11-21T03:16:19.000Z {"a": ]}', "not JSON: Expecting value at column 32"),
        ('{"a": ' + "[" * 10**5 + "}", "not JSON: maximum recursion depth exceeded"),
        ('{"a": ' + "9" * 5000 + "}", "not JSON: Exceeds the limit"),
        ('{"a": "\udcff"}', "not UTF-8"),
    ],
)
def test_a_bad_line_is_one_problem(line: str, why: str) -> None:
    """The problem names the line, and the lines around it are read."""
    text = f'{{"before": 1}}\n{line}\n{{"after": 2}}\n'
    assert [one.json for one in read(text) if isinstance(one, Value)] == [{"before": 1}, {"after": 2}]
    [(number, said)] = problems(text)
    assert number == 2
    assert said.startswith(why)


def test_two_bad_lines_are_two_problems() -> None:
    """Also where they follow each other."""
    assert [line for line, _ in problems('{"a": oh}\nno\n{"b": dear}\n{"c": 3}\n')] == [1, 2, 3]


def test_a_bad_element_of_an_indented_list_is_one_problem() -> None:
    """Its other lines are not read as if they were values, and the elements after it are."""
    good = [{"a": [{"x": 1}]}, {"b": [{"x": 2}]}, {"c": [{"x": 3}]}]
    text = json.dumps(good, indent=2).replace('"x": 2', '"x" 2')
    assert lines(text) == [(2, good[0]), (16, good[2])]
    assert problems(text) == [(9, "not JSON: Expecting ':' delimiter at line 12, column 13")]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ('{"a": 1}\n{"b": {"c":', 2, "not JSON: it was cut off"),
        ('{"a": 1}\n{"b": "c', 2, "not JSON: Unterminated string starting at column 7"),
        ('[{"a": 1},\n', 2, "the recording ends inside a list: it was cut off"),
        ('[{"a": 1},\n{"b"', 2, "not JSON: it was cut off"),
    ],
)
def test_a_recording_that_was_cut_off_says_so(text: str, line: int, why: str) -> None:
    """What came before the cut is read."""
    assert lines(text) == [(1, {"a": 1})]
    assert [problem for problem in problems(text) if problem[1].startswith(why)] == [(line, why)]
    assert len(problems(text)) == 1


def peak(lines: Iterator[str], count: int) -> int:
    """The most memory that reading so many values takes, in bytes."""
    tracemalloc.start()
    assert sum(isinstance(one, Value) for one in values(lines)) == count
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


EVENT = json.dumps({"detail": "x" * 1000})


def test_a_long_recording_takes_little_memory() -> None:
    """Lines are read one at a time, however many there are."""
    assert peak((f"{EVENT}\n" for _ in range(5000)), 5000) < 50_000


@pytest.mark.parametrize("separator", [",", ",\n"])
def test_a_long_list_takes_little_more_than_its_text(separator: str) -> None:
    """Its text is held twice while it is put together; its values are read one at a time."""
    text = f"[{separator.join([EVENT] * 5000)}]"
    assert peak(iter(text.splitlines(keepends=True)), 5000) < 2.2 * len(text)


def test_a_line_of_several_values_is_no_end_of_the_lines() -> None:
    """Those after it are still read one at a time, and what is wrong with one is said of its line."""
    assert lines('{"a": 1} {"b": 2}\n{"c": 3},\n') == [(1, {"a": 1}), (1, {"b": 2}), (2, {"c": 3})]
    assert problems('{"a": 1} {"b" 2}\n{"c": 3}\n') == [(1, "not JSON: Expecting ':' delimiter at column 15")]
