"""A directory of runs, and the command line that reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pytest_ultra.commands.cli import main


class CommandResult(NamedTuple):
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The `.ultra` directory in which the command looks for runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("COLUMNS", raising=False)  # xdist sets it, so the output would depend on -n
    return tmp_path / ".ultra"


@pytest.fixture
def command(root: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., CommandResult]:
    """Run a command as a user does, in the directory above `root`."""
    assert root.name == ".ultra"

    def command(*args: str) -> CommandResult:
        code = main(args)
        return CommandResult(code, *capsys.readouterr())

    return command
