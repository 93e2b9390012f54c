"""Keeps small what xdist's processes remember of the reports of cases: pytest keeps three a test, to the end."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest


class SharedReports:
    """Hook implementations of xdist's controller.

    Each report comes from a worker with texts of its own: 10 KB a case. Most of these texts are the same for many
    cases, and almost all for the three reports of one; they are held once.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._properties: dict[tuple[str, str], tuple[str, str]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_report_from_serializable(self) -> Generator[None, Any, Any]:
        report = yield
        if isinstance(report, pytest.TestReport):
            report.nodeid = self._share(report.nodeid)
            path, line, name = report.location
            report.location = self._share(path), line, self._share(name)
            report.keywords = {self._share(name): value for name, value in report.keywords.items()}
            report.user_properties = list(map(self._share_property, report.user_properties))
        return report

    def _share(self, text: str) -> str:
        return self._texts.setdefault(text, text)

    def _share_property(self, entry: Any) -> Any:
        match entry:
            case (str(name), str(value)) if isinstance(entry, tuple):
                named = self._share(name), self._share(value)
                return self._properties.setdefault(named, named)
            case _:  # a number is small; anything else is another plugin's own
                return entry


class SentReports:
    """Hook implementations of a worker: its own terminal, which nobody sees, forgets the reports of cases.

    Otherwise it would also make the texts of all failures at its end.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Come after pytest's terminal, which has put the report at the end of one of its lists."""
        terminal: pytest.TerminalReporter | None = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None or not any(name == "ultra_case_id" for name, _ in report.user_properties):
            return
        for reports in terminal.stats.values():
            if reports and reports[-1] is report:
                reports.pop()
