"""Puts a run into the store at its end, and the killed runs that are not there yet."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import Protocol

import pytest

from pytest_ultra.controller.wrapped_lines import write_wrapped
from pytest_ultra.core.episode import Episode
from pytest_ultra.errors import UltraError
from pytest_ultra.options.settings import Settings
from pytest_ultra.storage.journal import has_journals
from pytest_ultra.storage.run_directory import RunDirectory

OTHER_RUNS_S = 1.0
"""Time for runs that are missing in the store; the next run or command adds those that are left."""


class _Run(Protocol):
    @property
    def started(self) -> RunDirectory | None: ...

    @property
    def episodes(self) -> Sequence[Episode]: ...

    def read_episode(self, episode: Episode) -> Episode: ...


class StoreHooks:
    """Hook implementations of the first process. A broken store does not fail the run."""

    def __init__(self, settings: Settings, run: _Run) -> None:
        self._settings = settings
        self._run = run
        self._stored: RunDirectory | None = None
        self._problem: str | None = None

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Store the run when all journals are closed."""
        result = yield
        run = self._run.started
        if run is not None:
            try:
                if has_journals(run):
                    self._store(run)
            except UltraError as error:
                self._problem = str(error)
            except Exception as error:  # noqa: BLE001 - no problem of the store may change the result of the run
                reason = f"{type(error).__name__}: {error}"
                self._problem = (
                    f"the run could not be put into the store ({reason}); `pytest-ultra store sync` tries again"
                )
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Come after the table."""
        if self._problem is not None:
            write_wrapped(terminalreporter, self._problem, yellow=True)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Store how the run ended, which is written just before."""
        if self._stored is not None:
            from pytest_ultra.storage.store.database import Database, store_path  # noqa: PLC0415 - for a run's end only
            from pytest_ultra.storage.store.store_sync import store_run_end  # noqa: PLC0415 - only the end of a run needs it

            with suppress(Exception):  # the next process that fills the store notes it
                store_run_end(Database.open(store_path(self._settings.dir)), self._stored)

    def _store(self, run: RunDirectory) -> None:
        from pytest_ultra.storage.store.database import Database, store_path  # noqa: PLC0415 - for a run's end only
        from pytest_ultra.storage.store.store_sync import store_run, sync  # noqa: PLC0415 - only the end of a run needs it

        database = Database.open(store_path(self._settings.dir))
        store_run(database, run, map(self._run.read_episode, self._run.episodes))
        self._stored = run
        sync(database, self._settings.dir, own=run, timeout_s=OTHER_RUNS_S)
