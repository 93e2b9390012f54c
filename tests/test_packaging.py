"""The installed package is complete: metadata, entry points, type marker, suite."""

from __future__ import annotations

import tomllib
from importlib.metadata import distribution, entry_points
from pathlib import Path
from typing import Any

import pytest_ultra
from pytest_ultra import plugin
from pytest_ultra.commands.cli import main

ROOT = Path(__file__).parents[1]


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_version_has_one_source() -> None:
    assert pyproject()["project"]["dynamic"] == ["version"]
    assert pyproject()["tool"]["hatch"]["version"]["path"] == "pytest_ultra/__init__.py"
    assert distribution("pytest-ultra").version == pytest_ultra.__version__


def test_pytest_finds_the_plugin() -> None:
    (entry,) = entry_points(group="pytest11", name="ultra")
    assert entry.load() is plugin


def test_the_command_is_installed() -> None:
    (entry,) = entry_points(group="console_scripts", name="pytest-ultra")
    assert entry.load() is main


def test_the_package_is_typed_and_contains_the_suite() -> None:
    package = Path(pytest_ultra.__file__).parent
    assert (package / "py.typed").is_file()
    assert (package / "suite" / "test_workflows.py").is_file()


def test_wheel_and_sdist_contain_what_they_need() -> None:
    build = pyproject()["tool"]["hatch"]["build"]["targets"]
    assert build["wheel"]["packages"] == ["pytest_ultra"]
    for name in build["sdist"]["include"]:
        assert (ROOT / name).exists(), name
    assert {"pytest_ultra", "tests", "docs", "README.md", "LICENSE"} <= set(build["sdist"]["include"])


def test_the_metadata_for_the_package_index_is_complete() -> None:
    metadata = distribution("pytest-ultra").metadata
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"


def test_the_lowest_versions_are_tested() -> None:
    """Each promised lower bound is the version that tox's `lowest` installs."""
    project = pyproject()["project"]
    pins = [line.strip() for line in (ROOT / "tox.ini").read_text().splitlines() if "==" in line]
    lowest = dict(pin.split("==") for pin in pins)
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
        name, _, bound = requirement.partition(">=")
        assert lowest[name] == bound or lowest[name].startswith(f"{bound}."), requirement
