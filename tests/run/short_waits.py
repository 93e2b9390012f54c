"""Short waits before failed requests are sent again; `tests/engine` proves how long they usually are."""

from __future__ import annotations

from functools import partial

import pytest

from pytest_ultra.engine.backoff import RetryPolicy
from pytest_ultra.worker import engine_factory

BASE_S = 0.05


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits of runs in this process: those without workers."""
    monkeypatch.setattr(engine_factory, "RetryPolicy", partial(RetryPolicy, backoff_base_s=BASE_S))
