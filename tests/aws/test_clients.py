"""The clients that the functions make are the clients that botocore makes by itself."""

import json
import os
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.session import Session

from infra.botocore_data import OPERATIONS, TARGET, files

_REGIONS = ("us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "eu-west-99")


def _made(session: Session, service: str, region: str) -> tuple[Any, ...]:
    client: Any = session.create_client(service, region_name=region)
    signing = (
        client.meta.config.signature_version,
        client._request_signer.signing_name,
        client._request_signer.region_name,
    )
    return client.meta.endpoint_url, client.meta.partition, *signing, client._serializer.__class__


@pytest.fixture(scope="module")
def sessions() -> tuple[Session, Session]:
    full, ours = Session(), Session()
    ours.register_component("data_loader", Loader([str(TARGET)], include_default_search_paths=False))
    return full, ours


@pytest.mark.parametrize("service", OPERATIONS)
def test_same_endpoint_and_signing(service: str, sessions: tuple[Session, Session]) -> None:
    """In regions of every partition, known and new, our files make the same client as botocore's own."""
    full, ours = sessions
    for region in _REGIONS:
        assert _made(ours, service, region) == _made(full, service, region)


@pytest.mark.skipif("LOOPBREAKER_TESTED_SDK" in os.environ, reason="what ships is from the newer SDK")
@pytest.mark.parametrize("service", OPERATIONS)
def test_same_operations(service: str, sessions: tuple[Session, Session]) -> None:
    """Each operation that ships takes and answers what it does in botocore, field by field, and fails in its ways."""
    full, ours = (session.get_service_model(service) for session in sessions)
    for name in OPERATIONS[service]:
        there, here = full.operation_model(name), ours.operation_model(name)
        assert _fields(here.input_shape) == _fields(there.input_shape)
        assert _fields(here.output_shape) == _fields(there.output_shape)
        assert [shape.name for shape in here.error_shapes] == [shape.name for shape in there.error_shapes]


def test_every_region_is_known() -> None:
    """Each region of each partition is in our file with the partition's own names."""
    partitions = json.loads((TARGET / "endpoints.json").read_text())["partitions"]
    assert {p["partition"] for p in partitions} >= {"aws", "aws-cn", "aws-us-gov"}
    assert all(p["regions"] and p["dnsSuffix"] for p in partitions)


def test_nothing_is_left_over() -> None:
    """The folder holds the files that the command writes, and no other: a service that is gone leaves none behind."""
    there = {path.relative_to(TARGET).as_posix() for path in TARGET.rglob("*.json")}
    assert there == {name for name, _ in files()}


def _fields(shape: Any, above: tuple[str, ...] = ()) -> Any:
    """What a value of a shape may be, as plain data; a shape within itself by its name."""
    if shape is None or shape.name in above:
        return shape and shape.name
    within = (*above, shape.name)
    match shape.type_name:
        case "structure":
            members = {name: _fields(member, within) for name, member in shape.members.items()}
            return shape.name, sorted(shape.required_members), shape.serialization, members
        case "list":
            return shape.name, shape.serialization, _fields(shape.member, within)
        case "map":
            return shape.name, shape.serialization, _fields(shape.key, within), _fields(shape.value, within)
        case kind:
            return shape.name, kind, shape.serialization, [*getattr(shape, "enum", [])]
