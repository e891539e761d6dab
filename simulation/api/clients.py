"""Clients with boto3's shape, in process: snake-case methods, its parameter checks, its errors, its paginators."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore import xform_name
from botocore.errorfactory import ClientExceptionsFactory
from botocore.exceptions import ParamValidationError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.paginate import Paginator, PaginatorModel
from botocore.validate import ParamValidator

from simulation.api.lookup import ApiError

Call = Callable[[str, str, dict[str, Any]], dict[str, Any]]
"""Service (`ecs`), operation (`UpdateService`), parameters → answer."""


@cache
def service_model(service: str) -> ServiceModel:
    """The description of the service's API that boto3 itself works from."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def complaints(service: str, operation: str, params: dict[str, Any]) -> str:
    """What boto3 would say of these parameters; nothing where they are as the service model wants them."""
    model = service_model(service)
    if operation not in model.operation_names:
        return f"{service} has no operation {operation!r}"
    shape = model.operation_model(operation).input_shape
    assert shape is not None
    report: str = ParamValidator().validate(params, shape).generate_report()
    return report


@cache
def older_model(service: str, unknown: frozenset[str]) -> ServiceModel:
    """The description as an older botocore had it, without these members of any shape."""
    description = Loader().load_service_model(service, "service-2")
    shapes = {
        name: {**shape, "members": {m: s for m, s in shape["members"].items() if m not in unknown}}
        if "members" in shape
        else shape
        for name, shape in description["shapes"].items()
    }
    return ServiceModel({**description, "shapes": shapes}, service)


@dataclass(frozen=True, slots=True)
class Meta:
    """What boto3 keeps in `client.meta`, as far as anybody asks for it."""

    service_model: ServiceModel


class Client:
    """Looks to its user like `boto3.client(...)`; each call goes to the simulation in the same thread."""

    def __init__(self, service: str, call: Call, *, unknown: frozenset[str] = frozenset()) -> None:
        self._service, self._call, self._unknown = service, call, unknown
        self._model = older_model(service, unknown) if unknown else service_model(service)
        self.meta = Meta(self._model)
        self._operations = {xform_name(name): name for name in self._model.operation_names}
        self.exceptions: Any = ClientExceptionsFactory().create_client_exceptions(self._model)

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        """The method for an operation, such as `describe_services`."""
        operation = self._operations.get(method)
        if operation is None:
            raise AttributeError(f"{self._service} has no operation {method!r}")
        return lambda **params: self._ask(operation, params)

    def can_paginate(self, method: str) -> bool:
        """Whether `get_paginator` knows this operation."""
        return self._operations.get(method) in _pagination(self._service)

    def get_paginator(self, method: str) -> "Paginator[Any]":
        """boto3's own paginator over this client."""
        operation = self._operations[method]
        config = PaginatorModel({"pagination": _pagination(self._service)}).get_paginator(operation)
        return Paginator(getattr(self, method), config, self._model.operation_model(operation))

    def _ask(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        if complaint := complaints(self._service, operation, params):
            raise ParamValidationError(report=complaint)
        try:
            answer = self._call(self._service, operation, params)
        except ApiError as error:
            body = {
                "Error": {"Code": error.code, "Message": error.message},
                "ResponseMetadata": {"HTTPStatusCode": 400},
            }
            refusal: Any = self.exceptions.from_code(error.code)
            raise refusal(body, operation) from error
        if self._unknown:
            answer = _without(answer, self._unknown)
        return {**answer, "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}}


def _without(value: Any, unknown: frozenset[str]) -> Any:
    """An answer without the members that the parser does not know."""
    if isinstance(value, dict):
        return {name: _without(part, unknown) for name, part in value.items() if name not in unknown}
    return [_without(part, unknown) for part in value] if isinstance(value, list) else value


@cache
def _pagination(service: str) -> dict[str, Any]:
    pagination: dict[str, Any] = Loader().load_service_model(service, "paginators-1")["pagination"]
    return pagination
