"""A chat completions server on loopback, in a thread, that a test can observe and delay."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CALLS = 5
"""Number of tool calls, one per turn, before the model is done."""


class ChatServer(ThreadingHTTPServer):
    """Calls a tool `CALLS` times, repeating the key it received. Hangs at turn `hang_at`; fails once at `fail_at`."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: Counter[int] = Counter()
        self.hang_at = self.fail_at = 0
        self.rejections = 0
        self.rejects_tools = False
        self.rejects_temperature = False
        self.is_hanging = threading.Event()
        self.may_continue = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def answer(self, messages: list[dict[str, Any]], key: str) -> tuple[int, dict[str, Any]]:
        turn = 1 + sum(message["role"] == "assistant" for message in messages)
        self.requests[turn] += 1
        if turn == self.hang_at:
            self.is_hanging.set()
            self.may_continue.wait()
        if turn == self.fail_at and self.requests[turn] == 1:
            return 500, {"error": {"message": f"The key {key} makes me tired."}}
        return 200, {"choices": [{"message": _message(turn, key)}], "usage": {"prompt_tokens": 10 * turn}}

    def handle_error(self, *_: object) -> None:
        """Print nothing about clients that were killed."""


def _message(turn: int, key: str) -> dict[str, Any]:
    if turn > CALLS:
        return {"content": f"Done, thanks to {key}."}
    function = {"name": "utility_helper", "arguments": json.dumps({"topic": f"{turn} {key}"})}
    return {"content": f"With {key}:", "tool_calls": [{"id": f"call-{turn}", "function": function}]}


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        key = self.headers.get("authorization", "Bearer nobody").removeprefix("Bearer ")
        if self.server.rejects_tools and "tools" in body:
            self.server.rejections += 1
            status, answer = 400, {"error": {"message": "This model does not support tools."}}
        elif self.server.rejects_temperature and "temperature" in body:
            self.server.rejections += 1
            status, answer = 400, {"error": {"message": f"No temperature here, {key}."}}
        else:
            status, answer = self.server.answer(body["messages"], key)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    server = ChatServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.may_continue.set()
        server.shutdown()
        thread.join()
        server.server_close()
