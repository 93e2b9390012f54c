"""The stall watchdog: reports that nothing has been answered or finished for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pytest_ultra.engine.activity_monitor import Stall
from pytest_ultra.reporting.text import neutralise
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stall_notes import write_stall_note

_NAMED = 3
_CHECKS = 8  # within the time after which it is a stall


def stall_after_s(request_timeout_s: float) -> float:
    """Return the seconds without any answer after which a stall is reported: half of an attempt's time limit."""
    return request_timeout_s / 2


class StallWatchdog:
    """Writes a stall note for the first process to print, and another one each time the stall has doubled."""

    def __init__(self, run: RunDirectory, worker: str, find: Callable[[float], Stall | None], after_s: float) -> None:
        self._run = run
        self._worker = worker
        self._find = find
        self._after_s = after_s
        self._is_over = threading.Event()
        threading.Thread(target=self._watch, name="ultra-stall-watchdog", daemon=True).start()

    def stop(self) -> None:
        self._is_over.set()

    def _watch(self) -> None:
        due_s = self._after_s
        while not self._is_over.wait(self._after_s / _CHECKS):
            stall = self._find(due_s)
            if stall is not None:
                write_stall_note(self._run, self._worker, describe(stall, self._worker))
                due_s *= 2
            elif self._find(self._after_s) is None:
                due_s = self._after_s


def describe(stall: Stall, worker: str) -> str:
    named = ", ".join(neutralise(nodeid) for nodeid in stall.nodeids[:_NAMED])
    more = len(stall.nodeids) - _NAMED
    others = f" and {more} more" if more > 0 else ""
    return f"ultra: nothing answered or finished for {stall.quiet_s:.0f} s ({worker}); in flight: {named}{others}"
