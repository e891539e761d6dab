"""Every test runs without an account: fake credentials, one Region, no look-ups on the network."""

import os
import signal
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

os.environ.update(
    {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        # Stream ARNs would otherwise be sent to an account's own host name.
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "POWERTOOLS_SERVICE_NAME": "loopbreaker",
        "POWERTOOLS_METRICS_NAMESPACE": "Loopbreaker",
    }
)
for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
    os.environ.pop(name, None)

# A suite that a shell started in the background ignores Ctrl-C, and so would what it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _hold_every_event_to_its_schema() -> None:
    """Whatever test makes a message: its event follows docs/event.schema.json."""
    from loopbreaker.telling import event
    from tests.event_schema import follows_schema

    plain = event.detail

    def checked(*args: object, **fields: object) -> dict[str, object]:
        found: dict[str, object] = plain(*args, **fields)  # type: ignore[arg-type]
        follows_schema(found)
        return found

    event.detail = checked


_hold_every_event_to_its_schema()


# Long before short, so that no worker ends long after the other.
_LONG = ("tests/e2e/", "tests/infra/", "tests/breaker/", "tests/organisation/", "tests/release/", "tests/benchmarks/")
# What waits for one deployment, which each worker would make for itself.
_DEPLOYED = ("tests/e2e/test_deployed_stack.py", "tests/e2e/test_new_user.py")


class _Scheduling(LoadFileScheduling):  # type: ignore[misc]  # it comes without types
    """A worker for each file, as `--dist loadfile` has it, and one for all that share the deployment."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "tests/e2e" if file in _DEPLOYED else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return _Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    items.sort(key=lambda item: next((n for n, long in enumerate(_LONG) if item.nodeid.startswith(long)), len(_LONG)))
