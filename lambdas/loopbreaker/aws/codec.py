"""Frozen dataclasses to plain JSON values and back, by their type hints.

Fields that hold their default are left out, so a record costs no more room than it has to say;
unknown fields are passed over, so an older version can read what a newer one wrote.
A dataclass of which a record holds many says `COMPACT = True` and is written as a bare list of its values.
"""

from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


class CodecError(ValueError):
    """Stored data does not have the shape of the type it is read as."""


def encode(value: object) -> Any:
    """A dataclass, tuple, enum or scalar as JSON values; times keep their microseconds."""
    if is_dataclass(value) and not isinstance(value, type):
        if getattr(value, "COMPACT", False):
            return [encode(getattr(value, item.name)) for item in fields(value)]
        return {
            item.name: encode(getattr(value, item.name))
            for item in fields(value)
            if item.default is MISSING or getattr(value, item.name) != item.default
        }
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() else round(value, 6)
    return value


def decode(kind: type[T], data: object) -> T:
    """The value of this type that `encode` wrote. Raises CodecError that names the field."""
    value: T = _read(kind, data, kind.__name__)
    return value


def _read(kind: Any, data: object, where: str) -> Any:
    if get_origin(kind) is UnionType:
        kinds = get_args(kind)
        if data is None and NoneType in kinds:
            return None
        return _read(next(k for k in kinds if k is not NoneType), data, where)
    if get_origin(kind) is tuple:
        if not isinstance(data, list):
            raise CodecError(f"{where}: not a list: {data!r}")
        return tuple(_read(get_args(kind)[0], item, f"{where}[{i}]") for i, item in enumerate(data))
    if is_dataclass(kind):
        return _read_dataclass(kind, data, where)
    return _read_scalar(kind, data, where)


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
