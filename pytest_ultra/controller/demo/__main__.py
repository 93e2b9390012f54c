"""`python -m pytest_ultra.controller.demo`: serve until standard input, if a pipe, is closed, or the parent is gone.

An argument is the number of an inherited socket that listens already.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys
from contextlib import suppress

from pytest_ultra.benchmark.reference_agents import act
from pytest_ultra.controller.demo.server import open_server

_PARENT_CHECK_S = 0.5


async def serve(listener: socket.socket | None) -> None:
    """Print the base URL, then serve for as long as whoever started us lives."""
    parent = os.getppid()
    server = await open_server(act, listener)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1\n")
    sys.stdout.flush()
    closed = await _watch_stdin()
    while os.getppid() == parent:  # a fork of the parent may hold the pipe open after its death
        with suppress(TimeoutError):
            await asyncio.wait_for(closed.wait(), _PARENT_CHECK_S)
            return


async def _watch_stdin() -> asyncio.Event:
    """Return an event that is set when the pipe on standard input closes; never, if that is no pipe."""
    closed = asyncio.Event()
    if stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        await asyncio.get_running_loop().connect_read_pipe(lambda: _Closing(closed), sys.stdin)
    return closed


class _Closing(asyncio.Protocol):
    def __init__(self, closed: asyncio.Event) -> None:
        self._closed = closed

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._closed.set()


def _inherited_socket() -> socket.socket | None:
    return socket.socket(fileno=int(sys.argv[1])) if sys.argv[1:] else None


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(_inherited_socket()))
