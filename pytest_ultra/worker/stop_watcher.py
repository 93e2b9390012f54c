"""Threads that stop a worker's paid work at once. xdist's own stop message would wait until the shard is done."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from pytest_ultra.engine.clock import SYSTEM_CLOCK
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stop_signal import is_stop_sent

_INTERVAL_S = 0.1


class StopSignalWatcher:
    """Calls `on_stop` once, from its own thread, when the run's stop signal is sent or the parent process has died."""

    def __init__(self, run: RunDirectory, parent_pid: int, on_stop: Callable[[], None]) -> None:
        self._run = run
        self._on_stop = on_stop
        self._parent = parent_pid
        self._is_over = threading.Event()
        threading.Thread(target=self._watch, name="ultra-stop-signal", daemon=True).start()

    def stop(self) -> None:
        self._is_over.set()

    def _watch(self) -> None:
        while not self._is_over.wait(_INTERVAL_S):
            if is_stop_sent(self._run) or os.getppid() != self._parent:
                self._on_stop()
                return


class RunDeadline:
    """Calls `on_end` at a Unix time, from its own thread, unless it is cancelled before."""

    def __init__(self, ends_at: float, on_end: Callable[[], None]) -> None:
        self._timer = threading.Timer(max(0.0, ends_at - SYSTEM_CLOCK.time()), on_end)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        self._timer.cancel()
