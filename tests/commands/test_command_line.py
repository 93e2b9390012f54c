"""What all commands share: a quick start, help with exit codes, readable errors, output for any terminal."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ultra.commands.cli import main
from pytest_ultra.commands.command_table import COMMANDS
from tests.commands.conftest import CommandResult
from tests.results_factory import make_case, make_episode
from tests.storage.stored_runs import STARTED_AT, make_run

HEAVY = ("msgspec", "rich", "numpy", "sqlalchemy", "jinja2", "matplotlib", "pyarrow", "pytest", "aiohttp")

Capture = pytest.CaptureFixture[str]


def test_the_help_imports_no_heavy_package_and_lists_all_commands() -> None:
    script = f"""
import sys
from pytest_ultra.commands.cli import main
main([])
print("HEAVY", *sorted(set(sys.modules) & set({HEAVY})))
"""
    command = [sys.executable, "-c", script]
    shown = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own script
    assert shown.stdout.splitlines()[-1] == "HEAVY"
    for name, purpose in COMMANDS.items():
        assert f"    {name}" in shown.stdout
        assert purpose in " ".join(shown.stdout.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_with_its_exit_codes_as_wide_as_the_terminal(
    name: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as exited:
        main([name, "--help"])
    assert exited.value.code == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "exit codes:\n  0  " in shown
    assert "\n  2  the command failed; the message says why" in shown


def test_lists_in_the_help_stay_lists_at_any_width(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = """
  pytest-ultra show befa47dd               a case by its id, or the beginning
                                           of the id
"""
    narrow = """
  pytest-ultra show befa47dd
      a case by its id, or the beginning of the id
"""
    for columns, lines in ((80, wide), (60, narrow)):
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit):
            main(["show", "--help"])
        assert lines in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["completion", "--help"])
    command = """
  pytest-ultra completion bash > \\
    ~/.local/share/bash-completion/completions/pytest-ultra
"""
    assert command in capsys.readouterr().out, "which a shell takes as it is"


def test_a_failed_command_prints_a_readable_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["rescore", "nope"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("pytest-ultra rescore: error: 'nope' is not a run; ")
    assert main(["show", "--run", "\x1b[31m/x"]) == 2
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "choices"),
    [
        (("inject", "p.json", "--tools", "t.json", "--kind", "foo"), "sequence_disorder"),
        (("show", "--task-type", "simple"), "simple_task"),
    ],
)
def test_a_choice_is_named_as_the_user_writes_it(args: tuple[str, ...], choices: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(args)
    shown = capsys.readouterr().err
    assert re.search(rf"choose from '?{choices}'?, ", shown)
    assert "<" not in shown


@pytest.mark.parametrize("name", ["show", "export", "durations", "baseline"])
def test_the_newest_run_is_named_latest_in_each_command(
    root: Path, command: Callable[..., CommandResult], name: str
) -> None:
    make_run(root, [make_episode(make_case(model="old"))])
    newest = make_run(root, [make_episode(make_case(model="new"))], at=STARTED_AT + 60)
    shown = command(name, "latest", *(() if name == "show" else ("-o", "out")))
    assert shown.code == 0, shown.err
    written = Path("out").read_text() if name == "export" else shown.out
    assert ("new" if name == "export" else newest.run_id) in written
    assert "old" not in written


@pytest.mark.parametrize("name", ["show", "report", "rescore", "export", "durations", "baseline"])
def test_a_journal_that_was_cut_off_is_named(root: Path, command: Callable[..., CommandResult], name: str) -> None:
    run = make_run(root, [make_episode()])
    journal = next(run.path.glob("journal-*"))
    journal.write_bytes(journal.read_bytes()[:500])
    shown = command(name, *(() if name in ("show", "rescore") else ("-o", "out")))
    damage = f"pytest-ultra {name}: {journal.name}, line 1: 500 bytes cannot be read and were skipped\n"
    assert shown.err.startswith(damage)


def test_plot_says_what_it_needs(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    make_run(root, [make_episode()])
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["plot"]) == 2
    assert "pip install 'pytest-ultra[plot]'" in capsys.readouterr().err


def test_an_ascii_terminal_gets_escaped_output(root: Path) -> None:
    make_run(root, [make_episode(make_case(model="modèle"))])
    shown = []
    for args in (("runs",), ("runs", "--json")):
        command = [sys.executable, "-m", "pytest_ultra", *args]
        environ = os.environ | {"PYTHONIOENCODING": "ascii"}
        shown.append(subprocess.run(command, check=True, capture_output=True, env=environ).stdout)  # noqa: S603 - ours
    assert b"mod\\xe8le" in shown[0]
    assert json.loads(shown[1])[0]["models"] == ["modèle"]


def test_a_damaged_file_of_a_run_is_a_readable_error(root: Path, command: Callable[..., CommandResult]) -> None:
    run = make_run(root, [make_episode()])
    for name in ("run.json", "plan.json", "ended.json"):
        sound = (run.path / name).read_bytes()
        (run.path / name).write_bytes(sound[:5])
        shown = command("show")
        assert shown.code == 2
        assert shown.err.startswith(f"pytest-ultra show: error: '.ultra/runs/{run.run_id}/{name}' is damaged (")
        assert shown.err.endswith("; leave its run out, or restore the file\n")
        (run.path / name).write_bytes(sound)
