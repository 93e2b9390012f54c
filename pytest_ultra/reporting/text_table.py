"""Plain-text tables, drawn by Rich, and the lines that reports print in a terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence

import msgspec


class TerminalLine(msgspec.Struct, frozen=True):
    """A line for the terminal, and the names of pytest's markup for it (`bold`, `red`, ...)."""

    text: str
    markup: tuple[str, ...] = ()


# Only a rule under the header, in ASCII: a CI log may be shown in any encoding.
_BOX = "    \n    \n -- \n    \n    \n    \n    \n    \n"


def draw(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int, gap: int, width: int | None = None
) -> list[str]:
    """Return the lines of a table: header, rule, one line per row.

    The first `left` columns are left-aligned, the others right-aligned. `gap` is the number of spaces between
    columns, at least 1. Cells are printed as they are; `width`, in columns, cuts what does not fit with an ellipsis.
    """
    from rich.box import Box  # noqa: PLC0415 - Rich takes 15 ms to import, and only the end of a run draws tables
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=Box(_BOX, ascii=True), show_edge=False, pad_edge=False, padding=(0, gap - 1, 0, 0))
    for number, head in enumerate(heads):
        table.add_column(Text(head), justify="left" if number < left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(file=io.StringIO(), width=width or 10_000, color_system=None, force_jupyter=False)
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]
