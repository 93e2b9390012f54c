"""Keeps the memory of xdist's controller small: what the reports of its tests have in common is held once."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest


class SharedReports:
    """Hook implementations of xdist's controller.

    pytest keeps three reports of each test to the end, and each comes from a worker with texts of its own: 20 KB a
    case. Most of these texts are the same for many cases, and almost all for the three reports of one.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._properties: dict[tuple[str, str], tuple[str, str]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_report_from_serializable(self) -> Generator[None, Any, Any]:
        report = yield
        if isinstance(report, pytest.TestReport):
            report.nodeid = self._share(report.nodeid)
            report.location = (*map(self._share_any, report.location),)
            report.keywords = {self._share(name): value for name, value in report.keywords.items()}
            report.user_properties = list(map(self._share_property, report.user_properties))
        return report

    def _share(self, text: str) -> str:
        return self._texts.setdefault(text, text)

    def _share_any(self, value: Any) -> Any:
        return self._share(value) if isinstance(value, str) else value

    def _share_property(self, entry: Any) -> Any:
        match entry:
            case (str(name), str(value)) if isinstance(entry, tuple):
                named = self._share(name), self._share(value)
                return self._properties.setdefault(named, named)
            case _:  # a number is small; anything else is another plugin's own
                return entry
