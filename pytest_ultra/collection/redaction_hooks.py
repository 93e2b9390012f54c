"""Hook implementations that keep secrets out of pytest's reports."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

import pytest

from pytest_ultra.providers.redaction import Redactor

_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)


class RedactionHooks:
    """Redacts reports in every process: a traceback may show variables, and captured output may hold anything."""

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        return self._clear((yield))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        return self._clear((yield))

    def _clear(self, report: _Report) -> _Report:
        """Replace a traceback that holds a secret by its redacted plain text; keep any other as it is."""
        shown = str(report.longrepr or "")
        redacted = self._redact.redact_shortened(shown)
        if redacted != shown:
            report.longrepr = redacted
        report.sections = [(name, self._redact(content)) for name, content in report.sections]
        return report
