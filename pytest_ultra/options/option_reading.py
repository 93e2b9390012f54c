"""Reads options from the command line, the file of `--ultra-config`, the ini file, presets and defaults."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.given_options import CONFIG_FILE
from pytest_ultra.options.option import Option
from pytest_ultra.options.option_table import OPTIONS
from pytest_ultra.options.presets import AXES, Preset

if TYPE_CHECKING:  # an unused plugin must not import what this needs
    from pathlib import Path

    from pytest_ultra.options.config_file import ConfigFile


def read_option(config: pytest.Config, name: str) -> Any:
    """Return the value of one option, also in a session without a model. Raises `pytest.UsageError`."""
    return read_value(config, _find_option(name))


def read_value(config: pytest.Config, option: Option, preset: Preset | None = None) -> Any:
    """Read an option from the command line, else the ini file, else the preset, else its default."""
    given, source = _find_given(config, option)
    if not given:
        default = AXES[preset].get(option.name, option.default) if preset else option.default
        given = [] if default is None else [default]
    if not given:
        return None
    from pytest_ultra.options.option_parsers import parse  # noqa: PLC0415 - an unused plugin must not import it

    try:
        return parse(option, given)
    except ValueError as error:
        raise pytest.UsageError(f"{source}: {error}") from None


def find_source(config: pytest.Config, name: str) -> str:
    """Return where the value of an option stands, for a message: its flag, a place in a file, or its ini key."""
    return _find_given(config, _find_option(name))[1]


def _find_option(name: str) -> Option:
    return next(option for option in OPTIONS if option.name == name)


def _find_given(config: pytest.Config, option: Option) -> tuple[list[str], str]:
    """Return the texts that the user gave for an option, and where; none if the user gave none."""
    if given := config.getoption(option.key):
        return given, option.flag
    file = config.stash.get(CONFIG_FILE, None)
    if file is not None and option.name in file.texts:
        return list(file.texts[option.name]), file.place(option.name)
    return config.getini(option.key).splitlines(), f"{option.key} (ini)"


def read_dir(config: pytest.Config) -> Path:
    """Return the folder of runs as it was given; a relative one begins at the folder where pytest was started."""
    folder: Path = read_option(config, "dir")
    return folder


def read_file(config: pytest.Config) -> ConfigFile | None:
    """Read the file of `--ultra-config`, if there is one; the ini file's is relative to the rootdir."""
    given, ini = config.getoption("ultra_config"), config.getini("ultra_config")
    if not given and not ini:
        return None
    from pytest_ultra.options.config_file import read_config_file  # noqa: PLC0415 - few runs need it

    path = config.invocation_params.dir / given[-1] if given else config.rootpath / ini
    try:
        file = read_config_file(path, OPTIONS, os.path.relpath(path, config.invocation_params.dir))
    except ConfigurationError as error:
        raise pytest.UsageError(f"--ultra-config: {error}") from None
    config.stash[CONFIG_FILE] = file
    return file
