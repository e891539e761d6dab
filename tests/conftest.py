"""Every test runs without an account: fake credentials, one Region, no look-ups on the network."""

import os

import pytest

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


# What is made once for many tests is made in one process alone.
_TOGETHER = ("infra", "e2e")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one such folder run in one process of pytest-xdist (`--dist loadgroup`), the rest wherever is room."""
    for item in items:
        folder = item.path.parent.name
        if folder in _TOGETHER:
            item.add_marker(pytest.mark.xdist_group(folder))
