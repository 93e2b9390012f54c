"""Hook implementations that make items. They are the same in every process of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest

from pytest_ultra.collection.builtin_suite import SUITE_PATH, BuiltinSuite
from pytest_ultra.collection.items import lift_time_limits, parametrize
from pytest_ultra.collection.planned_cases import plan_cases
from pytest_ultra.collection.redaction_hooks import RedactionHooks
from pytest_ultra.core.case import Case
from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.endpoint_lookup import find_redactor


def register_collection(config: pytest.Config, settings: Settings) -> Mapping[str, Case]:
    """Register the hooks that every process of a run needs; return the planned cases by their ids."""
    cases = plan_cases(settings)
    config.pluginmanager.register(CollectionHooks(config, cases), "ultra-collection")
    config.pluginmanager.register(RedactionHooks(find_redactor(settings)), "ultra-redaction")
    return cases


class CollectionHooks:
    """Parametrizes tests that use `ultra_episode`, and adds the built-in suite."""

    def __init__(self, config: pytest.Config, cases: Mapping[str, Case]) -> None:
        self._cases = cases
        self._suite = BuiltinSuite(config, cases.keys())

    @pytest.hookimpl
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        parametrize(metafunc, self._cases)

    @pytest.hookimpl
    def pytest_ignore_collect(self, collection_path: Path) -> Literal[True] | None:
        """Prevent pytest from collecting the suite a second time by its path."""
        return True if collection_path == SUITE_PATH else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        self._suite.add_to(session, items)
        if session.config.pluginmanager.hasplugin("timeout"):
            lift_time_limits(items)
