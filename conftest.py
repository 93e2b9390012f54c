"""Fixtures for the project's own tests."""

from __future__ import annotations

import os
import signal

import pytest
import scipy.special  # noqa: F401 - pytester forgets what a run in this process imports, and extensions come but once
import sqlalchemy.dialects.sqlite  # noqa: F401 - likewise

pytest_plugins = ["pytester"]

_OUTSIDE = ("PYTEST_XDIST_", "PYTEST_ADDOPTS", "GITHUB_", "OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background by a shell, which lets Ctrl-C pass by; some tests send it to themselves or to a child.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _environment_of_a_newcomer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide from runs within tests that they are within one, and whatever keys the developer has."""
    for name in list(os.environ):
        if name.startswith(_OUTSIDE) or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
