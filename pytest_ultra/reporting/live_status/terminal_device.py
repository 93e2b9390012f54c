"""The way to the user's terminal or log that no capture of a test's output can redirect."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


class Terminal:
    """Standard output at the moment at which this is made, whatever becomes of that later; nothing if there is none."""

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = _standard_output() if descriptor is None else os.dup(descriptor)

    def size(self) -> tuple[int, int] | None:
        """Return columns and rows, None where there is no such thing."""
        with suppress(OSError):
            if self._descriptor is not None:
                columns, rows = os.get_terminal_size(self._descriptor)
                return (columns, rows) if columns and rows else None
        return None

    def write(self, text: str) -> None:
        """Write at once, so that nothing gets in between; a terminal that is gone is no reason to stop."""
        with suppress(OSError):
            if self._descriptor is not None:
                os.write(self._descriptor, text.encode(errors="replace"))

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _standard_output() -> int | None:
    try:
        return os.dup(sys.__stdout__.fileno() if sys.__stdout__ else 1)
    except (OSError, ValueError):
        return None
