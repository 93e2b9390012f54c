"""Serves a report on this machine's loopback address."""

from __future__ import annotations

import re
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from pytest_ultra.controller.report_contents import NAME
from pytest_ultra.controller.served_report import ServedReport
from pytest_ultra.errors import UltraError
from pytest_ultra.reporting.html.html_report import parts_folder_name

HOST = "127.0.0.1"
_PART = re.compile(rf"/({re.escape(parts_folder_name(NAME))}/part-\d+\.html)")
_HTML, _JSON, _TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"
_WAITING = b"""<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<title>pytest-ultra</title><p>The run has no episodes yet; this page loads again by itself.</p></html>
"""


class ReportServer(ThreadingHTTPServer):
    """Answers requests from this machine alone; `serve_forever` runs it until `shutdown` or an interrupt."""

    daemon_threads = True

    def __init__(self, report: ServedReport, port: int = 0) -> None:
        """Listen on a port, by default on any free one; raise OSError if it is taken."""
        super().__init__((HOST, port), _Handler)
        self.report = report

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a browser that hangs up, as it does when it loads the page again."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}/"

    @property
    def hosts(self) -> tuple[str, str]:
        """The values of the Host header that are answered: a name that another site chose is none of them."""
        return f"{HOST}:{self.server_port}", f"localhost:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: ReportServer

    def do_GET(self) -> None:
        if self.headers.get("Host") not in self.server.hosts:
            self._send(HTTPStatus.FORBIDDEN, _TEXT, b"this report is served to this machine alone\n")
            return
        try:
            self._answer(self.path.partition("?")[0])
        except (UltraError, OSError) as error:
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, _TEXT, f"{error}\n".encode())

    def _answer(self, path: str) -> None:
        part = _PART.fullmatch(path)
        if path == "/state":
            self._send(HTTPStatus.OK, _JSON, msgspec.json.encode(self.server.report.state()))
        elif path in ("/", f"/{NAME}"):
            self._send(HTTPStatus.OK, _HTML, self.server.report.read() or _WAITING)
        elif part and (content := self.server.report.read(part[1])):
            self._send(HTTPStatus.OK, _HTML, content)
        else:
            self._send(HTTPStatus.NOT_FOUND, _TEXT, b"no such page\n")

    def _send(self, status: HTTPStatus, content_type: str, content: bytes) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": content_type,
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: Any) -> None:
        """Print nothing: the terminal shows the address alone."""
