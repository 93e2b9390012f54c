"""`python -m pytest_ultra.controller.demo`: serve until standard input (if it is a pipe) closes or the parent ends.

The optional argument is the file descriptor of a listening socket from the parent.
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
from pytest_ultra.engine.file_limit import raise_file_limit

_PARENT_CHECK_S = 0.5
_MOST_FILES = 65_536  # more than all connections of all workers


async def serve(listener: socket.socket | None) -> None:
    """Print the base URL, then serve until the parent process ends."""
    parent = os.getppid()
    raise_file_limit(_MOST_FILES)
    server = await open_server(act, listener)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1\n")
    sys.stdout.flush()
    closed = await _watch_stdin()
    while os.getppid() == parent:  # a fork of the parent may keep the pipe open after the parent ends
        with suppress(TimeoutError):
            await asyncio.wait_for(closed.wait(), _PARENT_CHECK_S)
            return


async def _watch_stdin() -> asyncio.Event:
    """Return an event that is set when standard input closes; if it is not a pipe, the event is never set."""
    closed = asyncio.Event()
    if stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        await asyncio.get_running_loop().connect_read_pipe(lambda: _CloseWatcher(closed), sys.stdin)
    return closed


class _CloseWatcher(asyncio.Protocol):
    def __init__(self, closed: asyncio.Event) -> None:
        self._closed = closed

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._closed.set()


def _given_socket() -> socket.socket | None:
    return socket.socket(fileno=int(sys.argv[1])) if sys.argv[1:] else None


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(_given_socket()))
