"""Fixtures for the project's own tests."""

from __future__ import annotations

import os
import signal

import pytest
import scipy.special  # noqa: F401 - pytester drops modules that an in-process run imports, and extensions load only once
import sqlalchemy.dialects.sqlite  # noqa: F401 - as above

pytest_plugins = ["pytester"]

_OUTSIDE = ("PYTEST_XDIST_", "PYTEST_ADDOPTS", "GITHUB_", "OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts us in the background ignores Ctrl-C for us; some tests send it to themselves or to a child.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the outer run, CI and the developer's API keys from runs within tests."""
    for name in list(os.environ):
        if name.startswith(_OUTSIDE) or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
