"""What the project's files say of single models: their endpoints, parameters and headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ultra.errors import ConfigurationError

if TYPE_CHECKING:  # an unused plugin must not import what this needs
    from pytest_ultra.options.config_file import ConfigFile
    from pytest_ultra.providers.served_endpoints import ModelTable


def read_model_tables(config: pytest.Config, read: Mapping[str, Any], file: ConfigFile | None) -> dict[str, Any]:
    """Return the settings `served`, `request` and `header`, each by model; `read` has the options' own values.

    Raises `pytest.UsageError` for a bad table.
    """
    tables = {**_read_tables(config), **_read_models(file)}
    return {
        "served": {model: table.endpoints for model, table in tables.items() if table.endpoints},
        "request": _by_model(config, read, "request", {model: table.request for model, table in tables.items()}),
        "header": _by_model(config, read, "header", {model: table.headers for model, table in tables.items()}),
    }


def _read_tables(config: pytest.Config) -> Mapping[str, ModelTable]:
    from pytest_ultra.providers.served_endpoints import read_tables  # noqa: PLC0415 - an unused plugin must not import what it needs

    try:
        return read_tables(config.rootpath / "pyproject.toml")
    except ConfigurationError as error:
        raise pytest.UsageError(str(error)) from None


def _read_models(file: ConfigFile | None) -> Mapping[str, ModelTable]:
    if file is None or not file.models:
        return {}
    from pytest_ultra.providers.served_endpoints import parse_tables  # noqa: PLC0415 - few runs need it

    try:
        return parse_tables({"models": file.models}, ("models",))
    except ConfigurationError as error:
        raise pytest.UsageError(f"{file.place('models')}: {error}") from None


def _by_model(
    config: pytest.Config, read: Mapping[str, Any], name: str, own: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return the values for each model: the ini file's, the model's own in their place, the command line's in both."""
    common = read[name] or {}
    is_given = bool(config.getoption(f"ultra_{name}"))
    called = dict.fromkeys([*read["model"], *(agent.model for agent in read["agent"] if agent.model)])
    both = {m: [own.get(m, {}), common] if is_given else [common, own.get(m, {})] for m in called}
    return {model: {**first, **second} for model, (first, second) in both.items() if first or second}
