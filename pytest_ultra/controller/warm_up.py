"""Imports what the end of a run needs while the run waits for its episodes."""

from __future__ import annotations

import threading
from contextlib import suppress
from importlib import import_module

_DELAY_S = 1.0
"""By then the workers have generated their workflows, which takes all CPUs, and wait for their endpoints."""

_MODULES = ("scipy.special", "pytest_ultra.storage.store.store_sync", "jinja2")


class WarmUp:
    """Imports in its own thread, unless the run ends before."""

    def __init__(self, delay_s: float = _DELAY_S) -> None:
        self._delay_s = delay_s
        self._timer: threading.Timer | None = None

    def start(self) -> None:
        """Start the delay; a second call does nothing."""
        if self._timer is None:
            self._timer = threading.Timer(self._delay_s, _import_all)
            self._timer.start()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _import_all() -> None:
    for name in _MODULES:
        with suppress(Exception):  # the code that uses the module will report what is wrong with it
            import_module(name)
