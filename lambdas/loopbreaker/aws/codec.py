"""Frozen dataclasses to plain JSON values and back, by their type hints; and JSON packed into a few hundred bytes.

Fields that hold their default are left out, so a record costs no more room than it has to say;
unknown fields are passed over, so an older version can read what a newer one wrote.
A dataclass of which a record holds many says `COMPACT = True`: many of them are written column by column, numbers as
whole ones and each as its distance from the one before, and a column of equal values as that one value.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from itertools import accumulate, pairwise
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

# Times are as precise as ECS tells them, milliseconds; others have six digits.
_SCALES = (1, 1_000, 1_000_000)
# An item has 400 kB at most (DynamoDB, "Quotas"); a body that unpacks to more than this is not ours.
_MOST = 4_000_000
_ROWS = 10_000
# What most records say, for the compression to point at. Records are written with it: it can never be changed.
_WORDS = (
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


class CodecError(ValueError):
    """Stored data does not have the shape of the type it is read as."""


def pack(data: object) -> bytes:
    """JSON values in as few bytes as can be had."""
    squeeze = zlib.compressobj(level=9, wbits=-zlib.MAX_WBITS, zdict=_WORDS)
    return squeeze.compress(json.dumps(data, separators=(",", ":")).encode()) + squeeze.flush()


def unpack(packed: bytes | str) -> Any:
    """What `pack` packed, or plain JSON, as older versions wrote it. Raises CodecError."""
    try:
        if isinstance(packed, bytes):
            return json.loads(zlib.decompressobj(wbits=-zlib.MAX_WBITS, zdict=_WORDS).decompress(packed, _MOST))
        return json.loads(packed)
    except (ValueError, RecursionError, zlib.error) as broken:
        raise CodecError(f"not a packed record: {broken}") from broken


def encode(value: object) -> Any:
    """A dataclass, tuple, enum or scalar as JSON values; times keep their microseconds."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            item.name: encode(getattr(value, item.name))
            for item in fields(value)
            if item.default is MISSING or getattr(value, item.name) != item.default
        }
    if isinstance(value, tuple):
        if value and getattr(value[0], "COMPACT", False):
            rows = [[getattr(row, item.name) for item in fields(row)] for row in value]
            return {"n": len(rows), "of": [_column(column) for column in zip(*rows, strict=True)]}
        return [encode(item) for item in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() else round(value, 6)
    return value


def decode(kind: type[T], data: object) -> T:
    """The value of this type that `encode` wrote. Raises CodecError that names the field."""
    value: T = _read(kind, data, kind.__name__)
    return value


def _column(values: Sequence[Any]) -> Any:
    if all(value == values[0] for value in values):
        return encode(values[0])
    if not all(type(value) in (int, float) for value in values):
        return list(values)
    for scale in _SCALES:
        whole = [round(value * scale) for value in values]
        if scale == _SCALES[-1] or all(number / scale == value for number, value in zip(whole, values, strict=True)):
            break
    return {"scale": scale, "by": [whole[0], *(b - a for a, b in pairwise(whole))]}


def _read(kind: Any, data: object, where: str) -> Any:
    if get_origin(kind) is UnionType:
        kinds = get_args(kind)
        if data is None and NoneType in kinds:
            return None
        return _read(next(k for k in kinds if k is not NoneType), data, where)
    if get_origin(kind) is tuple:
        return _read_tuple(get_args(kind)[0], data, where)
    if is_dataclass(kind):
        return _read_dataclass(kind, data, where)
    return _read_scalar(kind, data, where)


def _read_tuple(kind: Any, data: object, where: str) -> tuple[Any, ...]:
    if isinstance(data, dict) and getattr(kind, "COMPACT", False):
        return _read_columns(kind, data, where)
    if not isinstance(data, list):
        raise CodecError(f"{where}: not a list: {data!r}")
    return tuple(_read(kind, item, f"{where}[{i}]") for i, item in enumerate(data))


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
                return [number / scale for number in accumulate(by)]
            if scale != 1:
                raise CodecError(f"{where}: not whole numbers: {column!r}")
            return list(accumulate(by))
        case list():
            return [_read(hint, value, f"{where}[{i}]") for i, value in enumerate(column)]
        case _:
            return [_read(hint, column, where)] * number


def _read_dataclass(kind: Any, data: object, where: str) -> Any:
    if getattr(kind, "COMPACT", False) and isinstance(data, list):
        data = dict(zip(_hints(kind), data, strict=False))
    if not isinstance(data, dict):
        raise CodecError(f"{where}: not an object: {data!r}")
    hints = _hints(kind)
    known = {name: _read(hint, data[name], f"{where}.{name}") for name, hint in hints.items() if name in data}
    try:
        return kind(**known)
    except TypeError as missing:
        raise CodecError(f"{where}: {missing}") from missing


def _read_scalar(kind: Any, data: object, where: str) -> Any:
    if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        return float(data)
    if issubclass(kind, StrEnum) and isinstance(data, str):
        try:
            return kind(data)
        except ValueError as unknown:
            raise CodecError(f"{where}: {unknown}") from unknown
    if type(data) is kind:
        return data
    raise CodecError(f"{where}: not {kind.__name__}: {data!r}")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return {item.name: get_type_hints(kind)[item.name] for item in fields(kind)}
