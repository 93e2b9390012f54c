"""What all commands have in common: a quick start, help with exit codes, errors in words, pipes that are closed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ultra.cli import main
from pytest_ultra.commands.table import COMMANDS

HEAVY = ("msgspec", "rich", "scipy", "sqlalchemy", "jinja2", "matplotlib", "pyarrow", "pytest", "aiohttp")

Capture = pytest.CaptureFixture[str]


def test_the_help_imports_nothing_heavy_and_names_all_commands() -> None:
    script = f"""
import sys
from pytest_ultra.cli import main
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
def test_every_command_explains_itself_and_its_exit_codes(name: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "exit codes:\n  0  " in shown
    assert "\n  2  it could not be done; the message says why" in shown


def test_what_cannot_be_done_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["rescore", "nope"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("pytest-ultra rescore: error: 'nope' is no run; ")
