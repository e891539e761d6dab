"""The clients that the functions make are the clients that botocore makes by itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from infra.endpoints import SERVICES, TARGET, WITHOUT

# The endpoints file names a service by its host, the client by its API.
_CLIENTS = {"elasticloadbalancing": "elbv2", "tagging": "resourcegroupstaggingapi", "aidevops": "devops-agent"}
_DATA = str(Path(TARGET).parent)


def _made(session: Session, service: str, region: str) -> tuple[Any, ...]:
    client: Any = session.create_client(service, region_name=region)
    signing = (
        client.meta.config.signature_version,
        client._request_signer.signing_name,
        client._request_signer.region_name,
    )
    return client.meta.endpoint_url, client.meta.partition, *signing


@pytest.fixture(scope="module")
def sessions() -> tuple[Session, Session]:
    full, ours = Session(), Session()
    ours.set_config_variable("data_path", _DATA)
    return full, ours


@pytest.mark.parametrize("service", [_CLIENTS.get(name, name) for name in (*SERVICES, *WITHOUT)])
def test_same_endpoint_and_signing(service: str, sessions: tuple[Session, Session]) -> None:
    """In regions of every partition, known and new, our endpoints file makes the same client as the whole one."""
    full, ours = sessions
    for region in ("us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "eu-west-99"):
        assert _made(ours, service, region) == _made(full, service, region)


def test_every_region_is_known() -> None:
    """Each region of each partition is in our file with the partition's own names."""
    partitions = json.loads(TARGET.read_text())["partitions"]
    assert {p["partition"] for p in partitions} >= {"aws", "aws-cn", "aws-us-gov"}
    assert all(p["regions"] and p["dnsSuffix"] for p in partitions)
