"""The files by which the processes of a run with `--ultra-until` agree on the end of its rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
from filelock import FileLock

from pytest_ultra.storage.codec import SCHEMA_VERSION, decode_file, encode
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.held_locks import is_held
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stored_files import read_stored


class RoundDecision(msgspec.Struct, frozen=True):
    """Whether a round is run, and the reason in words; `number` counts from 0, and the first one always is."""

    number: int
    is_needed: bool
    reason: str
    schema_version: int = SCHEMA_VERSION


class RoundFiles:
    """`rounds/` in the run's directory: a mark for each process that has ended its part of a round, and decisions."""

    def __init__(self, run: RunDirectory) -> None:
        self._folder = run.path / "rounds"

    def join(self, worker: int) -> FileLock:
        """Say that this process takes part, until it ends or the lock is released."""
        self._folder.mkdir(exist_ok=True)
        lock = FileLock(self._alive(worker))
        lock.acquire()
        return lock

    def mark_ended(self, number: int, worker: int) -> None:
        """Say that this process has ended its part of a round."""
        self._folder.mkdir(exist_ok=True)
        self._mark(number, worker).touch()

    def find_missing(self, number: int, workers: Iterable[int]) -> set[int]:
        """Return the workers that have not ended their part of a round."""
        return {worker for worker in workers if not self._mark(number, worker).exists()}

    def is_gone(self, worker: int) -> bool:
        """Return whether no process takes part under this number now."""
        try:
            return not is_held(self._alive(worker))
        except FileNotFoundError:  # none ever did
            return True

    def decide(self, number: int, judge: Callable[[], RoundDecision]) -> RoundDecision:
        """Return the decision on a round; the process that asks first makes it."""
        path = self._decision(number)
        with FileLock(self._folder / "lock"):
            with suppress(FileNotFoundError):
                return decode_file(read_stored(path), RoundDecision, path)
            decision = judge()
            write_atomically(path, encode(decision) + b"\n")
            return decision

    def find_end(self, rounds: int) -> RoundDecision | None:
        """Return the decision by which the run stopped before its last round, None if there is none."""
        for number in range(1, rounds):
            with suppress(FileNotFoundError):
                path = self._decision(number)
                decision = decode_file(read_stored(path), RoundDecision, path)
                if not decision.is_needed:
                    return decision
        return None

    def _mark(self, number: int, worker: int) -> Path:
        return self._folder / f"{number}-{worker}"

    def _alive(self, worker: int) -> Path:
        return self._folder / f"alive-{worker}"

    def _decision(self, number: int) -> Path:
        return self._folder / f"{number}.json"
