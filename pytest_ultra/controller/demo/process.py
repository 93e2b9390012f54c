"""Start the embedded endpoint as a process of its own, and stop it for certain."""

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
    """An endpoint at `url` (a base URL). Stops by `stop`, at a `with` block's end, or with this process.

    It may be called at once: calls that come before it is ready wait in its socket's queue.
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
        """Return when it serves; raise `UltraError` with what it said if it does not come to that."""
        self._is_ready = self._is_ready or bool(_read_line(self._process))
        if not self._is_ready:
            _end(self._process)
            self._stderr.seek(0)
            said = self._stderr.read().decode(errors="replace").strip()
            code = self._process.returncode
            raise UltraError(f"The embedded demo endpoint did not start (exit code {code}).\n{said}")

    def stop(self) -> None:
        """Kill it, for it has nothing to lose, and wait until it has ended; a second time does nothing."""
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
    """Start an endpoint, on a socket that listens already, so that the 0.2 s until it is ready stop nobody.

    It lives as long as our end of its standard input is open. That is closed with this process, however it dies;
    other children do not inherit it. In a session of its own it is out of the reach of Ctrl-C, and so serves the
    episodes that are still to finish.
    """
    stderr = tempfile.TemporaryFile()  # noqa: SIM115 - it is open for as long as the process
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
        raise AssertionError("a process that we start has pipes")
    return stream


def _end(process: subprocess.Popen[bytes]) -> None:
    _pipe(process.stdin).close()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _pipe(process.stdout).close()
