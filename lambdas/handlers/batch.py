"""What Lambda is answered about a batch: the messages that it is to deliver again."""

from collections.abc import Iterable

Failures = dict[str, list[dict[str, str]]]


def failures(again: Iterable[str] = ()) -> Failures:
    """The answer that names these messages, or places in a stream; the others are done (`ReportBatchItemFailures`)."""
    return {"batchItemFailures": [{"itemIdentifier": name} for name in again]}
