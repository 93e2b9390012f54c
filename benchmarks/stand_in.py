"""Stand in for a model's endpoint: a process of its own, whose agent obeys any plan and so fails most cases.

    python benchmarks/stand_in.py

It serves OpenAI's chat completions as `demo/follower` does, from the conversation alone, prints its base URL, and ends
with its standard input. `GET /record` says how many requests came since the last `POST /record`, and when the first
and the last one came. `StandIn` starts it.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from aiohttp import web

from pytest_ultra.benchmark.reference_agents import act
from pytest_ultra.controller.demo import BACKLOG
from pytest_ultra.controller.demo.server import DemoHandler
from pytest_ultra.engine.file_limit import raise_file_limit

MODEL = "openai/follower?latency={:g}"
_MOST_FILES = 65_536


@dataclass(frozen=True)
class Record:
    """The requests that came, and the Unix times of the first and the last one, None without any."""

    requests: int
    first_at: float | None
    last_at: float | None


class StandIn:
    """The process; use it in a `with` block."""

    def __enter__(self) -> Self:
        command = (sys.executable, str(Path(__file__)))
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        self.url = self._process.stdout.readline().strip()
        self._record_url = self.url.removesuffix("/v1") + "/record"
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()

    def reset(self) -> None:
        urllib.request.urlopen(urllib.request.Request(self._record_url, method="POST")).close()  # noqa: S310 - our own

    def read(self) -> Record:
        with urllib.request.urlopen(self._record_url) as answer:  # noqa: S310 - our own
            return Record(**json.load(answer))


class _Recorder:
    def __init__(self) -> None:
        self._handle = DemoHandler(act)
        self._requests = 0
        self._first_at: float | None = None
        self._last_at: float | None = None

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/record":
            self._last_at = time.time()
            self._first_at = self._first_at or self._last_at
            self._requests += 1
            return await self._handle(request)
        if request.method == "POST":
            self._requests, self._first_at, self._last_at = 0, None, None
        record = Record(self._requests, self._first_at, self._last_at)
        return web.json_response(asdict(record))


async def _serve() -> None:
    raise_file_limit(_MOST_FILES)
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    protocol = web.Server(_Recorder(), access_log=None)
    await asyncio.get_running_loop().create_server(protocol, sock=listener, backlog=BACKLOG)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
