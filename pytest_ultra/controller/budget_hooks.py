"""The end of a budget: reads what was spent, notes an interruption, and prints the line."""

from __future__ import annotations

from typing import Protocol

import pytest

from pytest_ultra.controller.output_failures import OutputFailures
from pytest_ultra.controller.wrapped_lines import write_wrapped
from pytest_ultra.core.figures import Summary
from pytest_ultra.engine.budget import Spent, find_limit
from pytest_ultra.engine.run_budget import open_run_budget
from pytest_ultra.options.requested_limits import budget_limits, joint_store
from pytest_ultra.options.settings import Settings
from pytest_ultra.reporting.budget_lines import budget_line
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import note_interruption


class _Run(Protocol):
    @property
    def started(self) -> RunDirectory | None: ...

    @property
    def summary(self) -> Summary: ...


class BudgetHooks:
    """Hook implementations of the first process."""

    def __init__(self, settings: Settings, run: _Run) -> None:
        self._limits = budget_limits(settings)
        self._notes: list[str] = []
        self._store = joint_store(settings, self._notes.append)
        self._run = run
        self._spent = Spent()
        self._failures = OutputFailures()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Read what was spent. A run that stopped because its budget was spent is interrupted."""
        run = self._run.started
        if run is None:
            return
        with self._failures.caught("what was spent cannot be read"):
            budget = open_run_budget(run.budget, self._limits, self._store, run.stored_id)
            self._spent = budget.spent
            budget.close()
        if self._spent.has_refused:
            note_interruption(run, find_limit(self._spent, self._limits) or "the budget is spent")

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Come after the table."""
        if self._run.started is None:
            return
        estimated = 0
        with self._failures.caught("what was spent may rest on estimates"):
            estimated = self._run.summary.estimated_requests
        self._failures.print(terminalreporter)
        for note in self._notes:
            write_wrapped(terminalreporter, note, yellow=True)
        spent = self._spent
        limit = find_limit(spent, self._limits) if spent.has_refused else None
        line = budget_line(spent.requests, spent.tokens, spent.cost, limit=limit, estimated_requests=estimated)
        write_wrapped(terminalreporter, line, yellow=self._spent.has_refused)
