"""Plain-text tables, drawn by Rich."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.box import Box
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Nothing but a rule under the header, in ASCII: a CI log may be shown in any encoding.
_BOX = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


def draw(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int, gap: int, width: int | None = None
) -> list[str]:
    """Return the lines of a table: header, rule, one for each row.

    The first `left` columns stand to the left, the others to the right. `gap` is the space between columns,
    at least 1. Cells are shown as they are; what does not fit in `width` is cut with an ellipsis.
    """
    table = Table(box=_BOX, show_edge=False, pad_edge=False, padding=(0, gap - 1, 0, 0))
    for number, head in enumerate(heads):
        table.add_column(Text(head), justify="left" if number < left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(file=io.StringIO(), width=width or 10_000, color_system=None, force_jupyter=False)
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]
