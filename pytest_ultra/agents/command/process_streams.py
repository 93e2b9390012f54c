"""The standard streams of a program, served at once and within bounds."""

from __future__ import annotations

import os
import selectors
import subprocess
from typing import IO

MAX_OUTPUT_BYTES = 16 * 1024 * 1024
"""What a program may write to stdout and to stderr, each."""
TAIL_BYTES = 4_000
"""What is kept of stderr."""

_CHUNK = 64 * 1024


class ProcessStreams:
    """Writes a program's stdin, and reads its stdout and stderr. `flooded` names the stream with too much."""

    def __init__(self, process: subprocess.Popen[bytes], prompt: str) -> None:
        self._process = process
        self._unwritten = memoryview(prompt.encode(errors="replace"))
        self._read = {"stdout": bytearray(), "stderr": bytearray()}
        self._error_bytes = 0
        self._selector = selectors.DefaultSelector()
        self.flooded = ""
        self._add(process.stdout, selectors.EVENT_READ, "stdout")
        self._add(process.stderr, selectors.EVENT_READ, "stderr")
        self._add(process.stdin, selectors.EVENT_WRITE, "stdin")

    @property
    def are_open(self) -> bool:
        """Whether more can be read."""
        return any(key.data != "stdin" for key in self._selector.get_map().values())

    @property
    def output(self) -> str:
        return self._read["stdout"].decode(errors="replace")

    @property
    def error_tail(self) -> str:
        return self._read["stderr"].decode(errors="replace")

    def serve(self, timeout_s: float) -> None:
        """Wait until something can be read or written, and do so."""
        for key, _ in self._selector.select(timeout_s):
            if key.data == "stdin":
                self._write(key.fd)
            else:
                self._take(key.fd, key.data)

    def close(self) -> None:
        for key in list(self._selector.get_map().values()):
            self._close(key.data)
        self._selector.close()

    def _add(self, stream: IO[bytes] | None, event: int, name: str) -> None:
        if stream is not None:
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, event, name)

    def _write(self, fd: int) -> None:
        try:
            self._unwritten = self._unwritten[os.write(fd, self._unwritten[:_CHUNK]) :]
        except BlockingIOError:
            return
        except OSError:  # the program does not want it
            self._unwritten = self._unwritten[:0]
        if not self._unwritten:
            self._close("stdin")

    def _take(self, fd: int, name: str) -> None:
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._close(name)
            return
        read = self._read[name]
        read += data
        if name == "stderr":
            self._error_bytes += len(data)
            del read[:-TAIL_BYTES]
        if max(len(self._read["stdout"]), self._error_bytes) > MAX_OUTPUT_BYTES:
            self.flooded = name
            del read[TAIL_BYTES:]
            self._close(name)

    def _close(self, name: str) -> None:
        stream: IO[bytes] | None = getattr(self._process, name)
        if stream is not None and not stream.closed:
            self._selector.unregister(stream)
            stream.close()
