"""Lines of a run's end, wrapped to the width of the terminal."""

from __future__ import annotations

import shutil

import pytest

from pytest_ultra.reporting.text import wrap_whole_words


def write_wrapped(terminalreporter: pytest.TerminalReporter, text: str, **markup: bool) -> None:
    """Write a text in lines no wider than the terminal; a single word that is wider, such as a path, stays whole."""
    width = shutil.get_terminal_size().columns
    for line in wrap_whole_words(text, width):
        terminalreporter.write_line(line, **markup)
