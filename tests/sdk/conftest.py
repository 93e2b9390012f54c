"""These tests need the providers' SDKs, which `tox -e sdk` and `.ci/run` install; there, a missing one is a failure."""

from __future__ import annotations

import os
from importlib.util import find_spec

import pytest

from tests.run.conftest import project, start_server

__all__ = ["project", "start_server"]

SDKS = ("anthropic", "openai", "google.genai", "mistralai")


@pytest.fixture(autouse=True)
def sdks() -> None:
    """Skip the tests where an SDK is missing, unless they must run."""
    missing = [name for name in SDKS if not _is_installed(name)]
    if missing and not os.environ.get("ULTRA_TEST_SDKS"):
        pytest.skip(f"not installed: {', '.join(missing)} (run tox -e sdk)")
    assert not missing, "ULTRA_TEST_SDKS is set, so these tests must run"


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
