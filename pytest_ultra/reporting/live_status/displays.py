"""Where the status of a run is shown: on the lowest rows of a terminal, as a line now and then, or nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pytest_ultra.reporting.live_status import scroll_region as region
from pytest_ultra.reporting.live_status import status_layout as picture
from pytest_ultra.reporting.live_status.run_status_record import Status
from pytest_ultra.reporting.live_status.status_text import plain_line
from pytest_ultra.reporting.live_status.terminal_device import Terminal

_FEWEST_COLUMNS = 20


class Display(Protocol):
    """For one thread at a time."""

    def show(self, status: Status) -> None:
        """Take the place of what was shown before."""

    def adapt(self) -> None:
        """Look whether the terminal has changed; called often."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class Nowhere:
    """Shows nothing."""

    def show(self, status: Status) -> None: ...

    def adapt(self) -> None: ...

    def close(self) -> None: ...


class Log:
    """Writes a line every `interval_s`; `say` is given it."""

    def __init__(self, say: Callable[[str], None], interval_s: float) -> None:
        self._say = say
        self._interval_s = interval_s
        self._due_s = interval_s

    def show(self, status: Status) -> None:
        if status.elapsed_s >= self._due_s:
            self._say(plain_line(status))
            self._due_s = status.elapsed_s + self._interval_s

    def adapt(self) -> None: ...

    def close(self) -> None: ...


class Screen:
    """Keeps the lowest rows of a terminal for the status. Pytest writes above them as ever."""

    def __init__(self, terminal: Terminal, *, has_colours: bool) -> None:
        self._terminal = terminal
        self._has_colours = has_colours
        self._status: Status | None = None
        self._shape: tuple[int, int, int] | None = None  # columns, rows, and how many of these are ours

    def show(self, status: Status) -> None:
        self._status = status
        columns, rows = self._terminal.size() or (0, 0)
        most_rows = picture.rows_for(rows) if columns >= _FEWEST_COLUMNS else 0
        lines = []
        if most_rows:
            lines = picture.draw(status, columns=columns, most_rows=most_rows, has_colours=self._has_colours)
        self._draw(lines, (columns, rows, len(lines)))

    def adapt(self) -> None:
        if self._status is not None and self._shape is not None and self._terminal.size() != self._shape[:2]:
            self.show(self._status)

    def close(self) -> None:
        if self._shape is not None:
            self._terminal.write(region.leave())
            self._shape = None

    def _draw(self, lines: list[str], shape: tuple[int, int, int]) -> None:
        _, rows, height = shape
        if not height:
            self.close()
            return
        entering = region.enter(rows, height) if shape != self._shape else ""
        self._shape = shape
        self._terminal.write(entering + region.draw(lines, rows))
