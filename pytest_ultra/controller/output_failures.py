"""The outputs at the end of a run that could not be written: each is reported, and none stops another."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

from pytest_ultra.controller.wrapped_lines import write_wrapped
from pytest_ultra.errors import UltraError
from pytest_ultra.reporting.text import neutralise


class OutputFailures:
    """Lines for the terminal, one for each output that failed; also hook implementations of the first process."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextmanager
    def caught(self, what: str) -> Iterator[None]:
        """Turn any exception into a line that begins with `what`, such as "the report was not written"."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the results do not depend on any single output
            self.lines.append(f"{what} ({reason(error)})")

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Let the other outputs be written if pytest, or another plugin, cannot write its own, such as JUnit's file."""
        try:
            return (yield)
        except OSError as error:
            self.lines.append(f"an output of pytest or of another plugin was not written ({reason(error)})")
            return None

    def print(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the lines that were not printed yet."""
        for line in self.lines:
            write_wrapped(terminalreporter, line, yellow=True)
        self.lines.clear()


def reason(error: Exception) -> str:
    """Return the cause of a failure on one line: a type's name only where the text does not stand alone."""
    if isinstance(error, OSError) and not isinstance(error, UltraError):
        return (error.strerror or str(error)).lower()
    return neutralise(str(error) if isinstance(error, UltraError) else f"{type(error).__name__}: {error}")
