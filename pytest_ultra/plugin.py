"""The pytest plugin: nothing but options, a marker and fixtures until a model is named."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pytest_ultra import hookspecs
from pytest_ultra.fixtures import ultra_episode, ultra_shard
from pytest_ultra.options.settings import SETTINGS, add_options, read_settings

__all__ = ["ultra_episode", "ultra_shard"]

MARKER = (
    "ultra(model, prompt_type, task_type, difficulty, severity, prompt_variant, tool_protocol, tool_discovery, flaws, "
    "tool_success_rate, instance, repeat): "
    "the case that a test takes, set by pytest-ultra; select by -m, as in -m \"ultra(prompt_type='optimal')\"."
)

CHOSEN_DIST = pytest.StashKey[str | None]()
"""The user's own `--dist`, None if there is none."""


@pytest.hookimpl
def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


@pytest.hookimpl
def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Note the user's `--dist` before xdist, seeing `-n`, sets its own."""
    chosen = "load" if config.getoption("distload", default=False) else config.getoption("dist", "no")
    config.stash[CHOSEN_DIST] = None if chosen == "no" else chosen
    if config.getoption("ultra_plan") or config.getini("ultra_plan"):
        from pytest_ultra.distribution.without_workers import be_alone  # noqa: PLC0415 - nobody else needs it

        be_alone(config)
    return (yield)


@pytest.hookimpl
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    settings = read_settings(config)
    if settings is not None:
        from pytest_ultra.controller.session import begin  # noqa: PLC0415 - all that is heavy waits for a model to be named

        config.stash[SETTINGS] = settings
        begin(config, settings, chosen_dist=config.stash.get(CHOSEN_DIST, None))
