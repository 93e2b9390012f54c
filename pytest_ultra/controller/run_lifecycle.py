"""The lifecycle of a run: a lock while it is running, and at its end a mark of whether it finished."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import suppress

import pytest
from filelock import FileLock

from pytest_ultra.controller.unrun_cases import UnrunCases
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import (
    RunEnd,
    lock_run,
    read_interruption,
    remove_resume_files,
    write_run_end,
)

_CRASHED = (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)
_REASONS = {"KeyboardInterrupt": "Ctrl-C", "Exit": "pytest.exit", "Interrupted": "a worker was interrupted"}
_TESTS_ENDED = ("Failed", "Interrupted")  # pytest's exceptions, and xdist's of the same name
_WORKER_INTERRUPTED = "received keyboard-interrupt"  # xdist's message about a worker in which pytest.exit was called
_LOST = "the end of the run was not recorded"


class RunLifecycle:
    """Hook implementations of the first process that prove that a run finished.

    A run finished if its tests ended and everything after them was written. Anything else is an interruption: a second
    Ctrl-C can end pytest at any point of its shutdown, without a further hook. `-x`, `--maxfail` and `--stepwise` end
    the tests for good; pytest raises the same exception for them as for an interrupted worker, with another message.
    """

    def __init__(self, unrun: UnrunCases) -> None:
        self._unrun = unrun
        self._run: RunDirectory | None = None
        self._lock: FileLock | None = None
        self._interruption: str | None = None
        self._session: pytest.Session | None = None
        self._have_tests_ended = False
        self._is_written = False
        self._started_at = 0.0
        self._failure: BaseException | None = None

    def start(self, run: RunDirectory) -> None:
        self._run = run
        self._lock = lock_run(run)
        self._started_at = time.time()

    @pytest.hookimpl(wrapper=True)
    def pytest_keyboard_interrupt(
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> Generator[None, object, object]:
        """Note the reason before other hooks stop paid work: they can block, and a second Ctrl-C can end them."""
        if not _ends_tests(excinfo.value):
            self._interruption = _REASONS.get(excinfo.typename, f"ended by {excinfo.typename}")
        return (yield)

    @pytest.hookimpl
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        try:
            result = yield
        except BaseException as error:
            self._have_tests_ended = _ends_tests(error)
            raise
        self._have_tests_ended = True
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Come after all other hooks of the session's end."""
        try:
            result = yield
        except BaseException as error:
            self._failure = error
            raise
        self._is_written = True
        return result

    def end(self) -> None:
        """Write how the run ended, and release the lock. Without this mark, it counts as interrupted."""
        if self._run is None or self._lock is None:
            return
        status = self._find_status()
        unproven = self._interruption or self._find_unproven_end(status)
        if unproven and unproven != _REASONS["Exit"] and status == pytest.ExitCode.OK:
            status = int(pytest.ExitCode.INTERRUPTED)  # a signal ended pytest before it had set a code
        interruption = self._interruption or read_interruption(self._run) or self._unrun.reason or unproven
        try:
            write_run_end(self._run, RunEnd(status, max(time.time(), self._started_at), interruption))
        except OSError as error:
            interruption = _LOST
            if self._run.path.is_dir():  # else its results are lost, which is reported with them
                self._fail(error)
        with suppress(OSError):
            self._lock.release()
            if interruption is None:
                remove_resume_files(self._run)

    def _fail(self, error: OSError) -> None:
        """Report that the end was not recorded, also by the exit code, which pytest takes from the session after this.

        pytest's terminal is closed already.
        """
        if self._session is not None and self._session.exitstatus == pytest.ExitCode.OK:
            self._session.exitstatus = pytest.ExitCode.TESTS_FAILED
        sys.stderr.write(f"ultra: {_LOST} ({(error.strerror or str(error)).lower()}): the next run resumes this run\n")

    def _find_status(self) -> int:
        """Return the exit code of the process: of a hook's exception, which ends it after this, or pytest's own."""
        if self._session is None:
            return int(pytest.ExitCode.INTERNAL_ERROR)
        if isinstance(self._failure, pytest.exit.Exception):
            return int(self._session.exitstatus if self._failure.returncode is None else self._failure.returncode)
        if isinstance(self._failure, KeyboardInterrupt):
            return int(pytest.ExitCode.INTERRUPTED)
        return int(self._session.exitstatus if self._failure is None else pytest.ExitCode.TESTS_FAILED)

    def _find_unproven_end(self, status: int) -> str | None:
        if status in _CRASHED:
            return "pytest crashed"
        return None if self._have_tests_ended and self._is_written else "ended before everything was written"


def _ends_tests(error: BaseException) -> bool:
    """Return whether pytest or xdist raised the exception to end the tests, as for `-x`."""
    return type(error).__name__ in _TESTS_ENDED and _WORKER_INTERRUPTED not in str(error)
