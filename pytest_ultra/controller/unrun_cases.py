"""Planned cases that nobody ran although the tests went to their end: the run is interrupted, whatever the reason."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import suppress

import pytest

from pytest_ultra.collection.items import NOT_STARTED
from pytest_ultra.errors import UltraError
from pytest_ultra.storage.episode_index import index_episodes
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import note_interruption, read_interruption


class UnrunCases:
    """Hook implementations of the first process; `reason` says why the run is interrupted, if cases were not run.

    It is kept in memory too: when a process could not start its episodes, perhaps none has a file left to write with.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self._run: RunDirectory | None = None
        self._planned: Mapping[str, str] = {}
        self._reported: set[str] = set()
        self._run_or_skipped: set[str] = set()
        self._is_complete = False

    def expect(self, run: RunDirectory, planned: Mapping[str, str]) -> None:
        """Take the planned cases' ids by the node ids of their tests."""
        self._run = run
        self._planned = planned

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test whose set-up failed is reported, but its case need not have been run."""
        self._reported.add(report.nodeid)
        if report.skipped or report.when not in ("setup", "teardown"):
            self._run_or_skipped.add(report.nodeid)
        not_started = next((value for name, value in report.user_properties if name == NOT_STARTED), None)
        if not_started is not None and self.reason is None:
            self.reason = f"the episodes could not start ({not_started})"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        result = yield
        self._is_complete = True
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Note the reason once all workers have ended, before other hooks read why the run is interrupted."""
        if self._is_complete and self.reason is None and (unrun := self._find_unrun()):
            self.reason = f"{len(unrun)} of its {len(self._planned)} tests were not run"
        if self._run is not None and self.reason is not None and read_interruption(self._run) is None:
            note_interruption(self._run, self.reason)

    def _find_unrun(self) -> set[str]:
        """Return the tests that nobody reported, or whose set-up failed before their case had an episode."""
        unrun = self._planned.keys() - self._run_or_skipped
        broken = unrun & self._reported
        if not broken or self._run is None:
            return unrun
        with suppress(UltraError, OSError):  # of what cannot be read, the end of the run says that it is lost
            found = {episode.case_id for episode in index_episodes(self._run)}
            return {nodeid for nodeid in unrun if nodeid not in broken or self._planned[nodeid] not in found}
        return unrun - broken
