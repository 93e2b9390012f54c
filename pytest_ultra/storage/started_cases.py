"""The cases that each worker has started: what it had in flight when it crashed is those minus the finished ones."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pytest_ultra.storage.episode_index import index_episodes
from pytest_ultra.storage.journal import journal_path
from pytest_ultra.storage.line_file import LineFile
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stored_files import read_stored


def started_path(run: RunDirectory, worker: str) -> Path:
    return run.path / f"started-{worker}.txt"


class StartedCases:
    """The file in which one worker records the cases that it starts; on a full disk only the record is lost."""

    def __init__(self, run: RunDirectory, worker: str) -> None:
        self._file = LineFile(started_path(run, worker))

    def record(self, case_id: str) -> None:
        with suppress(OSError):
            self._file.append(f"{case_id}\n".encode())

    def close(self) -> None:
        with suppress(OSError):
            self._file.close()


def find_in_flight(run: RunDirectory, worker: str) -> frozenset[str]:
    """Return the ids of the cases that a worker has started and not finished."""
    try:
        started = read_stored(started_path(run, worker))
    except FileNotFoundError:
        return frozenset()
    finished = {episode.case_id for episode in index_episodes(run, journal_path(run, worker).name)}
    return frozenset(started.decode(errors="replace").split()) - finished
