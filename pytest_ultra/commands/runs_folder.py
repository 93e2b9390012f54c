"""The folder of runs without `--dir`: the one where a run of this project would keep them."""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path

from pytest_ultra.errors import ConfigurationError

DEFAULT = Path(".ultra")
_INI_FILES = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
"""Where pytest looks for its configuration, from the current folder upwards."""
_NAMES = ("ultra_dir", "ultra-dir")


def find_runs_folder() -> Path:
    """Return the value of `ultra_dir` in the project's ini file, or of `--ultra-dir` in its `addopts`, else `.ultra`.

    pytest, which takes half a second to start, is asked only if one of them is mentioned at all. Raises
    ConfigurationError if it cannot read its configuration.
    """
    if not _is_mentioned():
        return DEFAULT
    import pytest  # noqa: PLC0415 - most projects do not need it here

    from pytest_ultra.options.option_reading import read_dir  # noqa: PLC0415

    class Reader:
        """A plugin of pytest that reads the setting instead of running tests."""

        folder: Path | None = None

        @pytest.hookimpl(tryfirst=True)
        def pytest_cmdline_main(self, config: pytest.Config) -> int:
            self.folder = read_dir(config)
            return 0

    reader = Reader()
    pytest.main([], plugins=[reader])
    if reader.folder is None:  # pytest has said why
        raise ConfigurationError("the folder of runs cannot be read from the project's ini file; name it with --dir")
    return reader.folder


def _is_mentioned() -> bool:
    here = Path.cwd()
    texts = (_read(folder / name) for folder in (here, *here.parents) for name in _INI_FILES)
    return any(name in text for text in chain([os.environ.get("PYTEST_ADDOPTS", "")], texts) for name in _NAMES)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
