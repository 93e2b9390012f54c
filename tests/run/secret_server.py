"""A server on loopback, and a proxy, that gives away whatever secret it is told, in as many ways as it can fail."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

HANG_S = 30.0
WAYS = ("401", "400", "500", "429", "hang", "reset", "not-json", "not-chat", "truncated", "redirect", "text", "call")
"""How it gives secrets away: the end of a model's name says which. What is tried again is answered in the end."""


class Telltale(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: Counter[str] = Counter()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that are gone."""


class _Handler(BaseHTTPRequestHandler):
    server: Telltale
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked[body["model"]] += 1
        told = self._all_that_was_told()
        if self.server.asked[body["model"]] > 1:
            self._answer(200, _completion({"content": "Done."}))
        else:
            self._give_away(next(way for way in WAYS if body["model"].endswith(way)), told)

    def _all_that_was_told(self) -> str:
        """Return path and headers as they came, and as others might write them."""
        told = " ".join([self.path, *self.headers.values()])
        decoded = [_decode(value) for value in self.headers.values() if value.startswith("Basic ")]
        keys = [value.removeprefix("Bearer ") for value in self.headers.values()]
        encoded = [form for key in keys for form in (_base64(key), quote(key, safe=""), json.dumps(key))]
        return " ".join([told, *decoded, *encoded])

    def _give_away(self, way: str, told: str) -> None:
        error = json.dumps({"error": {"message": f"Refused: {told}"}})
        match way:
            case "401" | "400" | "500" | "429":
                self._answer(int(way), error)
            case "hang":
                time.sleep(HANG_S)
            case "reset":
                self.connection.close()
            case "not-json":
                self._answer(200, f"<html>{told}</html>")
            case "not-chat":
                self._answer(200, error)
            case "truncated":
                self._answer(200, _completion({"content": told})[:-20])
            case "redirect":
                padding = "x" * (150 - len(self.path) % 50)  # so that a cut goes through a secret
                self._answer(308, "", location=f"http://{padding}/{self.path}?{quote(told)}")
            case "text":
                self._answer(200, _completion({"content": told}))
            case _:
                function = {"name": "utility_logger", "arguments": json.dumps({"message": told})}
                self._answer(200, _completion({"tool_calls": [{"id": told, "function": function}]}))

    def _answer(self, status: int, text: str, **headers: str) -> None:
        content = text.encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _completion(message: dict[str, Any]) -> str:
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(basic: str) -> str:
    return base64.b64decode(basic.removeprefix("Basic ")).decode()
