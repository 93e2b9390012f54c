"""What the plugin's hooks do with options: they register them, and read them if a run is asked for.

An unused plugin imports no more than this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_ultra.options.given_options import is_option_given
from pytest_ultra.options.option_reading import read_file
from pytest_ultra.options.option_table import OPTIONS

if TYPE_CHECKING:  # an unused plugin must not import what this needs
    from pytest_ultra.options.settings import Settings

REQUIRE = "require"
"""The name of the option that has an effect without a model."""
TESTED = ("ultra_model", "ultra_agent", "ultra_agent_command")
"""The options of which a run needs one."""
OPTIONS_OF_OWN_TESTS = ("mcp", "seed", "fault_kind", "tool_success_rate", "cassette", "cassette_dir")
"""What tests with faults on their own tools read, also without a model."""
_CASE = "pytest_ultra/suite/test_workflows.py::test_workflow["
"""What the node id of each case of the built-in suite holds, as IDEs write it too."""


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("ultra", "pytest-ultra: how well LLM agents work when plans are flawed and tools fail")
    for option in OPTIONS:
        how: dict[str, Any] = {"action": "append", "metavar": option.metavar}
        if option.is_switch:
            how = {"action": "append_const", "const": "on"}
        group.addoption(option.flag, dest=option.key, default=None, help=option.full_help, **how)
        parser.addini(option.key, option.full_help, default="")


def read_settings(config: pytest.Config) -> Settings | None:
    """Return the settings, or None if no model or agent is named. Raises `pytest.UsageError` for a bad value."""
    file = read_file(config)
    if not any(is_option_given(config, key.removeprefix("ultra_")) for key in TESTED):
        _check_unused(config)
        return None
    from pytest_ultra.options.settings_reading import join_settings  # noqa: PLC0415 - heavy if unused

    return join_settings(config, file)


def _check_unused(config: pytest.Config) -> None:
    """Raise `pytest.UsageError` if something was typed that has no effect without a model; ini files may hold any."""
    for argument in map(str, config.invocation_params.args):
        if _CASE in argument.replace("\\", "/"):
            raise pytest.UsageError(
                f"not found: {argument}: no model is named, so there are no cases; add the --ultra options of this "
                "case, or by -c the ini file that has them"
            )
    typed = [str(argument).partition("=")[0] for argument in config.invocation_params.args]
    for option in OPTIONS:
        if option.flag in typed and option.name not in (REQUIRE, *OPTIONS_OF_OWN_TESTS):
            raise pytest.UsageError(
                f"{option.flag}: no model is named; add --ultra-model NAME (demo needs no key), or --ultra-agent "
                "MODULE:ATTR"
            )
