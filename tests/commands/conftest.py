"""A folder of runs, and the command line in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pytest_ultra.commands.cli import main


class Shown(NamedTuple):
    """What a command has come to."""

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
    """The folder of runs where the command looks for it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("COLUMNS", raising=False)  # which xdist sets, and so what is printed would depend on -n
    return tmp_path / ".ultra"


@pytest.fixture
def command(root: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Shown]:
    """Give a command as a user does, in the folder above `root`."""
    assert root.name == ".ultra"

    def command(*args: str) -> Shown:
        code = main(args)
        return Shown(code, *capsys.readouterr())

    return command
