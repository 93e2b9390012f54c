"""Which cases a worker was living when it crashed: what it has begun, without what it has finished."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pytest_ultra.storage.episode_index import find_lives
from pytest_ultra.storage.journal import journal_path
from pytest_ultra.storage.line_file import LineFile
from pytest_ultra.storage.run_directory import RunDirectory


def begun_path(run: RunDirectory, worker: str) -> Path:
    return run.path / f"begun-{worker}.txt"


class Begun:
    """Where one worker notes the cases that it begins; a full disk costs the note, not the case."""

    def __init__(self, run: RunDirectory, worker: str) -> None:
        self._file = LineFile(begun_path(run, worker))

    def note(self, case_id: str) -> None:
        with suppress(OSError):
            self._file.append(f"{case_id}\n".encode())

    def close(self) -> None:
        with suppress(OSError):
            self._file.close()


def find_in_flight(run: RunDirectory, worker: str) -> frozenset[str]:
    """Return the ids of the cases that a worker has begun and not finished."""
    path = begun_path(run, worker)
    if not path.exists():
        return frozenset()
    finished = {life.case_id for life in find_lives(run, journal_path(run, worker).name)}
    return frozenset(path.read_text(encoding="utf-8").split()) - finished
