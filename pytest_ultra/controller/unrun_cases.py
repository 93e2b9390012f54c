"""Planned cases that nobody ran although the tests went to their end: the run is interrupted, whatever the reason."""

from __future__ import annotations

from collections.abc import Generator, Iterable

import pytest

from pytest_ultra.collection.items import NOT_STARTED
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import note_interruption, read_interruption


class UnrunCases:
    """Hook implementations of the first process; `reason` says why the run is interrupted, if cases were not run.

    It is kept in memory too: when a process could not start its episodes, perhaps none has a file left to write with.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self._run: RunDirectory | None = None
        self._planned: frozenset[str] = frozenset()
        self._reported: set[str] = set()
        self._is_complete = False

    def expect(self, run: RunDirectory, nodeids: Iterable[str]) -> None:
        """Take the node ids of a run's planned cases."""
        self._run = run
        self._planned = frozenset(nodeids)

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._reported.add(report.nodeid)
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
        unrun = self._planned - self._reported
        if unrun and self._is_complete and self.reason is None:
            self.reason = f"{len(unrun)} of its {len(self._planned)} tests were not run"
        if self._run is not None and self.reason is not None and read_interruption(self._run) is None:
            note_interruption(self._run, self.reason)
