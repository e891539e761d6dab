"""Small clients that answer what a test tells them, and refuse what the real ones would refuse.

Every call is checked against botocore's own model of the service: its parameters, and the shape of the answer.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from botocore.exceptions import ClientError
from botocore.model import OperationModel
from botocore.session import get_session
from botocore.validate import ParamValidator

Answer = Callable[..., dict[str, Any]]


def refusal(code: str, operation: str = "DescribeServices", *, status: int = 400) -> ClientError:
    """The error that botocore makes of a refused call."""
    answer: Any = {"Error": {"Code": code, "Message": "refused"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)


class FakeClient:
    """Answers each operation, by its Python name, with a dict, a function of the parameters, or an error."""

    def __init__(self, service: str, **answers: dict[str, Any] | Answer | Exception) -> None:
        self._service = service
        self._answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        if name not in self.__dict__["_answers"]:
            raise AttributeError(name)
        return lambda **parameters: self._call(name, parameters)

    def get_paginator(self, name: str) -> "FakePaginator":
        return FakePaginator(getattr(self, name))

    def _call(self, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((name, parameters))
        operation = _operations(self._service)[name]
        _check(parameters, operation.input_shape)
        answer = self._answers[name]
        if isinstance(answer, Exception):
            raise answer
        found = answer(**parameters) if callable(answer) else answer
        _check(found, operation.output_shape)
        return found


class FakePaginator:
    """Follows `nextToken`."""

    def __init__(self, call: Answer) -> None:
        self._call = call

    def paginate(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        page = self._call(**parameters)
        yield page
        while token := page.get("nextToken"):
            page = self._call(**parameters, nextToken=token)
            yield page


@cache
def _operations(service: str) -> dict[str, OperationModel]:
    model = get_session().get_service_model(service)
    client = get_session().create_client(service, region_name="eu-west-1")
    return {method: model.operation_model(name) for method, name in client.meta.method_to_api_mapping.items()}


def _check(value: dict[str, Any], shape: Any) -> None:
    report = ParamValidator().validate(value, shape)
    assert not report.has_errors(), report.generate_report()
