"""The byte streams of execnet's gateways, to which it has no public way: one writer at a time, and an end for it."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable

from execnet.gateway_base import BaseGateway

_LOOK_EVERY_MS = 100


def lock_writes(gateway: BaseGateway, write: Callable[[bytes], None] | None = None) -> None:
    """Let only one thread at a time write to a gateway, by `write` if that is given.

    execnet relies on atomic writes, but a large message to a socket is written in parts.
    """
    io, lock = gateway._io, threading.Lock()  # noqa: SLF001
    write_all = write or io.write

    def write_locked(data: bytes) -> None:
        with lock:
            write_all(data)

    io.write = write_locked  # type: ignore[method-assign]


class OwnGateway:
    """A worker's own end of its connection.

    A thread that writes waits as long as the controller reads nothing. Closing a pipe does not release it, so bytes for
    a pipe are written in parts that never wait.
    """

    def __init__(self, gateway: BaseGateway) -> None:
        self._gateway = gateway
        self._io = gateway._io  # noqa: SLF001
        self._is_ended = threading.Event()
        is_pipe = hasattr(self._io, "outfile") and hasattr(select, "poll")
        lock_writes(gateway, self._write_to_pipe if is_pipe else None)

    def end(self) -> None:
        """Release the threads that write, and end the session, as execnet does when a connection is closed.

        It waits 15 s for the session's end, then ends the process. With pipes, it does so in any case: the thread that
        receives would not notice.
        """
        self._is_ended.set()
        if hasattr(self._io, "sock"):
            self._io.close_read()
            self._io.close_write()
        else:
            self._gateway._terminate_execution()  # noqa: SLF001
            os._exit(1)

    def _write_to_pipe(self, data: bytes) -> None:
        file, rest = self._io.outfile, memoryview(data)  # type: ignore[attr-defined]
        poll = select.poll()
        poll.register(file, select.POLLOUT)
        while rest:
            if self._is_ended.is_set():
                raise BrokenPipeError("the connection is ended")
            if poll.poll(_LOOK_EVERY_MS):
                rest = rest[os.write(file.fileno(), rest[: select.PIPE_BUF]) :]
