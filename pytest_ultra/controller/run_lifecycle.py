"""The course of a run: a lock while it lives, and in the end a mark of whether it came to its end or was cut off."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from filelock import FileLock

from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import Ending, clear_up, hold, mark_end, noted_cut_off

_CRASHED = (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)
_WORKER_INTERRUPTED = "received keyboard-interrupt"  # xdist's words


class Course:
    """Hook implementations of the controller, or of the only process, that see what ends a run.

    `-x`, `--maxfail` and `--stepwise` are an end, a failing test is none: pytest stops for them as if interrupted,
    and only the exception tells.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._run: RunDirectory | None = None
        self._lock: FileLock | None = None
        self._cut_off: str | None = None
        self._session: pytest.Session | None = None

    def begin(self, run: RunDirectory) -> None:
        self._run = run
        self._lock = hold(run)

    @pytest.hookimpl
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note a Ctrl-C or `pytest.exit`; for `-x` and the like, pytest and xdist raise interruptions of their own."""
        is_pytests = excinfo.typename == "Interrupted" and _WORKER_INTERRUPTED not in str(excinfo.value)
        if not is_pytests:
            self._cut_off = f"interrupted ({excinfo.typename})"

    @pytest.hookimpl
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session

    def end(self) -> None:
        """Leave word of the end, and let go of the lock; a disk that takes no word has cut the run off itself."""
        if self._run is None or self._lock is None:
            return
        status = int(pytest.ExitCode.INTERNAL_ERROR if self._session is None else self._session.exitstatus)
        cut_off = self._cut_off or noted_cut_off(self._run)
        if cut_off is None and status in _CRASHED:
            cut_off = "pytest crashed"
        with suppress(OSError):
            mark_end(self._run, Ending(status, time.time(), cut_off))
            self._lock.release()
            if cut_off is None:
                clear_up(self._run)
