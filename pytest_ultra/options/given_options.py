"""Which options the user has given, on the command line, in the file of `--ultra-config` or in the ini file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # few runs have one
    from pytest_ultra.options.config_file import ConfigFile

CONFIG_FILE: pytest.StashKey[ConfigFile] = pytest.StashKey()
"""The file of `--ultra-config`; missing without one."""


def is_option_given(config: pytest.Config, name: str) -> bool:
    """Return whether the user has given an option in any way."""
    file = config.stash.get(CONFIG_FILE, None)
    is_in_file = file is not None and name in file.texts
    return bool(config.getoption(f"ultra_{name}") or is_in_file or config.getini(f"ultra_{name}"))
