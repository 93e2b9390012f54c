"""The stall watchdog: workers note that nothing happens any more, and the first process says so while they wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ultra.reporting.text import neutralise

if TYPE_CHECKING:  # the first process of several needs no engine
    from pytest_ultra.engine.activity_monitor import Stall

_PREFIX = "stall-"
_SHOWN = 3
_LOOKS = 8  # in the time after which it is a stall


def stall_after_s(request_timeout_s: float) -> float:
    """Return after how many seconds without any answer a stall is told: half of what an attempt may take."""
    return request_timeout_s / 2


class StallWatch:
    """In a process that lives episodes: notes a stall in the run's folder, and again each time it has doubled."""

    def __init__(self, run_folder: Path, worker: str, find: Callable[[float], Stall | None], after_s: float) -> None:
        self._path = run_folder / f"{_PREFIX}{worker}"
        self._find = find
        self._after_s = after_s
        self._is_over = threading.Event()
        threading.Thread(target=self._watch, name="ultra-stall-watch", daemon=True).start()

    def stop(self) -> None:
        self._is_over.set()

    def _watch(self) -> None:
        due_s = self._after_s
        while not self._is_over.wait(self._after_s / _LOOKS):
            stall = self._find(due_s)
            if stall is not None:
                self._note(stall)
                due_s *= 2
            elif self._find(self._after_s) is None:
                due_s = self._after_s

    def _note(self, stall: Stall) -> None:
        with suppress(OSError):
            aside = self._path.with_name(f".{self._path.name}")
            aside.write_text(describe(stall, self._path.name.removeprefix(_PREFIX)), encoding="utf-8")
            aside.replace(self._path)


def describe(stall: Stall, worker: str) -> str:
    named = ", ".join(neutralise(nodeid) for nodeid in stall.nodeids[:_SHOWN])
    more = len(stall.nodeids) - _SHOWN
    others = f" and {more} more" if more > 0 else ""
    return f"ultra: nothing answered or finished for {stall.quiet_s:.0f} s ({worker}); in flight: {named}{others}"


def take_stalls(run_folder: Path) -> list[str]:
    """Return what has been noted since this was last asked."""
    noted = []
    for path in sorted(run_folder.glob(f"{_PREFIX}*")):
        with suppress(OSError):
            noted.append(path.read_text(encoding="utf-8"))
            path.unlink()
    return noted
