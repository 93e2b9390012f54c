"""A terminal emulator behind a pseudo-terminal, to check what a person would see."""

from __future__ import annotations

import os
import pty
import select
import termios
from collections.abc import Callable
from time import monotonic
from typing import Any

import pyte

READ_BYTES = 65_536


class TerminalScreen:
    """A terminal of `columns` and `rows`. Output written to `descriptor` appears at the next `look`."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self._end, self.descriptor = pty.openpty()
        self._screen = pyte.HistoryScreen(columns, rows, history=10_000, ratio=1)
        self._stream = pyte.ByteStream(self._screen)
        self.written = b""
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size as a window manager does; like most terminals, this one then resets the scroll region."""
        self.look()
        termios.tcsetwinsize(self.descriptor, (rows, columns))
        self._screen.resize(rows, columns)
        self._screen.set_margins()

    def look(self, within_s: float = 0.0) -> list[str]:
        """Return the rows without trailing spaces."""
        while select.select([self._end], [], [], within_s)[0]:
            try:
                data = os.read(self._end, READ_BYTES)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            self.written += data
            self._stream.feed(data)
        return [row.rstrip() for row in self._screen.display]

    def wait_for(self, condition: Callable[[list[str]], bool], *, within_s: float = 40.0) -> list[str]:
        end = monotonic() + within_s
        while not condition(rows := self.look(0.05)):
            assert monotonic() < end, "\n".join(rows)
        return rows

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    @property
    def scrolled_away(self) -> list[str]:
        """Return the rows that have scrolled off the top of the screen."""
        rows = self._screen.history.top
        return ["".join(row[column].data for column in range(self._screen.columns)).rstrip() for row in rows]

    @property
    def cells(self) -> list[Any]:
        """Return each row as the emulator's mapping from columns to characters."""
        return [self._screen.buffer[row] for row in range(self._screen.lines)]

    @property
    def has_colours(self) -> bool:
        return any(character.fg != "default" for row in self._screen.buffer.values() for character in row.values())

    def close(self) -> None:
        os.close(self.descriptor)
        os.close(self._end)
