"""An OpenAI-compatible server on loopback whose answers a test writes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class ReceivedRequest:
    """A request with its key; `finished_at` is when the answer was sent. Times are seconds since the epoch.

    Names of headers are in lower case.
    """

    body: dict[str, Any]
    authorization: str
    started_at: float
    finished_at: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def model(self) -> str:
        model: str = self.body["model"]
        return model


Script = Callable[[ReceivedRequest], tuple[int, str]]
"""Returns the status and the body of the response to a request."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # With the default of 5, the kernel drops connections for up to minutes when a run opens many at once.
    request_queue_size = 256


class ScriptedServer:
    """Serves each request in a new thread until it is closed."""

    def __init__(self, script: Script) -> None:
        self.requests: list[ReceivedRequest] = []
        self._server = _Server(("127.0.0.1", 0), _handler(script, self.requests))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def text_reply(text: str) -> str:
    return _completion({"role": "assistant", "content": text})


def tool_call_reply(name: str, arguments: str) -> str:
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return _completion({"role": "assistant", "content": None, "tool_calls": [call]})


def _completion(message: dict[str, Any]) -> str:
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage})


def _handler(script: Script, requests: list[ReceivedRequest]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            started_at = time.time()
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = ReceivedRequest(body, headers.get("authorization", ""), started_at, headers=headers)
            requests.append(request)
            status, text = script(request)
            self._answer(status, text.encode())
            request.finished_at = time.time()

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Log nothing."""

    return Handler
