"""Imports what the end of a run needs while the run waits for its episodes."""

from __future__ import annotations

import pytest

from pytest_ultra.collection.time_limits import TimeLimits
from pytest_ultra.engine.main_thread_imports import import_all

_MODULES = ("numpy", "pytest_ultra.storage.store.store_sync", "jinja2")


class WarmUp:
    """Hook implementations of the first process."""

    def __init__(self, limits: TimeLimits) -> None:
        self._limits = limits
        self._is_done = False

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Import after the first episode: by then the others are in flight, and only their tests would wait."""
        if not self._is_done and any(name == "ultra_case_id" for name, _ in report.user_properties):
            self._is_done = True
            with self._limits.lifted():
                import_all(_MODULES)
