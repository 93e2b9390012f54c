"""Displays of the live status: the lowest rows of a terminal, a periodic log line, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pytest_ultra.reporting.live_status import scroll_region
from pytest_ultra.reporting.live_status.status_snapshot import StatusSnapshot
from pytest_ultra.reporting.live_status.status_text import plain_line
from pytest_ultra.reporting.live_status.terminal_device import Terminal

_MIN_COLUMNS = 20


class Display(Protocol):
    """Shows the status of a run. Used by one thread at a time."""

    def show(self, status: StatusSnapshot) -> None:
        """Replace what was shown before."""

    def redraw_if_resized(self) -> None:
        """Redraw if the size of the terminal has changed; called often."""

    def close(self) -> None:
        """Restore the terminal."""


class NoDisplay:
    """Shows nothing."""

    def show(self, status: StatusSnapshot) -> None: ...

    def redraw_if_resized(self) -> None: ...

    def close(self) -> None: ...


class LogDisplay:
    """Passes one line to `write_line` every `interval_s`."""

    def __init__(self, write_line: Callable[[str], None], interval_s: float) -> None:
        self._write_line = write_line
        self._interval_s = interval_s
        self._due_s = interval_s

    def show(self, status: StatusSnapshot) -> None:
        if status.elapsed_s >= self._due_s:
            self._write_line(plain_line(status))
            self._due_s = status.elapsed_s + self._interval_s

    def redraw_if_resized(self) -> None: ...

    def close(self) -> None: ...


class ScreenDisplay:
    """Reserves the lowest rows of a terminal for the status. Pytest writes above them as usual."""

    def __init__(self, terminal: Terminal, *, has_colours: bool) -> None:
        self._terminal = terminal
        self._has_colours = has_colours
        self._status: StatusSnapshot | None = None
        self._shape: tuple[int, int, int] | None = None  # columns, rows, and how many of the rows are reserved

    def show(self, status: StatusSnapshot) -> None:
        from pytest_ultra.reporting.live_status import status_layout  # noqa: PLC0415 - Rich is slow to import

        self._status = status
        columns, rows = self._terminal.size() or (0, 0)
        max_rows = status_layout.row_limit(rows) if columns >= _MIN_COLUMNS else 0
        lines = []
        if max_rows:
            lines = status_layout.draw(status, columns=columns, max_rows=max_rows, has_colours=self._has_colours)
        self._draw(lines, (columns, rows, len(lines)))

    def redraw_if_resized(self) -> None:
        if self._status is not None and self._shape is not None and self._terminal.size() != self._shape[:2]:
            self.show(self._status)

    def close(self) -> None:
        if self._shape is not None:
            self._terminal.write(scroll_region.release_rows())
            self._shape = None

    def _draw(self, lines: list[str], shape: tuple[int, int, int]) -> None:
        _, rows, height = shape
        if not height:
            self.close()
            return
        reservation = scroll_region.reserve_rows(rows, height) if shape != self._shape else ""
        self._shape = shape
        self._terminal.write(reservation + scroll_region.draw_rows(lines, rows))
