"""Output of the commands: text and JSON on standard output, warnings on standard error."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pytest_ultra.reporting.text import neutralise

if TYPE_CHECKING:  # not every command needs them
    from pytest_ultra.core.gates import Decision
    from pytest_ultra.reporting.text_table import TerminalLine

WIDE = 160
"""Columns without a terminal: a pipe gets the widest table."""


def width() -> int:
    return shutil.get_terminal_size((WIDE, 24)).columns


def print_lines(lines: Iterable[str]) -> None:
    """Print lines, in which names of files and texts of models stand for themselves and for no control code."""
    sys.stdout.write("".join(f"{neutralise(line)}\n" for line in lines))


def print_annotations(decision: Decision) -> None:
    """Print the commands that make annotations of gates in a job of GitHub, and nothing elsewhere."""
    from pytest_ultra.reporting.gate_lines import github_commands  # noqa: PLC0415 - few commands judge gates

    if os.environ.get("GITHUB_ACTIONS") == "true":
        sys.stdout.write("".join(f"{command}\n" for command in github_commands(decision)))


def print_marked(lines: Iterable[TerminalLine]) -> None:
    """Print with colours on a terminal, unless NO_COLOR forbids it."""
    from rich.console import Console  # noqa: PLC0415 - JSON and exports do not need it
    from rich.text import Text  # noqa: PLC0415 - JSON and exports do not need it

    console = Console(file=io.StringIO(), force_terminal=sys.stdout.isatty(), width=width(), force_jupyter=False)
    with console.capture() as capture:
        for line in lines:
            console.print(Text(line.text, style=" ".join(line.markup)), soft_wrap=True)
    sys.stdout.write(capture.get())


def print_json(value: Any) -> None:
    import msgspec  # noqa: PLC0415 - only for JSON

    from pytest_ultra.storage.codec import encode  # noqa: PLC0415 - only for JSON

    print_bytes(msgspec.json.format(encode(value)) + b"\n")


def print_bytes(content: bytes) -> None:
    """Print a document as it is, whatever the encoding of the terminal."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)


def warn(command: str, problems: Iterable[str]) -> None:
    for problem in problems:
        sys.stderr.write(f"pytest-ultra {command}: {neutralise(problem)}\n")
