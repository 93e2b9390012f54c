"""The time limit that pytest-timeout sets for a test: it does not count the wait for an episode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest

from pytest_ultra.collection.builtin_suite import SuiteFunction

_PLUGINS = ("timeout", "pytest_timeout")  # the second if `-p` loads it, as without autoloading


class TimeLimits:
    """Hook implementations of a process that runs tests: they note pytest-timeout's timer, and can stop it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._timer: dict[str, Any] | None = None

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_set_timer(self, item: pytest.Item, settings: Any) -> Literal[True] | None:
        """Return True for a test of the built-in suite, which only waits: then pytest-timeout sets no timer."""
        if isinstance(item, SuiteFunction):
            return True
        self._timer = {"item": item, "settings": settings}
        return None

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_cancel_timer(self) -> None:
        self._timer = None

    @pytest.hookimpl
    def pytest_report_header(self) -> list[str]:
        if not _has_general_limit(self._config):
            return []
        return ["ultra: pytest-timeout's limit does not count the wait for an episode (its limit: --ultra-timeout)"]

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Stop the timer of the test that is running, if there is one; after the block, it starts again."""
        timer, hook = self._timer, self._config.hook
        if timer is None:
            yield
            return
        hook.pytest_timeout_cancel_timer(item=timer["item"])
        try:
            yield
        finally:
            hook.pytest_timeout_set_timer(**timer)


TIME_LIMITS = pytest.StashKey[TimeLimits]()


def register_time_limits(config: pytest.Config) -> None:
    config.stash[TIME_LIMITS] = limits = TimeLimits(config)
    config.pluginmanager.register(limits, "ultra-time-limits")


def _has_general_limit(config: pytest.Config) -> bool:
    if not any(map(config.pluginmanager.hasplugin, _PLUGINS)):
        return False
    return bool(config.getoption("timeout", default=None) or config.getini("timeout"))
