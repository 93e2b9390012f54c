"""The `pytest-ultra` command."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pytest_ultra import __version__

COMMAND = Path(sys.executable).with_name("pytest-ultra")  # not by PATH: the environment need not be activated


@pytest.mark.parametrize("args", [(), ("--help",)])
def test_it_says_how_to_start_a_run(pytester: pytest.Pytester, args: tuple[str, ...]) -> None:
    result = pytester.run(COMMAND, *args)
    assert result.ret == 0
    result.stdout.fnmatch_lines("A run is started by pytest: pytest --ultra-model demo -n 3.*")


def test_it_tells_its_version_as_a_module_too(pytester: pytest.Pytester) -> None:
    assert pytester.runpython_c("import pytest_ultra.__main__").ret == 0
    assert pytester.run(COMMAND, "--version").outlines == [f"pytest-ultra {__version__}"]


def test_an_unknown_argument_is_refused(pytester: pytest.Pytester) -> None:
    result = pytester.run(COMMAND, "report")
    assert result.ret == 2
    result.stderr.fnmatch_lines("pytest-ultra: error: unrecognized arguments: report")
