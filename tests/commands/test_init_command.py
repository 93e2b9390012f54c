"""`pytest-ultra init`: a starter that is green without a key, and never overwrites anything."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ultra.commands.cli import main
from pytest_ultra.options.option_table import OPTIONS
from tests.commands.conftest import CommandResult

Command = Callable[..., CommandResult]
FILES = ["my_agent.py", "my_suite.py", "test_my_agent.py", ".github/workflows/ultra.yml", "pyproject.toml"]
RUN = ["", "Run it, without a key:", "  pytest --ultra-suite my_suite:suite --ultra-agent my_agent:solve@demo/perfect"]


def test_the_starter_is_green_without_a_key(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As its last lines say, and as its CI job runs it."""
    monkeypatch.chdir(pytester.path)
    assert main(["init"]) == 0
    command = capsys.readouterr().out.splitlines()[-1].split()
    assert " ".join(command) in Path(".github/workflows/ultra.yml").read_text()
    result = pytester.runpytest_subprocess(*command[1:], "-W", "error")
    result.assert_outcomes(passed=28)
    result.stdout.fnmatch_lines(["14 planned: 14 scored (14 full, *"])


def test_files_that_exist_are_kept(command: Command, root: Path) -> None:
    folder = root.parent
    first = command("init")
    assert first.lines == [*(f"{name}: written" for name in FILES), *RUN]
    (folder / "my_agent.py").write_text("mine")
    again = command("init")
    assert again.lines == [*(f"{name}: kept, it exists" for name in FILES[:4]), *RUN], "nothing is left to add"
    assert (folder / "my_agent.py").read_text() == "mine"


def test_a_project_with_options_of_its_own_is_shown_what_to_add(command: Command, root: Path) -> None:
    project = root.parent / "app"
    project.mkdir()
    (project / "tox.ini").write_text("[pytest]\n")
    shown = command("init", "app")
    assert (project / "tox.ini").read_text() == "[pytest]\n"
    assert not (project / "pyproject.toml").exists()
    start = shown.lines.index(
        "Add these options to app/tox.ini, which is kept as it is (this is how TOML writes them):"
    )
    end = shown.lines.index("Run it, without a key:")
    options = tomllib.loads("\n".join(shown.lines[start + 1 : end]))["tool"]["pytest"]["ini_options"]
    assert options.keys() <= {option.key for option in OPTIONS}
    assert shown.lines[end + 1] == "  cd app"
    for name in FILES[:3]:
        ast.parse((project / name).read_text())


def test_a_folder_that_cannot_be_made_is_an_error(command: Command, root: Path) -> None:
    (root.parent / "file").write_text("")
    failed = command("init", "file")
    assert (failed.code, failed.out) == (2, "")
    assert failed.err.startswith("pytest-ultra init: error: DIR: cannot write to 'file' (")
    (root.parent / "new").mkdir()
    (root.parent / "new" / ".github").write_text("")
    assert "'new/.github/workflows'" in command("init", "new").err
