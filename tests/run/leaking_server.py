"""A server on loopback, also usable as a proxy, that leaks every secret it receives, in each way it can fail."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

HANG_S = 30.0
LEAKS = ("401", "400", "500", "429", "hang", "reset", "not-json", "not-chat", "truncated", "redirect", "text", "call")
"""Ways to leak secrets, selected by the end of the model's name. A second attempt always succeeds."""


class LeakingServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.request_counts: Counter[str] = Counter()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *_: object) -> None:
        """Ignore clients that closed their connection."""


class _Handler(BaseHTTPRequestHandler):
    server: LeakingServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.request_counts[body["model"]] += 1
        received = self._collect_secrets()
        if self.server.request_counts[body["model"]] > 1:
            self._answer(200, _completion({"content": "Done."}))
        else:
            self._leak(next(leak for leak in LEAKS if body["model"].endswith(leak)), received)

    def _collect_secrets(self) -> str:
        """Return path and headers as received, and in other encodings."""
        received = " ".join([self.path, *self.headers.values()])
        decoded = [_decode(value) for value in self.headers.values() if value.startswith("Basic ")]
        keys = [value.removeprefix("Bearer ") for value in self.headers.values()]
        encoded = [form for key in keys for form in (_base64(key), quote(key, safe=""), json.dumps(key))]
        return " ".join([received, *decoded, *encoded])

    def _leak(self, leak: str, received: str) -> None:
        error = json.dumps({"error": {"message": f"Refused: {received}"}})
        match leak:
            case "401" | "400" | "500" | "429":
                self._answer(int(leak), error)
            case "hang":
                time.sleep(HANG_S)
            case "reset":
                self.connection.close()
            case "not-json":
                self._answer(200, f"<html>{received}</html>")
            case "not-chat":
                self._answer(200, error)
            case "truncated":
                self._answer(200, _completion({"content": received})[:-20])
            case "redirect":
                padding = "x" * (150 - len(self.path) % 50)  # so that truncation splits a secret
                self._answer(308, "", location=f"http://{padding}/{self.path}?{quote(received)}")
            case "text":
                self._answer(200, _completion({"content": received}))
            case _:
                function = {"name": "utility_logger", "arguments": json.dumps({"message": received})}
                self._answer(200, _completion({"tool_calls": [{"id": received, "function": function}]}))

    def _answer(self, status: int, text: str, **headers: str) -> None:
        content = text.encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def _completion(message: dict[str, Any]) -> str:
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(basic: str) -> str:
    return base64.b64decode(basic.removeprefix("Basic ")).decode()
