"""Looking up a stored run by its id, the start of its id, its path, or as the latest one."""

from __future__ import annotations

import re
import time
from pathlib import Path

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.run_directory import RunDirectory, run_name
from pytest_ultra.storage.stored_files import list_files

LATEST = "latest"
"""The name of the newest run, wherever a run is named."""
_MAX_LISTED = 3
_MIN_PREFIX_LENGTH = 4
"""The shortest prefix of a run id, in characters, that is accepted in place of the whole id."""


class UnknownRunError(ConfigurationError):
    """No stored run has this name."""


def list_runs(root: Path, *, now: float | None = None) -> list[RunDirectory]:
    """Return the runs stored under `root`, oldest first: a run id starts with the time. A link is none of them.

    Runs dated after `now` (Unix time, by default the present) were made before the clock was set back: they come first.
    """
    present = run_name(time.time() if now is None else now)
    folders = [path for path in list_files(root / "runs", "*") if _holds_run(path)]
    found = [RunDirectory(path) for path in folders if not path.is_symlink()]
    return sorted(found, key=lambda run: (not _is_after(run.run_id, present), run.run_id))


def _holds_run(folder: Path) -> bool:
    """Return whether a folder may hold a run; who reads one that is another user's gets the error."""
    try:
        (folder / "run.json").lstat()
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def _is_after(run_id: str, present: str) -> bool:
    return run_id > present and _DATED.match(run_id) is not None


_DATED = re.compile(r"\d{8}T\d{6}\.\d{6}Z")


def find_run(root: Path, name: str | None) -> RunDirectory:
    """Return the run under `root` with this id or prefix of an id, or the run at this path.

    Without a name, or by the name `latest`, it is the newest.

    Raises ConfigurationError if there is none.
    """
    runs = list_runs(root)
    if name is not None and name != LATEST:
        return _find_named(root, runs, name)
    if not runs:
        raise ConfigurationError(
            f"{str(root / 'runs')!r} holds no run; name the directory of one, or start one: pytest --ultra-model demo"
        )
    return runs[-1]


def _find_named(root: Path, runs: list[RunDirectory], name: str) -> RunDirectory:
    named = Path(name)
    for path in (root / "runs" / name, named.resolve() if named.is_symlink() else named):  # the user may name a link
        if (path / "run.json").is_file():
            return RunDirectory.open(path)
    matches = [run for run in runs if len(name) >= _MIN_PREFIX_LENGTH and run.run_id.startswith(name)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        listed = ", ".join(run.run_id for run in matches[-_MAX_LISTED:])
        raise ConfigurationError(
            f"{name!r} is a prefix of {len(matches)} run ids, such as {listed}; give more characters"
        )
    newest = ", ".join(run.run_id for run in reversed(runs[-_MAX_LISTED:]))
    stored = f"the newest under {str(root / 'runs')!r} are {newest}" if runs else f"{str(root / 'runs')!r} holds none"
    raise UnknownRunError(f"{name!r} is not a run; give a run id, the directory of a run, or {LATEST} ({stored})")
