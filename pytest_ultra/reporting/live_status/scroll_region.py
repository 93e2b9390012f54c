"""The lowest rows of a terminal kept apart from what scrolls above them: what to write for that.

Each function returns what is to be written at once. The program that writes above need not know: the cursor is
where it was, and scrolling ends above the rows. These are sequences that the VT100 knew, and every terminal since.
"""

from __future__ import annotations

from collections.abc import Sequence

_SAVE, _RESTORE = "\x1b7", "\x1b8"
_DOWN = "\x1bD"  # to the next row and the same column; at the lowest, everything scrolls
_ERASE_BELOW = "\x1b[J"
_ERASE_REST = "\x1b[K"
_PLAIN = "\x1b[m"
_WRAP, _NO_WRAP = "\x1b[?7h", "\x1b[?7l"


def leave() -> str:
    """Give the rows back, and erase them: nothing but them is below the cursor."""
    return f"{_SAVE}\x1b[r{_RESTORE}{_ERASE_BELOW}"


def enter(rows: int, height: int) -> str:
    """Set the lowest `height` of a terminal's `rows` apart, empty. What was set apart before is given back."""
    room = f"{_DOWN * height}\x1b[{height}A"
    return f"{leave()}{room}{_SAVE}\x1b[1;{rows - height}r{_RESTORE}"


def draw(lines: Sequence[str], rows: int) -> str:
    """Fill the rows that were set apart with as many lines, which may have colours."""
    first = rows - len(lines) + 1
    drawn = (f"\x1b[{first + index};1H{_PLAIN}{line}{_PLAIN}{_ERASE_REST}" for index, line in enumerate(lines))
    return f"{_SAVE}{_NO_WRAP}{''.join(drawn)}{_WRAP}{_RESTORE}"
