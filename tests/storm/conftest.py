"""What all storms have in common."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_logs() -> Iterator[None]:
    """What goes wrong on purpose fills no screen."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
