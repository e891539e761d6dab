"""Every test runs without an account: fake credentials, one Region, no look-ups on the network."""

import os
import signal

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
