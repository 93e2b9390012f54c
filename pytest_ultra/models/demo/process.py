"""Start the embedded endpoint as a process of its own, and stop it for certain."""

from __future__ import annotations

import select
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import IO, Self

from pytest_ultra.errors import UltraError

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 5.0


class DemoProcess:
    """A running endpoint at `url` (a base URL). Stops by `stop`, at a `with` block's end, or with this process."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self._process = process
        self.url = url

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """End it, and wait until it has ended; a second time does nothing."""
        _end(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def start_demo() -> DemoProcess:
    """Start an endpoint and wait until it listens; raises `UltraError` with what it said if it does not.

    It lives as long as our end of its standard input is open. That is closed with this process, however it dies;
    other children do not inherit it. In a session of its own it is out of the reach of Ctrl-C, and so serves the
    episodes that are still to finish.
    """
    with tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pytest_ultra.models.demo"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
        url = _read_line(process)
        if not url:
            _end(process)
            stderr.seek(0)
            said = stderr.read().decode(errors="replace").strip()
            raise UltraError(f"The embedded demo endpoint did not start (exit code {process.returncode}).\n{said}")
    return DemoProcess(process, url)


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
