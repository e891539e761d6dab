"""Frozen dataclasses to plain JSON values and back, by their type hints; and JSON packed into a few hundred bytes.

Fields that hold their default are left out, so a record costs no more room than it has to say;
unknown fields are passed over, so an older version can read what a newer one wrote.
A field of the metadata `PACKED` holds numbers of three bytes that follow no order: they are written as base 64.
A dataclass of which a record holds many says `COMPACT = True`: many of them are written column by column, numbers as
whole ones and each as its distance from the one before, and a column of equal values as that one value.
"""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache, lru_cache, partial
from itertools import accumulate, dropwhile, repeat
from operator import attrgetter, mul, sub, truediv
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

PACKED = "packed"
_PACKED_BYTES = 3
# Times are as precise as ECS tells them, milliseconds; others have six digits.
_SCALES = (1, 1_000, 1_000_000)
# An item has 400 kB at most (DynamoDB, "Quotas"); a body that unpacks to more than this is not ours.
_MOST = 4_000_000
_ROWS = 10_000
# What most records say, for the compression to point at. Records are written with it: neither can ever be changed.
_FIRST_WORDS = (
    b'"fast":{"n":24,"of":["slow":{"n":{"scale":1000,"by":[{"scale":1,"by":[1,1,1,1,1,1,1,1,0,0,0,0,'
    b'"image-pull","resource-init","network-eni","clean-exit","killed","segfault","terminated","out-of-memory",'
    b'"cannot-start","container-health-check","elb-health-check","app-crash","APPLICATION exited with code "exit code 1'
    b'"arn:aws:ecs:us-east-1:eu-west-1:task-definition/"ecs-svc/"history_until":,"trips":[,"verdict":"looping",'
    b'"notices":[{"number":1,"kind":"not-stopped","kind":"recovered","kind":"looping","at":,"reason":'
    b'"replacements failed 3 times in a row","version":,"touched_at":"incident":{"signal":"fast","opened_at":'
    b',"first_failure_at":,"last_failure_at":,"depth":,"category":"app-crash","failed_tasks":,"longest_lifetime":'
    b',"longest_gap":,"container":"app","exit_code":1,"evidence":"exit code 1","task_definition":"arn:aws:ecs:'
    b',"deployment_id":"ecs-svc/,"desired_count":,"watching":false,"history":{"since":,"width":,"counts":['
    b'],"first":{"n":3,"of":[{"scale":1000,"by":[],"last":{"n":3,"of":[{"scale":1000,"by":[],"marks":['
)
_WORDS = _FIRST_WORDS + (
    b'"cluster_arn":"arn:aws:ecs:ap-southeast-1:cluster/production/staging","suspicion":{"signal":"fast","at":,"depth":3,'
    b'"since":17},"rolled-back","stopped","not-stopped","bad-tag","still-held","mass","storm":{"first":58,"failing":1,'
    b'"tasks":2},"trip":{"state":"open","step":"held","began_at":"trips":[17],"history_until":17,"past":{"opened_at":17'
    b',"openings":[17],"times":2,"last_failure_at":17,"longest_gap":60,"deployment_id":"ecs-svc/1","closed_at":17},'
    b'"silent":true,"acknowledged":true,"channel":"C0","told":["mass"],"served_by":["ecs-svc/"],"ecs_failures":3,'
    b'"finding":{"at":17,"deployment_id":"ecs-svc/","failed_at":17},"impaired":[17],"unplaced":[17],"signal":"slow",'
    b'{"fast":{"n":24,"of":[{"scale":1000,"by":[17673000,-1,1,2,3,4,5,6,7,8,9]},{"scale":1000,"by":[1767312000,12,'
    b'-12]},{"scale":1000,"by":[18,"app-crash",{"scale":1,"by":[3,0,1,0,1,1,1,1,1,1,1,1]},1767225601.,18.,21.,'
    b'"ecs-svc/1234567890123456789"]},"slow":{"n":22,"of":[{"scale":1000,"by":[17672],"verdict":"looping",'
    b'"extra_generations":1,"incident":{"signal":"fast","opened_at":1767,"first_failure_at":1767,"last_failure_at":17'
    b',"depth":1,"category":"app-crash","failed_tasks":1,"longest_lifetime":2,"longest_gap":60.,"container":"app",'
    b'"exit_code":1,"evidence":"exit code 1","task_definition":"arn:aws:ecs:us-east-1:123456789012:task-definition/",'
    b'"deployment_id":"ecs-svc/1","desired_count":2,"watching":false,"history":{"since":17,"width":240,"counts":[1,1,'
    b'1,2,2,2,4,4,4],"first":{"n":3,"of":[{"scale":1000,"by":[1767]},{"scale":1000,"by":[2]},"app-crash","app",1,'
    b'"exit code 1","arn:aws:ecs:us-east-1:123456789012:task-definition/:42","ecs-svc/1234567890123456789",'
    b'{"scale":1000,"by":[17672]}]},"last":{"n":3,"of":[{"scale":1000,"by":[17673]}]},"marks":"/+"},"openings":[17672'
    b'],"reminded":1,"messages":{"n":2,"of":[{"scale":1000,"by":[1767,3600]},["looping","still-looping"],["replacements'
    b' failed 3 times in a row","it was found 1 hour ago and is not over"]]},"looked_at":1767,"watched_since":1767,'
    b'"unserved_since":1767},"notices":[{"number":1,"kind":"looping","at":1767,"reason":"replacements failed 3 times in'
    b' a row","version":2},{"number":2,"kind":"still-looping","at":1767,"reason":"it was found 4 hours ago and is not '
    b'over","version":7}],"due_at":1767,"touched_at":1767,"lived":{"n":1,"of":[1767,24.,"ecs-svc/1234567890123456789"]}}'
)
# Begins what is written with the second words: no deflate begins so, since there is no third kind of block (RFC 1951).
_SECOND = b"\xff"


_WRITER = json.JSONEncoder(separators=(",", ":"), check_circular=False)


class CodecError(ValueError):
    """Stored data does not have the shape of the type it is read as."""


def pack(data: object) -> bytes:
    """JSON values in as few bytes as can be had."""
    squeeze = zlib.compressobj(level=9, wbits=-zlib.MAX_WBITS, zdict=_WORDS)
    return _SECOND + squeeze.compress(_WRITER.encode(data).encode()) + squeeze.flush()


def unpack(packed: bytes | str) -> Any:
    """What `pack` packed, or plain JSON, as older versions wrote it. Raises CodecError."""
    try:
        if isinstance(packed, bytes):
            words = _WORDS if packed.startswith(_SECOND) else _FIRST_WORDS
            plain = zlib.decompressobj(wbits=-zlib.MAX_WBITS, zdict=words)
            return json.loads(plain.decompress(packed.removeprefix(_SECOND), _MOST))
        return json.loads(packed)
    except (ValueError, RecursionError, zlib.error) as broken:
        raise CodecError(f"not a packed record: {broken}") from broken


def encode(value: object) -> Any:
    """A dataclass, tuple, enum or scalar as JSON values; times keep their microseconds."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else round(value, 6)
    if isinstance(value, tuple):
        return _rows(value)
    kind: Any = type(value)
    if parts := _parts(kind):
        return {
            name: _numbers(found) if packed else encode(found)
            for name, default, packed in parts
            if (found := getattr(value, name)) != default
        }
    return value


def _rows(values: tuple[Any, ...]) -> Any:
    kind: Any = type(values[0]) if values else None
    if kind is int:
        return list(values)
    if getattr(kind, "COMPACT", False):
        columns = zip(*map(_row(kind), values), strict=True)
        return {"n": len(values), "of": [_column(column) for column in columns]}
    return [encode(value) for value in values]


@cache
def _parts(kind: type) -> tuple[tuple[str, Any, bool], ...]:
    """Name, default and whether it is packed, of each field; none where it is no dataclass."""
    if not is_dataclass(kind):
        return ()
    return tuple((item.name, item.default, PACKED in item.metadata) for item in fields(kind))


@cache
def _row(kind: type) -> "attrgetter[tuple[Any, ...]]":
    """What reads all fields of a dataclass."""
    return attrgetter(*(name for name, _, _ in _parts(kind)))


def _numbers(values: tuple[int, ...]) -> str:
    return b64encode(b"".join(map(int.to_bytes, values, repeat(_PACKED_BYTES)))).decode()


def decode(kind: type[T], data: object) -> T:
    """The value of this type that `encode` wrote. Raises CodecError that names the field."""
    value: T = _read(kind, data, kind.__name__)
    return value


@lru_cache(maxsize=128)
def _column(values: tuple[Any, ...]) -> Any:
    """A column, not to be changed: those of the two ladders are often the same, and of one save and the next many."""
    if values.count(values[0]) == len(values):
        return encode(values[0])
    if not {*map(type, values)} <= {int, float}:
        return list(values)
    # Whoever is not whole by the first value need not be looked at further.
    scales = dropwhile(lambda scale: round(values[0] * scale) / scale != values[0], _SCALES[:-1])
    for scale in (*scales, _SCALES[-1]):
        whole = [*map(round, map(mul, values, repeat(scale)))]
        if (*map(truediv, whole, repeat(scale)),) == values:
            break
    return {"scale": scale, "by": [whole[0], *map(sub, whole[1:], whole)]}


def _read(kind: Any, data: object, where: str) -> Any:
    return _reader(kind)(data, where)


@cache
def _reader(kind: Any) -> Callable[[Any, str], Any]:
    """What reads a value of this type hint, found once: to look into hints costs more than to read."""
    if get_origin(kind) is UnionType:
        (one,) = (_reader(one) for one in get_args(kind) if one is not NoneType)
        return lambda data, where: None if data is None else one(data, where)
    if get_origin(kind) is tuple:
        return partial(_read_tuple, get_args(kind)[0])
    return partial(_read_dataclass if is_dataclass(kind) else _read_scalar, kind)


def _read_tuple(kind: Any, data: object, where: str) -> tuple[Any, ...]:
    if isinstance(data, dict) and getattr(kind, "COMPACT", False):
        return _read_columns(kind, data, where)
    if kind is int and isinstance(data, str):
        return _read_numbers(data, where)
    if not isinstance(data, list):
        raise CodecError(f"{where}: not a list: {data!r}")
    return tuple(_read(kind, item, f"{where}[{i}]") for i, item in enumerate(data))


def _read_numbers(text: str, where: str) -> tuple[int, ...]:
    try:
        packed = b64decode(text, validate=True)
    except ValueError as wrong:
        raise CodecError(f"{where}: {wrong}") from wrong
    size = _PACKED_BYTES
    if len(packed) % size:
        raise CodecError(f"{where}: not numbers of {size} bytes: {text!r}")
    return tuple(int.from_bytes(packed[at : at + size]) for at in range(0, len(packed), size))


def _read_columns(kind: Any, data: dict[str, Any], where: str) -> tuple[Any, ...]:
    number, columns = data.get("n"), data.get("of")
    if type(number) is not int or number > _ROWS or not isinstance(columns, list):
        raise CodecError(f"{where}: not columns: {data!r}")
    read = [
        _read_column(hint, column, number, f"{where}.{name}")
        for (name, hint), column in zip(_hints(kind).items(), columns, strict=False)
    ]
    try:
        return tuple(kind(*row) for row in zip(*read, strict=True))
    except (TypeError, ValueError) as wrong:
        raise CodecError(f"{where}: {wrong}") from wrong


def _read_column(hint: Any, column: object, number: int, where: str) -> list[Any]:
    match column:
        case {"scale": int(scale), "by": list(by)} if scale and all(type(step) is int for step in by):
            if hint is not int:
                return _scaled(by, scale, where)
            if scale != 1:
                raise CodecError(f"{where}: not whole numbers: {column!r}")
            return list(accumulate(by))
        case list():
            return [_read(hint, value, f"{where}[{i}]") for i, value in enumerate(column)]
        case _:
            return [_read(hint, column, where)] * number


def _scaled(by: list[int], scale: int, where: str) -> list[float]:
    try:
        return [number / scale for number in accumulate(by)]
    except OverflowError as wrong:
        raise CodecError(f"{where}: {wrong}") from wrong


def _read_dataclass(kind: Any, data: object, where: str) -> Any:
    if getattr(kind, "COMPACT", False) and isinstance(data, list):
        data = dict(zip(_hints(kind), data, strict=False))
    if not isinstance(data, dict):
        raise CodecError(f"{where}: not an object: {data!r}")
    known = {name: read(data[name], f"{where}.{name}") for name, read in _readers(kind).items() if name in data}
    try:
        return kind(**known)
    except TypeError as missing:
        raise CodecError(f"{where}: {missing}") from missing


def _read_scalar(kind: Any, data: object, where: str) -> Any:
    if type(data) is kind:
        return data
    if kind is float and type(data) is int:
        return _scaled([data], 1, where)[0]
    if issubclass(kind, StrEnum) and isinstance(data, str):
        try:
            return kind(data)
        except ValueError as unknown:
            raise CodecError(f"{where}: {unknown}") from unknown
    raise CodecError(f"{where}: not {kind.__name__}: {data!r}")


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {item.name: hints[item.name] for item in fields(kind)}


@cache
def _readers(kind: type) -> dict[str, Callable[[Any, str], Any]]:
    return {name: _reader(hint) for name, hint in _hints(kind).items()}
