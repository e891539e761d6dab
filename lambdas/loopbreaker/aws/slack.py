"""Slack over HTTPS, by a bot token or an incoming webhook. Neither ever stands in an error or a log.

Only the standard library: a cold start pays for nothing else, and a redirect is never followed with a token.
"""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

API = "https://slack.com/api"
_TIMEOUT = 10.0
_GAP = 1.1
_MOST_READ = 65_536
# Errors that mean that the message cannot be edited any more (docs.slack.dev, chat.update).
_GONE = ("message_not_found", "cant_update_message", "edit_window_closed", "is_inactive")
# Errors that a new token may mend.
BAD_TOKEN = ("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive")
# Slack would fetch addresses that stand in a message, also those that a failed task wrote.
_NO_PREVIEWS = {"unfurl_links": False, "unfurl_media": False}
_LEAST_PAUSE, _MOST_PAUSE = 1.0, 300.0


class UnreachableError(Exception):
    """Slack could not be reached, or answered with something that is not its answer."""


class RefusedError(Exception):
    """Slack will not do it; `code` is Slack's own word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Slack refused it: {code}")
        self.code = code


class PauseError(Exception):
    """Slack asks for a pause of so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Slack asks for a pause of {seconds:.0f} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Bot:
    """A Slack app with the scope `chat:write`. `token` is asked for at each call; `api` is Slack's address.

    pace: called with the channel before each new message; waits where one was posted there a moment ago.
    """

    token: Callable[[], str]
    pace: Callable[[str], None]
    api: str = API

    def post(self, channel: str, body: dict[str, Any], *, thread: str = "") -> str:
        self.pace(channel)
        parameters = {**body, **_NO_PREVIEWS, "channel": channel, **({"thread_ts": thread} if thread else {})}
        answer = self._call("chat.postMessage", parameters)
        ts = answer.get("ts")
        if not isinstance(ts, str):
            raise UnreachableError("chat.postMessage: the answer has no ts")
        return ts

    def edit(self, channel: str, ts: str, body: dict[str, Any]) -> bool:
        try:
            self._call("chat.update", {**body, "channel": channel, "ts": ts})
        except RefusedError as error:
            if error.code in _GONE:
                return False
            raise
        return True

    def _call(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token()}"}
        answer = _read(send(f"{self.api}/{method}", parameters, headers, what=method), what=method)
        if answer.get("ok") is True:
            return answer
        code = answer.get("error")
        raise RefusedError(code if isinstance(code, str) and re.fullmatch(r"\w{1,80}", code) else "no reason given")


@dataclass(frozen=True, slots=True)
class Webhook:
    """An incoming webhook: it posts, and can neither edit nor reply. `address` is asked for at each call."""

    address: Callable[[], str]

    def send(self, body: dict[str, Any]) -> None:
        text = send(self.address(), body | _NO_PREVIEWS, {}, what="webhook").strip()
        if text != b"ok":
            raise UnreachableError("webhook: the answer is not `ok`")


class Pace:
    """At most one message a second in a channel: of more, Slack hides some (docs.slack.dev, "Rate limits")."""

    def __init__(self, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._clock, self._sleep = clock, sleep
        self._last: dict[str, float] = {}

    def __call__(self, channel: str) -> None:
        left = self._last.get(channel, 0.0) + _GAP - self._clock()
        if left > 0:
            self._sleep(min(left, _GAP))
        self._last[channel] = self._clock()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_fields: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def send(url: str, body: dict[str, Any], headers: dict[str, str], *, what: str) -> bytes:
    """POST JSON; the answer of a status 200. `what` names the call in errors, in place of its address."""
    data = json.dumps(body, ensure_ascii=False).encode()
    request = urllib.request.Request(  # noqa: S310 the scheme is checked by whoever knows the address
        url, data=data, headers={"Content-Type": "application/json; charset=utf-8", **headers}, method="POST"
    )
    try:
        with _OPENER.open(request, timeout=_TIMEOUT) as answer:
            text: bytes = answer.read(_MOST_READ)
            return text
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 429:
                raise PauseError(_pause(error.headers.get("Retry-After", ""))) from None
            if 400 <= error.code < 500:
                raise RefusedError(f"HTTP {error.code}") from None
            raise UnreachableError(f"{what}: HTTP {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:
        # The words of these errors may hold the address.
        raise UnreachableError(f"{what}: {type(error).__name__}") from None


def _pause(text: str) -> float:
    seconds = float(text) if re.fullmatch(r"\d{1,6}(\.\d+)?", text.strip()) else 30.0
    return min(max(seconds, _LEAST_PAUSE), _MOST_PAUSE)


def _read(text: bytes, *, what: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise UnreachableError(f"{what}: the answer is not JSON") from None
    if not isinstance(answer, dict):
        raise UnreachableError(f"{what}: the answer is not an object")
    return answer
