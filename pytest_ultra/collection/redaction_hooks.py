"""What no file and no report may hold: the secrets that a run's settings and environment know."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.endpoint_lookup import KEY_VARIABLES, PROVIDERS
from pytest_ultra.providers.redaction import Redactor, find_secrets

_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)


def redactor_of(settings: Settings) -> Redactor:
    """Return what blots out every key that some provider's variable or endpoint names, and what URLs hold of them."""
    served = [one for endpoints in settings.served.values() for one in endpoints]
    bases = [os.environ.get(provider.url_variable, "") for provider in PROVIDERS.values()]
    return Redactor(
        find_secrets(
            os.environ,
            (*KEY_VARIABLES, *(one.key_env for one in served)),
            (settings.base_url or "", *bases, *(one.base_url for one in served)),
        )
    )


class SecrecyHooks:
    """Hook implementations of every process: a traceback may show variables, and what was captured anything."""

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        return self._cleared((yield))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        return self._cleared((yield))

    def _cleared(self, report: _Report) -> _Report:
        """Keep a report as it is, unless it holds a secret; then what it shows becomes plain text."""
        shown = str(report.longrepr or "")
        redacted = self._redact.clear(shown)
        if redacted != shown:
            report.longrepr = redacted
        report.sections = [(name, self._redact(content)) for name, content in report.sections]
        return report
