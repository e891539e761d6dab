"""The simulation over HTTP: an endpoint for a real boto3 client, and a clock that runs by itself.

Both services speak JSON 1.1 on one address; `X-Amz-Target` tells them apart and names the operation.
"""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event as Signal
from threading import Lock, Thread
from time import monotonic
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import ClientError

from simulation.api.clients import complaints
from simulation.api.lookup import ApiError
from simulation.core.state import Event
from simulation.simulation import Simulation

_SERVICES = {
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "AnyScaleFrontendService": "application-autoscaling",
}
_LONGEST_NAP = 0.25  # seconds; a request may have brought a happening that is due sooner than the one waited for


class Server:
    """Serves a simulation on 127.0.0.1 and runs its time; use it with `with`.

    sink: takes each event when it is delivered, in the driver's thread; what it raises is raised again by `stop`.
    speed: virtual seconds in a real one. Above 1 the times in events run ahead of the wall clock; where they must
        not, let `Timing.faster` make ECS itself faster.
    """

    def __init__(
        self, simulation: Simulation, *, sink: Callable[[Event], object], port: int = 0, speed: float = 1.0
    ) -> None:
        self.simulation, self._sink, self._speed = simulation, sink, speed
        self.lock = Lock()
        self._stopping = Signal()
        self._fault: BaseException | None = None
        self._http = _Quiet(("127.0.0.1", port), _handler(self))
        self._threads = [
            Thread(target=self._http.serve_forever, args=(0.05,), name="simulation-http", daemon=True),
            Thread(target=self._drive, name="simulation-clock", daemon=True),
        ]

    @classmethod
    def from_now(cls, build: Callable[[datetime], Simulation], **options: Any) -> Self:
        """A server of the simulation that `build` makes for the present, so that the times of its events look real."""
        return cls(build(datetime.now(UTC)), **options)

    @property
    def url(self) -> str:
        """The `endpoint_url` for boto3."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> None:
        """Answer requests and let the time run."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop both, wait for them, and raise what the sink raised."""
        self._stopping.set()
        self._http.shutdown()
        for thread in self._threads:
            thread.join()
        self._http.server_close()
        if self._fault is not None:
            raise self._fault

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def answer(self, target: str, body: bytes) -> tuple[int, bytes]:
        """Status and JSON body for one request."""
        prefix, _, operation = target.partition(".")
        if prefix not in _SERVICES:
            return _error("UnknownOperationException", f"no service has the target {target!r}")
        try:
            params = json.loads(body or b"{}")
            if complaint := complaints(_SERVICES[prefix], operation, params):
                return _error("InvalidParameterException", complaint)
            with self.lock:
                found = self.simulation.call(_SERVICES[prefix], operation, _with_times(params))
                return 200, json.dumps(found, default=_epoch).encode()
        except json.JSONDecodeError as error:
            return _error("SerializationException", f"the body is no JSON: {error}")
        except ApiError as error:
            return _error(error.code, error.message)
        except ClientError as error:
            return _error(error.response["Error"]["Code"], error.response["Error"]["Message"])

    def _drive(self) -> None:
        """Keep the virtual time at the real one's pace."""
        began, origin = monotonic(), self.simulation.now
        try:
            while not self._stopping.is_set():
                with self.lock:
                    events = self.simulation.run_until(origin + (monotonic() - began) * self._speed)
                    due = self.simulation.world.clock.next_due()
                for event in events:
                    self._sink(event)
                nap = _LONGEST_NAP if due is None else (due - origin) / self._speed - (monotonic() - began)
                self._stopping.wait(min(max(nap, 0.001), _LONGEST_NAP))
        except BaseException as fault:  # noqa: BLE001 - it belongs to another thread, and is raised there by `stop`
            self._fault = fault


class _Quiet(ThreadingHTTPServer):
    """A client that goes away in the middle of a call is no news."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: two would wait for each other's acknowledgement

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, answer = server.answer(self.headers.get("X-Amz-Target", ""), body)
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Requests are in `Simulation.calls`."""

    return Handler


def _error(code: str, message: str) -> tuple[int, bytes]:
    return 400, json.dumps({"__type": code, "message": message}).encode()


def _with_times(params: dict[str, Any]) -> dict[str, Any]:
    """JSON 1.1 writes times as seconds since 1970; `createdAt` of `ListServiceDeployments` is the one there is."""
    if "createdAt" not in params:
        return params
    return {**params, "createdAt": {end: datetime.fromtimestamp(at, UTC) for end, at in params["createdAt"].items()}}


def _epoch(value: object) -> float:
    """A time as JSON 1.1 writes it."""
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    raise TypeError(f"no JSON for {value!r}")
