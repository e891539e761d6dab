"""Calls of AWS that answer in pages."""

from collections.abc import Callable, Iterator
from typing import Any

Page = dict[str, Any]


def pages(call: Callable[..., Page], *, answer: str, ask: str = "", **asked: Any) -> Iterator[Page]:
    """Each page of one call.

    answer: the field by which a page names the next. ask: the parameter that takes it, where that has another name.
    """
    token: Page = {}
    while True:
        page = call(**asked, **token)
        yield page
        if not page.get(answer):
            return
        token = {ask or answer: page[answer]}


def items(call: Callable[..., Page], **asked: Any) -> Iterator[Page]:
    """The items of a Query or Scan of DynamoDB."""
    for page in pages(call, answer="LastEvaluatedKey", ask="ExclusiveStartKey", **asked):
        yield from page["Items"]
