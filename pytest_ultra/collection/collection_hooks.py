"""Hook implementations that make items. They are the same in every process of a run."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from pytest_ultra.collection.builtin_suite import SUITE_PATH, BuiltinSuite
from pytest_ultra.collection.episode_failures import EpisodeFailureHooks
from pytest_ultra.collection.items import parametrize
from pytest_ultra.collection.job_shards import take_shard
from pytest_ultra.collection.other_plugins import refuse_options
from pytest_ultra.collection.planned_cases import plan_cases
from pytest_ultra.collection.redaction_hooks import RedactionHooks
from pytest_ultra.collection.run_agents import NamedAgents
from pytest_ultra.collection.run_suite import open_suite
from pytest_ultra.collection.time_limits import register_time_limits
from pytest_ultra.core.case import Case
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.settings import Settings
from pytest_ultra.options.suite_option import SUITE_FILE
from pytest_ultra.providers.endpoint_lookup import find_redactor

if TYPE_CHECKING:  # few runs have a suite of their own
    from pytest_ultra.custom.custom_suite import CustomSuite


def register_collection(config: pytest.Config, settings: Settings) -> Mapping[str, Case]:
    """Register the hooks that every process of a run needs; return the planned cases of its shard by their ids."""
    refuse_options(config)
    own = open_suite(config)
    cases = take_shard(config, settings, plan_cases(settings) if own is None else _plan_suite(config, settings, own))
    config.pluginmanager.register(CollectionHooks(config, cases), "ultra-collection")
    if settings.agent and not settings.plan:
        config.pluginmanager.register(NamedAgents(settings.agent), "ultra-named-agents")
    redact = find_redactor(settings)
    config.pluginmanager.register(RedactionHooks(redact), "ultra-redaction")
    config.pluginmanager.register(EpisodeFailureHooks(redact), "ultra-episode-failures")
    register_time_limits(config)
    return cases


def _plan_suite(config: pytest.Config, settings: Settings, own: CustomSuite) -> Mapping[str, Case]:
    from pytest_ultra.collection.suite_cases import plan_own_cases  # noqa: PLC0415 - few runs have their own suite

    try:
        planned = plan_own_cases(settings, own)
    except ConfigurationError as error:
        is_placed = str(settings.suite).endswith(SUITE_FILE)  # its errors name the file and the line
        raise pytest.UsageError(
            f"--ultra-suite: {error}" if is_placed else f"--ultra-suite: {settings.suite}: {error}"
        ) from None
    except Exception as error:  # noqa: BLE001 - worlds, tools and flaws of the user may raise anything
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise pytest.UsageError(
            f"--ultra-suite: {settings.suite}: {type(error).__name__}: {error} ({place.filename}:{place.lineno})"
        ) from None
    config.pluginmanager.register(SuiteHeader(settings.suite or "", planned.unavailable), "ultra-suite-header")
    return planned.cases


class SuiteHeader:
    """Says in the header of a run which plans the tasks of the user's own suite cannot have."""

    def __init__(self, suite: str, unavailable: Sequence[str]) -> None:
        self._suite = suite
        self._unavailable = unavailable

    @pytest.hookimpl
    def pytest_report_header(self) -> list[str]:
        return [f"ultra: suite {self._suite}", *(f"ultra: not available for {each}" for each in self._unavailable)]


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
