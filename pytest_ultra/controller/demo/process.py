"""The process of the embedded endpoint: start it, and make sure that it stops."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import IO, Self

from pytest_ultra.controller.demo import BACKLOG
from pytest_ultra.errors import UltraError

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 5.0


class DemoProcess:
    """An endpoint at the base URL `url`. It stops by `stop`, at the end of a `with` block, or with this process.

    Requests may be sent at once: those that arrive before it is ready wait in its socket's queue.
    """

    def __init__(self, process: subprocess.Popen[bytes], url: str, stderr: IO[bytes]) -> None:
        self._process = process
        self._stderr = stderr
        self._is_ready = False
        self.url = url

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Return when it serves. Raises `UltraError` with its error output if it does not start."""
        self._is_ready = self._is_ready or bool(_read_line(self._process))
        if not self._is_ready:
            _end(self._process)
            self._stderr.seek(0)
            output = self._stderr.read().decode(errors="replace").strip()
            code = self._process.returncode
            raise UltraError(f"The embedded demo endpoint did not start (exit code {code}).\n{output}")

    def stop(self) -> None:
        """Kill the process, which has nothing to save, and wait for its end. A second call does nothing."""
        self._process.kill()
        _end(self._process)
        self._stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def start_demo() -> DemoProcess:
    """Start an endpoint on a socket that already listens, so that nothing waits the 0.2 s until it is ready.

    It runs as long as our end of its standard input is open. That end closes with this process, even if it is killed;
    other child processes do not get a copy. The endpoint has its own session, so Ctrl-C does not reach it, and it
    serves the episodes that still have to finish.
    """
    stderr = tempfile.TemporaryFile()  # noqa: SIM115 - it stays open as long as the process runs
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listener:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", "pytest_ultra.controller.demo", str(listener.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            pass_fds=[listener.fileno()],
        )
        return DemoProcess(process, f"http://127.0.0.1:{listener.getsockname()[1]}/v1", stderr)


def _read_line(process: subprocess.Popen[bytes]) -> str:
    stdout = _pipe(process.stdout)
    ready, _, _ = select.select([stdout], [], [], _START_TIMEOUT_S)
    return stdout.readline().decode().strip() if ready else ""


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise AssertionError("the process has no pipes")
    return stream


def _end(process: subprocess.Popen[bytes]) -> None:
    _pipe(process.stdin).close()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _pipe(process.stdout).close()
