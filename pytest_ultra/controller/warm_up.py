"""Importing, while the run waits for its episodes, what its end will need."""

from __future__ import annotations

import threading
from contextlib import suppress
from importlib import import_module

_DELAY_S = 1.0
"""By then the workers have made their workflows, which takes all the CPU there is, and wait for their endpoints."""

_NEEDED = ("scipy.special", "pytest_ultra.storage.store.store_sync", "jinja2")


class WarmUp:
    """Imports in a thread of its own, unless the run is over before it begins."""

    def __init__(self, delay_s: float = _DELAY_S) -> None:
        self._delay_s = delay_s
        self._timer: threading.Timer | None = None

    def begin(self) -> None:
        """Begin, if not done before."""
        if self._timer is None:
            self._timer = threading.Timer(self._delay_s, _import_all)
            self._timer.start()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _import_all() -> None:
    for name in _NEEDED:
        with suppress(Exception):  # who needs it will say what is wrong with it
            import_module(name)
