"""A local server that answers as Slack does, or as a server does that is not well. It keeps what it was sent."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OK, LIMITED, BROKEN, GARBAGE, HANG, CLOSE = "ok", "limited", "broken", "garbage", "hang", "close"
REDIRECT, LIST, GONE, DENIED, NO_TS = "redirect", "list", "gone", "denied", "no-ts"


_SICK: dict[str, tuple[int, bytes, dict[str, str]]] = {
    LIMITED: (429, b'{"ok":false,"error":"ratelimited"}', {"Retry-After": "7"}),
    BROKEN: (500, b"<html>oops</html>", {}),
    GARBAGE: (200, b"\xff\xfe not json {", {}),
    LIST: (200, b"[1]", {}),
    NO_TS: (200, b'{"ok":true}', {}),
    DENIED: (200, b'{"ok":false,"error":"invalid_auth"}', {}),
    GONE: (404, b"no_service", {}),
    REDIRECT: (302, b"", {"Location": "/elsewhere"}),
}


@dataclass
class Slack:
    """`moods`: how the next requests are answered; after the last all is well. `calls`: method, body, token."""

    url: str = ""
    moods: list[str] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)

    def parents(self) -> list[dict[str, Any]]:
        """Messages of the channel itself, as they look now."""
        return [message for message in self.messages.values() if "thread_ts" not in message]

    def replies(self) -> list[str]:
        return [message["text"] for message in self.messages.values() if "thread_ts" in message]

    def take(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do what the method says."""
        if method == "chat.update":
            if body["ts"] not in self.messages:
                return {"ok": False, "error": "message_not_found"}
            self.messages[body["ts"]] = body
            return {"ok": True, "ts": body["ts"]}
        ts = f"1700000000.{len(self.messages):06}"
        self.messages[ts] = body
        return {"ok": True, "ts": ts}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    slack: Slack

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        method = self.path.rpartition("/")[2]
        self.slack.calls.append((method, body, self.headers.get("Authorization", "")))
        mood = self.slack.moods.pop(0) if self.slack.moods else OK
        if mood in (HANG, CLOSE):
            self._break_off(mood)
        elif mood == OK:
            taken = self.slack.take(method, body) if method.startswith("chat.") else None
            self._answer(200, json.dumps(taken).encode() if taken else b"ok")
        else:
            status, text, headers = _SICK[mood]
            self._answer(status, text, headers)

    def _break_off(self, mood: str) -> None:
        if mood == HANG:
            self.slack.released.wait(10)
        else:
            self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Silence."""


@contextmanager
def running() -> Iterator[Slack]:
    """The server, on a free port of loopback, until the block ends."""
    slack = Slack()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"slack": slack}))
    server.daemon_threads = True
    slack.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield slack
    finally:
        slack.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
