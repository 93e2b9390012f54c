"""Escape sequences that reserve the lowest rows of a terminal and draw in them, while the rest scrolls.

Each function returns text to be written in one piece. The program that writes above needs no change: the cursor stays
where it was, and scrolling stops above the reserved rows. All sequences are VT100 sequences, which every terminal
supports.
"""

from __future__ import annotations

from collections.abc import Sequence

_SAVE_CURSOR, _RESTORE_CURSOR = "\x1b7", "\x1b8"
_INDEX = "\x1bD"  # to the next row and the same column; at the lowest row, everything scrolls
_ERASE_BELOW = "\x1b[J"
_ERASE_REST_OF_LINE = "\x1b[K"
_RESET_STYLE = "\x1b[m"
_WRAP, _NO_WRAP = "\x1b[?7h", "\x1b[?7l"


def release_rows() -> str:
    """Return what removes the scroll region and erases the reserved rows, which are all that is below the cursor."""
    return f"{_SAVE_CURSOR}\x1b[r{_RESTORE_CURSOR}{_ERASE_BELOW}"


def reserve_rows(rows: int, height: int) -> str:
    """Return what reserves the lowest `height` of a terminal's `rows`, empty, and releases an earlier reservation."""
    room = f"{_INDEX * height}\x1b[{height}A"
    return f"{release_rows()}{room}{_SAVE_CURSOR}\x1b[1;{rows - height}r{_RESTORE_CURSOR}"


def draw_rows(lines: Sequence[str], rows: int) -> str:
    """Return what fills the reserved rows of a terminal's `rows`; `lines` has one each and may contain colour codes."""
    first = rows - len(lines) + 1
    drawn = (
        f"\x1b[{first + index};1H{_RESET_STYLE}{line}{_RESET_STYLE}{_ERASE_REST_OF_LINE}"
        for index, line in enumerate(lines)
    )
    return f"{_SAVE_CURSOR}{_NO_WRAP}{''.join(drawn)}{_WRAP}{_RESTORE_CURSOR}"
