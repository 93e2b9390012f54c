"""The directory of a run's files."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.codec import SCHEMA_VERSION, decode_file, encode
from pytest_ultra.storage.files import make_directory, write_atomically
from pytest_ultra.storage.run_description import check_description
from pytest_ultra.storage.stored_files import read_stored


class RunDirectory(msgspec.Struct, frozen=True):
    """`.ultra/runs/<run id>`: run.json, a journal per worker, the generated workflows."""

    path: Path

    @classmethod
    def create(cls, root: Path, run: Mapping[str, Any], *, started_at: float) -> RunDirectory:
        """Create the directory of a new run under `root`, the value of `--ultra-dir`.

        `run` (options, versions, no secrets) is written to run.json, with the schema version, the run id, and
        `started_at` (Unix time) in ISO format. Raises ConfigurationError if the directory cannot be written.
        """
        make_directory(root / "runs", "--ultra-dir")
        try:
            _ignore_in_git(root)
            made = cls(_make_unique(root / "runs", started_at))
            made._write_description(run, started_at)
        except OSError as error:
            raise ConfigurationError(
                f"--ultra-dir: cannot write to {str(root)!r} ({error}); name a directory that can be written"
            ) from error
        return made

    @classmethod
    def open(cls, path: Path) -> RunDirectory:
        """Return the run stored at `path`; raise ConfigurationError if there is none."""
        if not (path / "run.json").is_file():
            raise ConfigurationError(f"{str(path)!r} holds no run: it has no run.json; name a directory under runs/")
        return cls(path)

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def stored_id(self) -> str:
        """The run's id in run.json, which a copy of the directory on another host has too."""
        return str(self.describe()["run_id"])

    @property
    def guidance(self) -> Path:
        return self.path / "guidance"

    @property
    def budget(self) -> Path:
        """The file with the spending that all processes of the run share."""
        return self.path / "budget"

    def describe(self) -> dict[str, Any]:
        """Return run.json: schema_version, run_id, started_at, and the fields given to `create`.

        Raises ConfigurationError if it is damaged, if a field is not what `create` writes, or if the schema is newer.
        """
        path = self.path / "run.json"
        description = decode_file(read_stored(path), dict[str, Any], path)
        check_description(description, path)
        return description

    @property
    def tested_models(self) -> tuple[str, ...]:
        """The names of the models, then of the agents, as on the command line; () if run.json does not have them."""
        described = self.describe().get("models", ())
        return tuple(str(one["name"]) for one in described if isinstance(one, dict) and "name" in one)

    def discard(self) -> None:
        """Remove the directory of a run without results."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _write_description(self, run: Mapping[str, Any], started_at: float) -> None:
        started = datetime.fromtimestamp(started_at, UTC).isoformat()
        description = {"schema_version": SCHEMA_VERSION, "run_id": self.run_id, "started_at": started, **run}
        write_atomically(self.path / "run.json", msgspec.json.format(encode(description)) + b"\n")


def run_name(started_at: float) -> str:
    """Return the name of a run that started at this Unix time; names sort by time."""
    return datetime.fromtimestamp(started_at, UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def _ignore_in_git(root: Path) -> None:
    ignore = root / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def _make_unique(runs: Path, started_at: float) -> Path:
    """Create a directory named after the start time; add a suffix if the name is taken."""
    name = run_name(started_at)
    number = 1
    while True:
        path = runs / (name if number == 1 else f"{name}-{number:02}")
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
        else:
            return path
