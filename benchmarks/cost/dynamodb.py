"""DynamoDB as far as the table's adapter uses it, in memory: it counts request units, and fails when it is told to.

Sizes and units are those of the developer guide ("DynamoDB item sizes and formats", "Read and write capacity"):
a write costs one unit for each kilobyte of the larger of the old and the new item, also where its condition does not
hold; a strongly consistent read one for each 4 kB, an eventually consistent one half of it, a query once for all it
reads; an index costs a unit for each entry that a write puts into it or takes out of it.
"""

import re
from base64 import b64encode
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, Any]

_PAGE = 1_000_000
_UPDATE = re.compile(r"SET (.+) ADD (#\w+) (:\w+)")
_TERM = re.compile(r"attribute_not_exists\((\w+)\)|([#\w]+) (=|<|<=) (:\w+)")


def size(item: Item) -> int:
    """Bytes of an item: its names in UTF-8 and its values."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Mapping[str, Any]) -> int:
    match value:
        case {"S": str(text)}:
            return len(text.encode())
        case {"B": bytes(data)}:
            return len(data)
        case {"SS": list(texts)}:
            return sum(len(text.encode()) for text in texts)
        case {"N": str(number)}:
            return ceil(len(number.replace(".", "").replace("-", "").strip("0")) / 2) + 1
        case {"L": list(items)}:
            return 3 + sum(1 + _size(item) for item in items)
    raise NotImplementedError(f"the size of {value!r}")


def throttled(operation: str) -> ClientError:
    """What botocore raises when its own tries are used up."""
    code = "ProvisionedThroughputExceededException"
    return ClientError({"Error": {"Code": code, "Message": "slow down"}}, operation)


@dataclass
class DynamoDB:
    """One table. `fault` is asked before each call, by its name and key, and may raise; `after` once it is made.

    hottest: write units of each partition.
    """

    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    units: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    hottest: Counter[str] = field(default_factory=Counter)
    largest: int = 0
    fault: Callable[[str, str], None] = lambda call, key: None
    after: Callable[[str, str], None] = lambda call, key: None
    on_write: Callable[[Item | None, Item], None] = lambda old, new: None

    def __post_init__(self) -> None:
        self._partitions: dict[str, list[str]] = {}
        self._due: set[tuple[str, str]] = set()

    def get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool = False) -> Item:  # noqa: N803
        key = _key(Key)
        self._called("get_item", key)
        found = self.items.get(key)
        self._read(size(found) if found else 0, consistent=ConsistentRead)
        return {"Item": dict(found)} if found else {}

    def put_item(self, *, TableName: str, Item: Item, **condition: Any) -> Item:  # noqa: N803
        key = _key(Item)
        self._called("put_item", key)
        old = self.items.get(key)
        written = max(1, ceil(max(size(Item), size(old) if old else 0) / 1024))
        self.units["write"] += written
        self.hottest[key[0]] += written
        if not _holds(old or {}, condition):
            raise ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}, "PutItem")
        self.items[key] = dict(Item)
        self.largest = max(self.largest, size(Item))
        if not old:
            insort(self._partitions.setdefault(key[0], []), key[1])
        self._index(key, old or {}, Item)
        self.on_write(old, Item)
        self.after("put_item", key[0])
        return {}

    def update_item(
        self,
        *,
        TableName: str,  # noqa: N803
        Key: Item,  # noqa: N803
        UpdateExpression: str,  # noqa: N803
        ExpressionAttributeNames: Mapping[str, str],  # noqa: N803
        ExpressionAttributeValues: Item,  # noqa: N803
    ) -> Item:
        """`SET a = :a, b = :b ADD #set :texts`, which makes the item where there is none."""
        parts = _UPDATE.fullmatch(UpdateExpression)
        if parts is None:
            raise NotImplementedError(UpdateExpression)
        key, values = _key(Key), ExpressionAttributeValues
        self._called("update_item", key)
        old = self.items.get(key, {})
        set_ = dict(term.split(" = ") for term in parts[1].split(", "))
        name = ExpressionAttributeNames[parts[2]]
        texts = {*old.get(name, {"SS": []})["SS"], *values[parts[3]]["SS"]}
        new = {**old, **Key, **{attribute: values[value] for attribute, value in set_.items()}}
        new[name] = {"SS": sorted(texts)}
        written = max(1, ceil(max(size(new), size(old)) / 1024))
        self.units["write"] += written
        self.hottest[key[0]] += written
        self.items[key] = new
        if not old:
            insort(self._partitions.setdefault(key[0], []), key[1])
        self.after("update_item", key[0])
        return {}

    def delete_item(self, *, TableName: str, Key: Item) -> Item:  # noqa: N803
        key = _key(Key)
        self._called("delete_item", key)
        old = self.items.pop(key, None)
        written = max(1, ceil(size(old) / 1024)) if old else 1
        self.units["write"] += written
        self.hottest[key[0]] += written
        if old:
            self._partitions[key[0]].remove(key[1])
            self._index(key, old, {})
        self.after("delete_item", key[0])
        return {}

    def query(
        self,
        *,
        TableName: str,  # noqa: N803
        ExpressionAttributeValues: Item,  # noqa: N803
        IndexName: str = "",  # noqa: N803
        Limit: int = 10**9,  # noqa: N803
        ScanIndexForward: bool = True,  # noqa: N803
        ConsistentRead: bool = False,  # noqa: N803
        ExclusiveStartKey: Item | None = None,  # noqa: N803
        **_expression: Any,
    ) -> Item:
        values = ExpressionAttributeValues
        if IndexName:
            self._called("query", ("due", ""))
            now = float(values[":now"]["N"])
            due = [(float(self.items[key]["due_at"]["N"]), key) for key in self._due]
            keys = [key for at, key in sorted(due) if at <= now]
        else:
            pk, first, last = values[":pk"]["S"], values[":first"]["S"], values[":last"]["S"]
            self._called("query", (pk, ""))
            among = self._partitions.get(pk, [])
            among = among[bisect_left(among, first) : bisect_right(among, last)]
            keys = [(pk, sk) for sk in (among if ScanIndexForward else reversed(among))]
        if ExclusiveStartKey:
            keys = keys[keys.index(_key(ExclusiveStartKey)) + 1 :]
        found: list[Item] = []
        read = 0
        for key in keys[:Limit]:
            item = self.items[key]
            item = {name: item[name] for name in ("pk", "sk", "due_shard", "due_at")} if IndexName else item
            read += size(item)
            if read > _PAGE and found:
                break
            found.append(dict(item))
        self._read(read, consistent=ConsistentRead)
        more = len(found) < len(keys)
        last_key = {name: found[-1][name] for name in ("pk", "sk")} if found else {}
        return {"Items": found, **({"LastEvaluatedKey": last_key} if more and found else {})}

    def expire(self, now: float) -> None:
        """What TTL deletes."""
        for key in [key for key, item in self.items.items() if float(item.get("expires_at", {"N": "inf"})["N"]) < now]:
            self._index(key, self.items.pop(key), {})
            self._partitions[key[0]].remove(key[1])

    def _called(self, call: str, key: tuple[str, str]) -> None:
        self.calls[call] += 1
        self.fault(call, key[0])

    def _read(self, read: int, *, consistent: bool) -> None:
        units = max(1, ceil(read / 4096))
        self.units["read"] += units if consistent else units / 2  # type: ignore[assignment]

    def _index(self, key: tuple[str, str], old: Item, new: Item) -> None:
        """Units of the sparse index: an entry that moves is taken out and put in."""
        was, is_now = old.get("due_at"), new.get("due_at")
        if was != is_now:
            self.units["index"] += (was is not None) + (is_now is not None)
        (self._due.add if is_now else self._due.discard)(key)


def image(item: Item) -> Item:
    """An item as the event of a stream has it: bytes as text."""
    return {name: {"B": b64encode(v["B"]).decode()} if "B" in v else v for name, v in item.items()}


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _holds(item: Item, condition: Mapping[str, Any]) -> bool:
    """Whether one of the terms of a condition holds; the conditions used here have no other form."""
    expression = condition.get("ConditionExpression")
    if expression is None:
        return True
    names, values = condition.get("ExpressionAttributeNames", {}), condition.get("ExpressionAttributeValues", {})
    return any(_term(item, term, names, values) for term in expression.split(" OR "))


def _term(item: Item, term: str, names: Mapping[str, str], values: Mapping[str, Any]) -> bool:
    parts = _TERM.fullmatch(term)
    if parts is None:
        raise NotImplementedError(term)
    absent, name, operator, value = parts.groups()
    if absent:
        return absent not in item
    found = item.get(names.get(name, name))
    if found is None:
        return False
    (left,), (right,) = found.values(), values[value].values()
    if "N" in found:
        left, right = float(left), float(right)
    return bool({"=": left == right, "<": left < right, "<=": left <= right}[operator])
