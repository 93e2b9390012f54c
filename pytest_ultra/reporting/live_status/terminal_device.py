"""The user's terminal or log, reached in a way that no output capture can redirect."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


class Terminal:
    """A duplicate of standard output, taken when this is created; writes nothing if there is no standard output."""

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = _standard_output() if descriptor is None else os.dup(descriptor)

    def size(self) -> tuple[int, int] | None:
        """Return columns and rows, None if this is no terminal."""
        with suppress(OSError):
            if self._descriptor is not None:
                columns, rows = os.get_terminal_size(self._descriptor)
                return (columns, rows) if columns and rows else None
        return None

    def write(self, text: str) -> None:
        """Write in one piece, so that no other output gets in between; ignore a terminal that no longer exists."""
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
