"""Finding a run that was kept."""

from __future__ import annotations

from pathlib import Path

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.run_directory import RunDirectory

_MOST_NAMED = 3
_SHORTEST = 4
"""Characters of a run's id that may stand for all of it."""


class UnknownRunError(ConfigurationError):
    """There is no run of this name."""


def list_runs(root: Path) -> list[RunDirectory]:
    """Return the runs kept under `root`, oldest first: a run's name begins with its time."""
    return [RunDirectory(file.parent) for file in sorted((root / "runs").glob("*/run.json"))]


def find_run(root: Path, name: str | None) -> RunDirectory:
    """Return the run of this id (or its beginning) under `root`, or at this path; the newest without a name.

    Raises ConfigurationError where there is none.
    """
    runs = list_runs(root)
    if name is not None:
        return _find_named(root, runs, name)
    if not runs:
        raise ConfigurationError(
            f"{str(root / 'runs')!r} holds no run; name the directory of one, or start one: pytest --ultra-model demo"
        )
    return runs[-1]


def _find_named(root: Path, runs: list[RunDirectory], name: str) -> RunDirectory:
    for path in (root / "runs" / name, Path(name)):
        if (path / "run.json").is_file():
            return RunDirectory.open(path)
    begun = [run for run in runs if len(name) >= _SHORTEST and run.run_id.startswith(name)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        named = ", ".join(run.run_id for run in begun[-_MOST_NAMED:])
        raise ConfigurationError(
            f"{name!r} is the beginning of {len(begun)} runs' ids, such as {named}; give more of it"
        )
    newest = ", ".join(run.run_id for run in reversed(runs[-_MOST_NAMED:]))
    there = f"the newest under {str(root / 'runs')!r} are {newest}" if runs else f"{str(root / 'runs')!r} holds none"
    raise UnknownRunError(f"{name!r} is no run; give a run's id or its directory ({there})")
