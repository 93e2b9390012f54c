"""The HTTP client is imported before the fixtures of a test can patch it."""

from __future__ import annotations

import pytest

from pytest_ultra.collection.items import case_of
from pytest_ultra.options.settings import Settings


class EarlyImport:
    """Hook implementation of a process that runs episodes: imports the client before its first test.

    Fixtures such as those of aioresponses and pytest-recording replace aiohttp's requests, often for all tests, and are
    set up before `ultra_episode`. The client keeps what it found when it was imported.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._settings = settings

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._config.pluginmanager.unregister(self)
        if any(case_of(each) is not None for each in item.session.items):
            from pytest_ultra.worker.client_stack import import_http_client  # noqa: PLC0415 - heavy, and only used here

            import_http_client(self._config, self._settings)
