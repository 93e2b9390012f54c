"""Stopping paid work at once: a worker holds its whole shard, so xdist's own word to stop would come too late."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

_INTERVAL_S = 0.1
_NAME = "stop"


def order_stop(run_folder: Path) -> None:
    """Tell all workers of a run to stop."""
    (run_folder / _NAME).touch()


def withdraw_stop(run_folder: Path) -> None:
    """Clear away the order when all workers are gone."""
    (run_folder / _NAME).unlink(missing_ok=True)


class StopWatch:
    """Calls `on_stop` once, from a thread of its own, when the run is told to stop or the parent process is gone."""

    def __init__(self, run_folder: Path, on_stop: Callable[[], None]) -> None:
        self._path = run_folder / _NAME
        self._on_stop = on_stop
        self._parent = os.getppid()
        self._is_over = threading.Event()
        threading.Thread(target=self._watch, name="ultra-stop-watch", daemon=True).start()

    def stop(self) -> None:
        self._is_over.set()

    def _watch(self) -> None:
        while not self._is_over.wait(_INTERVAL_S):
            if self._path.exists() or os.getppid() != self._parent:
                self._on_stop()
                return


class Curfew:
    """Calls `on_end` at a point in Unix time, from a thread of its own, unless it is lifted before."""

    def __init__(self, ends_at: float, on_end: Callable[[], None]) -> None:
        self._timer = threading.Timer(max(0.0, ends_at - time.time()), on_end)
        self._timer.daemon = True
        self._timer.start()

    def lift(self) -> None:
        self._timer.cancel()
