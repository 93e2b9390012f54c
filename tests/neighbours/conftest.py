"""These tests run beside the commonest plugins, which `tox -e neighbours` installs. Without them, there are none."""

from __future__ import annotations

import os

import pytest

from tests.run.conftest import project, xdist_on_off

__all__ = ["project", "xdist_on_off"]

collect_ignore_glob = [] if os.environ.get("ULTRA_TEST_NEIGHBOURS") else ["test_*.py"]


@pytest.fixture(autouse=True)
def _with_all_plugins(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load all plugins in the runs of the tests; the tests themselves run without."""
    del pytester  # which leaves plugins out
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:tldr")
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
