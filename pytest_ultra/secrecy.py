"""What no file and no report may hold: the secrets that a run's settings and environment know."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from typing import Any, TypeVar

import msgspec
import pytest

from pytest_ultra.models.providers import PROVIDERS
from pytest_ultra.models.redaction import Redact, Redactor, find_secrets
from pytest_ultra.options.settings import Settings
from pytest_ultra.storage.codec import encode

_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)


def redactor_of(settings: Settings) -> Redactor:
    """Return what blots out every key that some provider's variable or endpoint names, and what URLs hold of them."""
    served = [one for endpoints in settings.served.values() for one in endpoints]
    variables = [name for provider in PROVIDERS.values() for name in provider.key_variables]
    bases = [os.environ.get(provider.url_variable, "") for provider in PROVIDERS.values()]
    return Redactor(
        find_secrets(
            os.environ,
            (*variables, *(one.key_env for one in served)),
            (settings.base_url or "", *bases, *(one.base_url for one in served)),
        )
    )


def redacted(record: Mapping[str, Any], redact: Redact) -> dict[str, Any]:
    """Return a record that is to be kept, without secrets."""
    return msgspec.json.decode(redact(encode(record).decode()), type=dict[str, Any])


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
