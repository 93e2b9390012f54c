"""Measure how soon a run has opened its first 256 connections, on the server's side.

    python benchmarks/opening.py [--workers N] [--rounds N]

The server answers no request before all connections are open. The time includes building and sending 256 requests,
each with its prompt and the tools, so it grows on a busy machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time

CONNECTIONS = 256
TIMEOUT_S = 20.0


class Server:
    """Records when each connection is opened."""

    def __init__(self) -> None:
        self.opened_at: list[float] = []
        self._are_all_open = asyncio.Event()

    async def open(self) -> int:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=2 * CONNECTIONS)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def wait(self) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await self._are_all_open.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened_at.append(time.perf_counter())
        if len(self.opened_at) == CONNECTIONS:
            self._are_all_open.set()
        await self._are_all_open.wait()
        await reader.read(1)
        writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=0, help="xdist workers (default: 0)")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    for _ in range(arguments.rounds):
        seconds = asyncio.run(_measure(arguments.workers))
        print(f"{CONNECTIONS} connections within {1000 * seconds:.0f} ms, load {os.getloadavg()[0]:.1f}")


async def _measure(workers: int) -> float:
    server = Server()
    port = await server.open()
    with tempfile.TemporaryDirectory() as folder:
        options = ("--ultra-base-url", f"http://127.0.0.1:{port}/v1", "--ultra-model", "m", "--ultra-instances", "6")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "pytest", "-q", "-n", str(workers), *options),
            cwd=folder,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await server.wait()
        finally:
            process.send_signal(signal.SIGINT)
            await process.wait()
    return server.opened_at[CONNECTIONS - 1] - server.opened_at[0]


if __name__ == "__main__":
    main()
