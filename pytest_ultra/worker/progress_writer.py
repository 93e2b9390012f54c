"""Writes a worker's progress to the run's directory while it works; the first process shows it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping

import msgspec

from pytest_ultra.core.episode import Outcome
from pytest_ultra.core.prices import Price
from pytest_ultra.core.progress import ShardProgress
from pytest_ultra.distribution.placement import Placement
from pytest_ultra.engine.meter import Meter
from pytest_ultra.storage.progress_files import read_progress, write_progress
from pytest_ultra.storage.run_directory import RunDirectory

_INTERVAL_S = 0.5


def open_meter(
    run: RunDirectory,
    placement: Placement,
    prices: Mapping[str, Price],
    *,
    planned: int,
    slots: int,
    most_answers: int,
    passing: Collection[Outcome],
) -> Meter:
    """Return the meter of a process; a replacement starts from the sums of the worker that crashed."""
    fresh = ShardProgress(
        number=placement.number,
        worker=placement.worker,
        planned=planned if placement.is_sharded else None,
        slots=slots if placement.is_sharded else 1,
        most_answers=most_answers,
    )
    left = [progress for progress in read_progress(run) if placement.is_replacement and progress.number == fresh.number]
    if not left:
        return Meter(fresh, prices, passing=passing)
    kept = ("reused", "answers", "latency_s", "latency_s2", "tokens", "cost", "estimated", "ended")
    start = msgspec.structs.replace(fresh, **{name: getattr(left[0], name) for name in kept})
    return Meter(start, prices, passing=passing)


class ProgressWriter:
    """Writes what `read` returns every half second, from its own thread, if it has changed."""

    def __init__(self, run: RunDirectory, read: Callable[[], ShardProgress]) -> None:
        self._run = run
        self._read = read
        self._written: ShardProgress | None = None
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._write_until_over, name="ultra-progress", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write the final progress; other workers may still be running."""
        self._is_over.set()
        self._thread.join()
        self._write()

    def _write_until_over(self) -> None:
        self._write()
        while not self._is_over.wait(_INTERVAL_S):
            self._write()

    def _write(self) -> None:
        progress = self._read()
        if progress != self._written:
            write_progress(self._run, progress)
            self._written = progress
