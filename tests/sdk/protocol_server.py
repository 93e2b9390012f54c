"""A server on loopback that speaks a provider's own protocol, with a perfect agent and faults behind it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from tests.run.plan_model import follow_plan

Fields = dict[str, Any]


class SpokenProtocol(Protocol):
    """Reads requests of a protocol, and writes answers in it; the agent behind it knows chat completions."""

    path: str

    def read(self, body: Fields, path: str) -> Fields:
        """Return the request as one of chat completions. Raises AssertionError for what a provider would reject."""

    def write(self, message: Fields, number: int) -> Fields:
        """Return an assistant message as an answer, whose ids contain the number."""

    def events(self, answer: Fields) -> Iterator[Fields]:
        """Yield the events of the answer as a stream."""


@dataclass(frozen=True)
class Fault:
    """An answer in place of a reply; `drops` closes the connection after it. As a stream if it has events."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    drops: bool = False


DROP = Fault(status=0, drops=True)


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: Fields


class ProtocolServer(ThreadingHTTPServer):
    """Gives each of the `faults` once, and then the replies of a model that carries out the plan it is shown."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, protocol: SpokenProtocol, *faults: Fault, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.protocol = protocol
        self.faults = list(faults)
        self.headers = dict(headers or {})
        self.requests: list[Received] = []
        self.rejected: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *_: object) -> None:
        """Print nothing about clients that have gone."""


class _Handler(BaseHTTPRequestHandler):
    server: ProtocolServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append(Received(self.path, headers, body))
        if self.server.faults:
            self._fail(self.server.faults.pop(0))
            return
        try:
            chat = self.server.protocol.read(body, self.path)
        except (AssertionError, LookupError, TypeError) as error:
            self.server.rejected.append(repr(error))
            self._send(400, json.dumps({"error": {"message": f"test server: {error!r}"}}), "application/json")
            return
        message = json.loads(follow_plan(chat))["choices"][0]["message"]
        answer = self.server.protocol.write(message, len(self.server.requests))
        if body.get("stream") or "stream" in self.path:
            text = write_events(self.server.protocol.events(answer))
            self._send(200, text, "text/event-stream")
        else:
            self._send(200, json.dumps(answer), "application/json")

    def _fail(self, fault: Fault) -> None:
        if fault.status:
            self._send(fault.status, fault.body, fault.content_type, fault.headers, cut=fault.drops)
        if fault.drops:
            self.close_connection = True

    def _send(
        self, status: int, text: str, content_type: str, headers: Mapping[str, str] = {}, *, cut: bool = False
    ) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(content) + 100 * cut))
        for name, value in (self.server.headers | dict(headers)).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def write_events(events: Iterator[Fields]) -> str:
    """Return server-sent events; the type of each is its name too."""
    return "".join(
        (f"event: {event['type']}\n" if "type" in event else "") + f"data: {json.dumps(event)}\n\n" for event in events
    )


@contextmanager
def protocol_server(
    protocol: SpokenProtocol, *faults: Fault, headers: Mapping[str, str] | None = None
) -> Iterator[ProtocolServer]:
    server = ProtocolServer(protocol, *faults, headers=headers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
