"""A secret of Secrets Manager, read when it is needed and kept for a few minutes. Its value is in no error."""

import re
from collections.abc import Callable
from typing import Any

_KEEP = 300.0


class SecretError(Exception):
    """The secret cannot be used; says which and why, never what it holds."""


class Secret:
    """One secret text that must match `pattern`; `what` says in errors what it should be."""

    def __init__(
        self, client: Callable[[], Any], name: str, *, pattern: str, what: str, clock: Callable[[], float]
    ) -> None:
        self._client, self._name, self._clock = client, name, clock
        self._pattern, self._what = re.compile(pattern), what
        self._value, self._read_at = "", 0.0

    def __call__(self) -> str:
        """The secret. Raises SecretError, and what botocore raises where it cannot be read."""
        if not self._value or self._clock() > self._read_at + _KEEP:
            text = self._client().get_secret_value(SecretId=self._name).get("SecretString", "").strip()
            if not self._pattern.fullmatch(text):
                raise SecretError(f"secret {self._name}: is not {self._what}")
            self._value, self._read_at = text, self._clock()
        return self._value

    def forget(self) -> None:
        """Read it anew at the next use: it may have been replaced."""
        self._value = ""

    def __repr__(self) -> str:
        return f"Secret({self._name!r})"
