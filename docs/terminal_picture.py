"""Make the picture of the live status from a demo run: `python -m docs.terminal_picture`, in the project's folder.

Requires the extra `test` and a system with pseudo-terminals.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.style import Style
from rich.text import Text

from tests.terminal_screen import TerminalScreen

PICTURE = Path(__file__).parent / "pictures" / "live-terminal.svg"
COMMAND = "pytest --ultra-model demo?latency=1 -n 3 --ultra-instances 6 --ultra-max-in-flight 60"
COLUMNS, ROWS = 90, 20
MIN_PERCENT = 55
WEB_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # the picture must not load anything
NAMES = {"brown": "yellow"}
"""Rich's names of colours that the emulator names differently."""


class Character(Protocol):
    """One character cell of the terminal emulator."""

    data: str
    fg: str
    bold: bool


def main() -> None:
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - open until this process ends
    console.print(Text.assemble(("$ ", "bold"), COMMAND))
    for row in picture_of_a_run():
        console.print(row, no_wrap=True, overflow="crop")
    svg = WEB_FONTS.sub("", console.export_svg(title="pytest-ultra", unique_id="terminal"))
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(svg, encoding="utf-8")


def picture_of_a_run() -> list[Text]:
    """Run the command on a terminal, and return the rows at the moment when `MIN_PERCENT` is done."""
    screen = TerminalScreen(COLUMNS, ROWS)
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", *COMMAND.split()],
            cwd=folder,
            stdin=screen.descriptor,
            stdout=screen.descriptor,
            stderr=screen.descriptor,
            env=os.environ | {"TERM": "xterm-256color", "PYTHONPATH": str(Path.cwd())},
        )
        screen.wait_for(_is_far_enough)
        rows = [_text(row) for row in screen.cells]
        while process.poll() is None:
            screen.look(within_s=0.1)
    screen.close()
    return rows


def _is_far_enough(rows: list[str]) -> bool:
    found = re.search(r" (\d+)%", "\n".join(row for row in rows if row.startswith(" all ")))
    return found is not None and int(found[1]) >= MIN_PERCENT


def _text(row: Mapping[int, Character]) -> Text:
    cells = [row[column] for column in range(COLUMNS)]
    return Text.assemble(*((cell.data, _style(cell)) for cell in cells))


def _style(cell: Character) -> Style:
    colour = None if cell.fg == "default" else NAMES.get(cell.fg, cell.fg)
    return Style(color=colour, bold=cell.bold)


if __name__ == "__main__":
    main()
