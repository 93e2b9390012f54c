"""Hook implementations that keep secrets, and what models and endpoints say to terminals, out of pytest's reports."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import TypeVar

import pytest

from pytest_ultra.collection.episode_failures import episode_failure_of
from pytest_ultra.collection.items import uses_episode
from pytest_ultra.providers.redaction import Redactor
from pytest_ultra.reporting.text import neutralise_lines

_COLOUR = re.compile(r"(\x1b\[[\d;]*m)")
_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)


class RedactionHooks:
    """Redacts reports in every process: a traceback may show variables, and captured output may hold anything."""

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """In the report of a test that takes an episode, a model's text may stand anywhere: neutralise all of it."""
        report = self._clear((yield))
        report.user_properties = [(name, self._plain(value)) for name, value in report.user_properties]
        if uses_episode(item):
            _change_failure(report, neutralise_lines)
            report.sections = [(name, _neutralise_output(content)) for name, content in report.sections]
        return report

    def _plain(self, value: object) -> object:
        """Return plain text for a text, an enumeration's included: xdist sends no other."""
        return self._redact(str(value)) if isinstance(value, str) else value

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        return self._clear((yield))

    def _clear(self, report: _Report) -> _Report:
        _change_failure(report, self._redact.redact_shortened)
        report.sections = [(name, self._redact(content)) for name, content in report.sections]
        return report


def _change_failure(report: _Report, change: Callable[[str], str]) -> None:
    """Replace a traceback that `change` changes by the changed plain text; keep any other as it is."""
    if episode_failure_of(report) is not None:  # its text is changed when it is read
        return
    if isinstance(report.longrepr, tuple):  # the place and the reason of a skip
        path, line, reason = report.longrepr
        report.longrepr = (path, line, change(reason))
        return
    shown = str(report.longrepr or "")
    changed = change(shown)
    if changed != shown:
        report.longrepr = changed


def _neutralise_output(text: str) -> str:
    """Neutralise captured output; the colours of logs and tests are kept."""
    parts = _COLOUR.split(text)
    parts[::2] = map(neutralise_lines, parts[::2])
    return "".join(parts)
