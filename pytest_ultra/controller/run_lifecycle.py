"""The lifecycle of a run: a lock while it is running, and at its end a mark of whether it finished."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from filelock import FileLock

from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import RunEnd, lock_run, read_interruption, remove_resume_files, write_run_end

_CRASHED = (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)
_WORKER_INTERRUPTED = "received keyboard-interrupt"  # xdist's words


class RunLifecycle:
    """Hook implementations of the first process that see what ends a run.

    `-x`, `--maxfail` and `--stepwise` end a run for good, a failing test does not: pytest stops for them as if it was
    interrupted, and only the exception shows the difference.
    """

    def __init__(self) -> None:
        self._run: RunDirectory | None = None
        self._lock: FileLock | None = None
        self._interruption: str | None = None
        self._session: pytest.Session | None = None

    def start(self, run: RunDirectory) -> None:
        self._run = run
        self._lock = lock_run(run)

    @pytest.hookimpl
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note a Ctrl-C or `pytest.exit`; `-x` and the like raise exceptions of pytest's and xdist's own."""
        is_pytests = excinfo.typename == "Interrupted" and _WORKER_INTERRUPTED not in str(excinfo.value)
        if not is_pytests:
            self._interruption = f"interrupted ({excinfo.typename})"

    @pytest.hookimpl
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session

    def end(self) -> None:
        """Write how the run ended, and release the lock. If the disk is full, the missing mark means: interrupted."""
        if self._run is None or self._lock is None:
            return
        status = int(pytest.ExitCode.INTERNAL_ERROR if self._session is None else self._session.exitstatus)
        interruption = self._interruption or read_interruption(self._run)
        if interruption is None and status in _CRASHED:
            interruption = "pytest crashed"
        with suppress(OSError):
            write_run_end(self._run, RunEnd(status, time.time(), interruption))
            self._lock.release()
            if interruption is None:
                remove_resume_files(self._run)
