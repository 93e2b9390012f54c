"""Work of the main thread that another thread can interrupt: only a signal ends a user's planner, or a lock's wait."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import TracebackType

_ARRIVAL_S = 0.5
"""Longer than a signal to this process takes to arrive."""


class InterruptibleWork:
    """A context manager, also nested; once `interrupt` is called, its blocks end with `KeyboardInterrupt`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._is_interrupted = False
        self._is_signalled = False

    def interrupt(self) -> None:
        """End the block that the main thread is in, if any, and all later ones. Called from another thread."""
        with self._lock:
            self._is_interrupted = True
            if self._depth and not self._is_signalled:
                self._is_signalled = True
                os.kill(os.getpid(), signal.SIGINT)

    def __enter__(self) -> None:
        with self._lock:
            if self._is_interrupted:
                raise KeyboardInterrupt
            self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._depth -= 1
        if self._is_signalled and kind is not KeyboardInterrupt:
            time.sleep(_ARRIVAL_S)  # the signal must arrive here, not in the code of a test
