"""An https endpoint of somebody's, as SNS sees it: a real server on loopback that answers well, or does not."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SICK = ("429", "500", "garbage", "hang", "close")


@dataclass
class Endpoint:
    """`moods` are how the next messages are answered; after the last all is well. `messages`: what came, in order."""

    url: str = ""
    moods: list[str] = field(default_factory=list)
    invited: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    endpoint: Endpoint

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["x-amz-sns-message-type"] == "SubscriptionConfirmation":
            self.endpoint.invited.append(message)
            self._answer(200)
            return
        self.endpoint.messages.append(message)
        mood = self.endpoint.moods.pop(0) if self.endpoint.moods else "well"
        if mood == "hang":
            self.endpoint.released.wait(10)
        elif mood == "close":
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._answer(int(mood) if mood.isdigit() else 200, garbage=mood == "garbage")

    def _answer(self, status: int, *, garbage: bool = False) -> None:
        self.send_response(status)
        body = b"\xff\xfe{" if garbage else b""
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "7")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Silence."""


@contextmanager
def running(*moods: str) -> Iterator[Endpoint]:
    """The server, on a free port of loopback, until the block ends."""
    endpoint = Endpoint(moods=[*moods])
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"endpoint": endpoint}))
    server.daemon_threads = True
    endpoint.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
