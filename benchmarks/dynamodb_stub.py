"""DynamoDB on loopback, as far as `detect` calls it: keeps the last item of each key.

`python -m benchmarks.dynamodb_stub FILE` knows the items in the file, prints its port, and ends when its input does.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

ITEMS: dict[str, Any] = {}


class Stub(BaseHTTPRequestHandler):
    """Answers GetItem, PutItem and UpdateItem; conditions always hold."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        answer: dict[str, Any] = {}
        if operation == "PutItem":
            item = asked["Item"]
            ITEMS[json.dumps([item["pk"], item["sk"]])] = item
        elif operation == "GetItem":
            key = json.dumps([asked["Key"]["pk"], asked["Key"]["sk"]])
            answer = {"Item": ITEMS[key]} if key in ITEMS else {}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Nothing is said of single calls."""


if __name__ == "__main__":
    for known in json.loads(Path(sys.argv[1]).read_text()):
        ITEMS[json.dumps([known["pk"], known["sk"]])] = known
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
