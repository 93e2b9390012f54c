"""Fixtures for the project's own tests."""

from __future__ import annotations

import os
import signal
from importlib import import_module
from pkgutil import walk_packages

import pytest

import pytest_ultra

pytest_plugins = ["pytester"]

_WITHOUT_OTHER_PLUGINS = (
    "-p no:html -p no:metadata -p no:reportlog -p no:hypothesispytest -p no:timeout -p no:rerunfailures -p no:anyio"
)
"""Disables plugins that only a few tests need: loading them takes a third of a second in each process of a run."""

_OUTSIDE = ("PYTEST_XDIST_", "PYTEST_ADDOPTS", "GITHUB_", "OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts us in the background ignores Ctrl-C for us; some tests send it to themselves or to a child.
    signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
"""NumPy would start threads in each process of each run, which takes a tenth of a short run's time."""


@pytest.fixture(scope="session")
def _imported_package() -> None:
    """Import the package and all that it needs.

    Pytester drops modules that an in-process run imports. The next run would import them again, which takes longer than
    the run itself, and extensions such as NumPy's load only once.
    """
    import_module("sqlalchemy.dialects.sqlite")
    import_module("numpy")
    for module in walk_packages(pytest_ultra.__path__, "pytest_ultra."):
        if not module.name.endswith("__main__") and not module.name.startswith("pytest_ultra.suite"):
            import_module(module.name)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the outer run, CI and the developer's API keys from runs within tests; let these keep compiled modules."""
    for name in list(os.environ):
        if name.startswith(_OUTSIDE) or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)


@pytest.fixture
def pytester(_imported_package: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Run pytest without plugins that few tests need; `-p` loads one of them all the same."""
    monkeypatch.setenv("PYTEST_ADDOPTS", _WITHOUT_OTHER_PLUGINS)
    return pytester
