"""Clients of AWS services, made once each and only when first used: a cold start pays for what it needs.

botocore is used rather than boto3: it makes the same client with fewer imports. It also looks through its descriptions
of all services of AWS whenever it makes a client; `data` has the part of them that is used here, and it looks nowhere
else (see docs/adr/0009-cold-start.md).
"""

from functools import cache
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session, get_session

from loopbreaker import VERSION

# Short waits and few tries: what fails is delivered again, and a function that hangs is paid for. To check parameters
# and to find out by what one is called are a quarter of a call's CPU time; the tests check the parameters.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "max_attempts": 3},
    parameter_validation=False,
    user_agent=f"loopbreaker/{VERSION}",
)


@cache
def client(service: str) -> Any:
    """The client of one AWS service, e.g. `client("dynamodb")`, in the function's own Region."""
    return _session().create_client(service, config=_CONFIG)


@cache
def _session() -> Session:
    session = get_session()
    here = Loader([str(Path(__file__).parent / "data")], include_default_search_paths=False)
    session.register_component("data_loader", here)
    return session
