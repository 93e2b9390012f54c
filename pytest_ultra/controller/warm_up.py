"""Imports what the end of a run needs, and compiles the report's templates, while the run waits for its episodes."""

from __future__ import annotations

from contextlib import suppress

import pytest

from pytest_ultra.collection.time_limits import TimeLimits
from pytest_ultra.engine.main_thread_imports import import_all

_MODULES = (
    "numpy",
    "jinja2",
    "jsonschema_rs",
    "rich.table",
    "pytest_ultra.analysis.summary",
    "pytest_ultra.benchmark.benchmark_suite",
    "pytest_ultra.controller.end_of_run",
    "pytest_ultra.controller.report_contents",
    "pytest_ultra.reporting.failure_list",
    "pytest_ultra.reporting.notices",
    "pytest_ultra.storage.store.store_sync",
)


class WarmUp:
    """Hook implementations of the first process."""

    def __init__(self, limits: TimeLimits) -> None:
        self._limits = limits
        self._is_done = False

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Do so after the first episode: by then the others are in flight, and only their tests would wait."""
        if not self._is_done and any(name == "ultra_case_id" for name, _ in report.user_properties):
            self._is_done = True
            with self._limits.lifted():
                import_all(_MODULES)
                _compile_templates()


def _compile_templates() -> None:
    from pytest_ultra.reporting.html.html_page import compile_templates  # noqa: PLC0415 - after the first episode

    with suppress(Exception):  # the code that writes the report says what is wrong
        compile_templates()
