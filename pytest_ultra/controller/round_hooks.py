"""The end of a run with `--ultra-until`: cases of rounds that were not needed are no part of it."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Protocol

import pytest

from pytest_ultra.core.case import Case
from pytest_ultra.core.rounds import NOT_NEEDED
from pytest_ultra.storage.reuse import read_plan, write_plan
from pytest_ultra.storage.round_files import RoundDecision, RoundFiles
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import read_interruption


class _Run(Protocol):
    @property
    def started(self) -> RunDirectory | None: ...
    @property
    def planned_cases(self) -> int: ...


class RoundHooks:
    """Hook implementations of the first process. `rounds` has the round of each case by its id in node ids."""

    def __init__(self, run: _Run, cases: Mapping[str, Case], rounds: Mapping[str, int]) -> None:
        self._run = run
        self._rounds = {cases[name].case_id: number for name, number in rounds.items()}

    def keep_needed(self, planned: Sequence[tuple[Case, str]]) -> list[tuple[Case, str]]:
        """Return the cases of the rounds that were run. Use it only when all workers have ended."""
        end = self._end
        return [one for one in planned if end is None or self._rounds[one[0].case_id] < end.number]

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Count cases that are not needed apart from those that were skipped, and print nothing for them."""
        if report.skipped and isinstance(report.longrepr, tuple) and NOT_NEEDED in str(report.longrepr[2]):
            return "not needed", "", "NOT NEEDED"
        return None

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Take the cases that were not needed out of the stored plan, once all workers have ended."""
        result = yield
        run = self._run.started
        plan = None if run is None or self._end is None else read_plan(run)
        if run is not None and plan is not None:
            with suppress(OSError):
                write_plan(run, plan.keep(case.case_id for case, _ in self.keep_needed(plan.planned)))
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._run.started is None or not self._run.planned_cases:
            return
        if self._end is not None:
            terminalreporter.write_line(f"stopped early: {self._end.reason.removeprefix(NOT_NEEDED)}")
        elif read_interruption(self._run.started) is None:
            terminalreporter.write_line(
                "--ultra-until was not reached with all instances; --ultra-instances N allows more", yellow=True
            )

    @cached_property
    def _end(self) -> RoundDecision | None:
        run = self._run.started
        return None if run is None else RoundFiles(run).find_end(max(self._rounds.values(), default=0) + 1)
