"""Records become JSON and come back as they were; what cannot be read is named."""

import json
from base64 import b64decode
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.respond import clock
from loopbreaker.aws.codec import CodecError, decode, encode, pack, unpack
from loopbreaker.judging.ladder import climb
from loopbreaker.model import Category, ServiceRef, TaskFailure
from loopbreaker.remembering.history import History
from loopbreaker.remembering.incident import Finding, Signal, Suspicion
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.rung import Rung
from loopbreaker.remembering.trip import Scaling
from tests.builders import (
    DEPLOYMENT,
    POLICY,
    SERVICE,
    T0,
    climbed,
    crash_loop,
    looping,
    start_first_loop,
    task_failure,
    trip,
)


@dataclass(frozen=True, slots=True)
class Pair:
    COMPACT: ClassVar[bool] = True

    left: int
    right: float | None


@dataclass(frozen=True, slots=True)
class Box:
    count: int
    name: str = "box"
    open: bool = False
    pairs: tuple[Pair, ...] = ()
    cause: Category | None = None
    words: tuple[str, ...] = ()


def there_and_back(record: Record) -> Record:
    return decode(Record, json.loads(json.dumps(encode(record))))


def full_record() -> Record:
    scaling = Scaling(minimum=1, dynamic_in_suspended=True, dynamic_out_suspended=False, scheduled_suspended=True)
    record = looping(
        fast=climbed(crash_loop(5)),
        slow=climbed(start_first_loop(4), POLICY.slow),
        impaired=(T0, T0 + 60),
        suspicion=Suspicion(signal=Signal.SLOW, at=T0, depth=4, since=T0 - 90),
        trip=trip(scaling=scaling),
        finding=Finding(at=T0 + 30.5, deployment_id="ecs-svc/1", failed_at=T0 + 30.5),
        told=("survivor", "deploying"),
        asked_at=T0 + 1,
        exit_code=0,
    )
    return tell(record, NoticeKind.LOOPING, at=T0, reason="replacements failed 3 times in a row")


def test_a_record_comes_back_as_it_was() -> None:
    """Every kind of field, nested and optional, survives the way through JSON."""
    assert there_and_back(full_record()) == full_record()


def test_a_new_record_takes_no_room() -> None:
    """Fields that hold their default are left out."""
    assert encode(Record(service=SERVICE)) == {"service": {"cluster_arn": SERVICE.cluster_arn, "name": "web"}}
    assert encode(Box(count=0)) == {"count": 0}
    assert decode(Box, {"count": 0}) == Box(count=0)


def test_many_of_a_kind_are_columns() -> None:
    """Numbers as distances from the one before, equal values once."""
    pairs = (Pair(1, 0.5), Pair(2, 0.5), Pair(4, 0.5))
    assert encode(Box(count=1, pairs=pairs)) == {
        "count": 1,
        "pairs": {"n": 3, "of": [{"scale": 1, "by": [1, 1, 2]}, 0.5]},
    }
    assert decode(Box, encode(Box(count=1, pairs=pairs))).pairs == pairs
    mixed = (Pair(1, None), Pair(1, 2.25), Pair(1, 0.001))
    assert encode(Box(count=1, pairs=mixed))["pairs"] == {"n": 3, "of": [1, [None, 2.25, 0.001]]}
    assert decode(Box, encode(Box(count=1, pairs=mixed))).pairs == mixed


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ((1.0, 2.0, 4.0), {"scale": 1, "by": [1, 1, 2]}),
        ((1, 2.0, 4), {"scale": 1, "by": [1, 1, 2]}),
        ((T0 + 0.25, T0 + 10.125), {"scale": 1000, "by": [1_767_225_600_250, 9875]}),
        ((0.000_001, 0.5), {"scale": 1_000_000, "by": [1, 499_999]}),
    ],
)
def test_a_column_of_numbers_comes_back_to_the_last_digit(values: tuple[float, ...], written: Any) -> None:
    """Written as whole ones of a second, a thousandth or a millionth of it: no coarser than the finest of them."""
    box = Box(count=1, pairs=tuple(Pair(1, value) for value in values))
    assert encode(box)["pairs"]["of"][1] == written
    back = decode(Box, json.loads(json.dumps(encode(box)))).pairs
    assert [pair.right for pair in back] == [*values]
    assert {type(pair.right) for pair in back} == {float}


def test_what_is_finer_than_a_millionth_is_rounded_to_one() -> None:
    """In a column as by itself."""
    box = Box(count=1, pairs=(Pair(1, 0.123_456_7), Pair(1, 0.5)))
    assert decode(Box, encode(box)).pairs[0].right == encode(0.123_456_7) == 0.123_457


def test_a_record_takes_a_few_hundred_bytes() -> None:
    """What most records say is not written: of 1,900 characters a fifth is left."""
    assert len(json.dumps(encode(full_record()))) > 1800
    assert len(pack(encode(full_record()))) < 380


def test_the_lists_of_older_versions_are_read() -> None:
    """A record that was written before there were columns holds each of many as a bare list of its values."""
    (rung,) = climbed([task_failure(0, 10)])
    assert decode(Rung, [T0, T0 + 10, 10, "app-crash", 1, T0 + 10, 10, 10, DEPLOYMENT]) == rung
    assert decode(Box, {"count": 1, "pairs": [[1, None], [2, 3]]}).pairs == (Pair(1, None), Pair(2, 3.0))


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_what_was_not_packed_is_refused(stored: bytes | str) -> None:
    """Bytes of anybody else are an error with a name."""
    try:
        json.loads(stored) if isinstance(stored, str) else None
        unpack(stored)
    except (CodecError, ValueError, RecursionError):
        return
    assert isinstance(stored, str) or unpack(stored) is not None


def test_a_body_that_unpacks_without_end_is_refused() -> None:
    """A few bytes may unpack to gigabytes; what is not ours is not unpacked to its end."""
    for number in (3_999_999, 10_000_000):
        with pytest.raises(CodecError, match="not a packed record"):
            unpack(pack("a" * number))
    assert unpack(pack("a" * 3_999_998)) == "a" * 3_999_998


def test_a_few_bytes_do_not_become_endless_rows() -> None:
    """A column of equal values is one value and a number: ten thousand of them at most."""
    rows = {"count": 1, "pairs": {"n": 10_000, "of": [1, 5]}}
    assert len(decode(Box, rows).pairs) == 10_000
    with pytest.raises(CodecError, match=r"Box\.pairs: not columns"):
        decode(Box, {"count": 1, "pairs": {"n": 10_001, "of": [1, 5]}})


def test_what_was_packed_once_is_unpacked_for_ever() -> None:
    """The words that the compression points at are part of every stored record."""
    packed = b64decode("i4ZFFTjD62BNDCYYiaEap88NlWpjAQ==")
    said = ["fast", "slow", "replacements failed 4 times in a row", {"deployment_id": "ecs-svc/1"}]
    assert unpack(packed) == said
    assert unpack(b64decode("/4uGFX+Q+gZreJhghEc1nlKhNhYA")) == said


def test_numbers_without_order_are_packed() -> None:
    """Three bytes each, as text of four letters; as a list, as older versions wrote them, they are read as well."""
    history = History(counts=(1,), marks=(0, 1, 2**24 - 1))
    assert encode(history)["marks"] == "AAAAAAAB////"
    assert decode(History, encode(history)) == history
    assert decode(History, {"marks": [0, 1, 2**24 - 1]}).marks == history.marks
    for wrong in ("AAA", "AA==", "????"):
        with pytest.raises(CodecError, match=r"History\.marks"):
            decode(History, {"marks": wrong})


@settings(deadline=None)
@given(st.integers(0, 2_000_000_000_000_000))
def test_times_keep_their_microseconds(microseconds: int) -> None:
    """A duplicate of a failure meets its rung again after the record was saved, to the last digit of its times."""
    failure = task_failure(0, 0)
    exact = replace(failure, created_at=microseconds / 1e6, failed_at=(microseconds + 250_000) / 1e6)
    before = there_and_back(Record(service=SERVICE, fast=climbed([exact])))
    assert before.fast[0].created_at == exact.created_at
    assert climb(before.fast, [exact], POLICY.fast) is before.fast


def test_whole_numbers_and_differences_are_short() -> None:
    """A duration that is a rounding error away from a whole number is written as that number."""
    assert json.dumps(encode((10.0, 0.1 + 0.2, 1.5))) == "[10, 0.3, 1.5]"


def test_unknown_fields_are_passed_over() -> None:
    """A record that a newer version wrote can be read."""
    data = encode(full_record()) | {"colour": "red"}
    data["incident"]["mood"] = [1]
    assert decode(Record, data) == full_record()
    assert decode(Pair, [1, 2.0, "more"]) == Pair(1, 2.0)


def test_a_compact_value_may_be_an_object() -> None:
    """A list may become an object in a later version."""
    assert decode(Pair, {"left": 1, "right": None}) == Pair(1, None)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ([], r"Box: not an object: \[\]"),
        (None, "Box: not an object: None"),
        ({}, "Box: .*count"),
        ({"count": 1.0}, "Box.count: not int: 1.0"),
        ({"count": True}, "Box.count: not int: True"),
        ({"count": None}, "Box.count: not int: None"),
        ({"count": 1, "name": 5}, "Box.name: not str: 5"),
        ({"count": 1, "open": "no"}, "Box.open: not bool: 'no'"),
        ({"count": 1, "pairs": {}}, "Box.pairs: not columns: {}"),
        ({"count": 1, "pairs": 3}, "Box.pairs: not a list: 3"),
        ({"count": 1, "pairs": {"n": 2, "of": [[1], 5]}}, "Box.pairs: .*longer"),
        ({"count": 1, "pairs": {"n": 2, "of": [5]}}, "Box.pairs: .*right"),
        ({"count": 1, "pairs": {"n": 2, "of": [["1", 2], 5]}}, r"Box.pairs.left\[0\]: not int: '1'"),
        ({"count": 1, "pairs": {"n": 2, "of": [1, {"scale": 0, "by": [1, 2]}]}}, "Box.pairs.right: not float"),
        ({"count": 1, "pairs": {"n": 2, "of": [{"scale": 10, "by": [1, 2]}, 5]}}, "Box.pairs.left: not whole"),
        ({"count": 1, "pairs": {"n": 10**9, "of": [1, 5]}}, "Box.pairs: not columns"),
        ({"count": 1, "pairs": {"n": 1, "of": {}}}, "Box.pairs: not columns"),
        ({"count": 1, "pairs": {"n": 2, "of": [1, {"scale": 1, "by": ["1", 2]}]}}, "Box.pairs.right: not float"),
        ({"count": 1, "pairs": {"n": 2, "of": [1, {"scale": 1, "by": [1, "2"]}]}}, "Box.pairs.right: not float"),
        ({"count": 1, "pairs": {"n": 2, "of": [1, {"scale": 1, "by": [10**400, 0]}]}}, "Box.pairs.right: .*too large"),
        ({"count": 1, "pairs": [[1, 10**400]]}, r"Box.pairs\[0\].right: .*too large"),
        ({"count": 1, "words": {}}, "Box.words: not a list"),
        ({"count": 1, "words": "AAAA"}, "Box.words: not a list"),
        ({"count": 1, "pairs": [[1, 2], [1]]}, r"Box.pairs\[1\]: .*right"),
        ({"count": 1, "pairs": [[1, "2"]]}, r"Box.pairs\[0\].right: not float: '2'"),
        ({"count": 1, "pairs": [[1, True]]}, r"Box.pairs\[0\].right: not float: True"),
        ({"count": 1, "cause": "weather"}, "Box.cause: 'weather' is not a valid Category"),
        ({"count": 1, "cause": 3}, "Box.cause: not Category: 3"),
    ],
)
def test_what_cannot_be_read_is_named(data: Any, problem: str) -> None:
    """The error names the field by its path and shows the value."""
    with pytest.raises(CodecError, match=problem):
        decode(Box, data)


def test_a_failure_comes_back_as_it_was() -> None:
    """The evidence of a failure survives too, with an exit code of 0 and with none."""
    for code in (0, None, 137):
        failure = task_failure(0, 10.125, exit_code=code, category=Category.CLEAN_EXIT)
        assert decode(TaskFailure, json.loads(json.dumps(encode(failure)))) == failure


def test_scalars_are_their_own_json() -> None:
    """Text, truth, numbers and nothing stay what they are; an enum is its text."""
    for value in ("a", True, 3, None):
        assert encode(value) is value
    assert encode(()) == []
    assert json.dumps(encode(Category.SPOT)) == '"spot"'
    assert decode(ServiceRef, {"cluster_arn": "a", "name": "b"}) == ServiceRef("a", "b")


def test_the_clock_of_respond_survives_the_table() -> None:
    """A step that is read back equals the one that was saved: the clock is no finer than what is stored."""
    for _ in range(100):
        now = clock()
        assert decode(Finding, encode(Finding(at=now, deployment_id="d", failed_at=now))).at == now
