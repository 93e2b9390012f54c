"""A server in a process of its own that records when calls arrive and how many are in flight, to check limits."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

HOST = "127.0.0.1"
ROOT = Path(__file__).parents[2]


class ServerRecord(NamedTuple):
    """The arrival times of calls in seconds, their tokens, and the calls in flight: the most at once, and now."""

    arrivals: list[float]
    tokens: list[int]
    most_in_flight: int
    in_flight: int

    def most_within(self, window_s: float) -> int:
        """Return the most calls in any window of `window_s` seconds."""
        most = first = 0
        for last, arrival in enumerate(self.arrivals):
            while arrival - self.arrivals[first] >= window_s:
                first += 1
            most = max(most, last - first + 1)
        return most


class LimitServer:
    """Runs the server inside its context."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.engine.limit_server"]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()

    def record(self) -> ServerRecord:
        return asyncio.run(_fetch_record(self.port))


async def call(port: int, latency_s: float, tokens: int) -> None:
    """Make one call."""
    await _exchange(port, f"{latency_s} {tokens}\n")


async def _fetch_record(port: int) -> ServerRecord:
    return ServerRecord(*json.loads(await _exchange(port, "record\n")))


async def _exchange(port: int, line: str) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port, limit=2**26)
    try:
        writer.write(line.encode())
        return await reader.readline()
    finally:
        writer.close()


class _Server:
    def __init__(self) -> None:
        self.arrivals: list[float] = []
        self.tokens: list[int] = []
        self.in_flight = self.most_in_flight = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode()
        if line == "record\n":
            writer.write(json.dumps([self.arrivals, self.tokens, self.most_in_flight, self.in_flight]).encode() + b"\n")
        elif line:
            await self.answer(reader, *line.split())
            writer.write(b"ok\n")
        writer.close()

    async def answer(self, reader: asyncio.StreamReader, latency_s: str, tokens: str) -> None:
        self.arrivals.append(asyncio.get_running_loop().time())
        self.tokens.append(int(tokens))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            async with asyncio.timeout(float(latency_s)):
                await reader.read()  # ends when the caller does
        except (TimeoutError, ConnectionError):
            pass
        finally:
            self.in_flight -= 1


async def main() -> None:
    server = await asyncio.start_server(_Server().serve, HOST, 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the parent process reads the port
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
