"""Writes the summary in Markdown: to the user's file, and to the summary of a GitHub job."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Protocol

import pytest

from pytest_ultra.controller.output_failures import OutputFailures
from pytest_ultra.core.figures import RunComparison, Summary
from pytest_ultra.core.gates import Decision
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.run_directory import RunDirectory

LIMIT = 1024 * 1024
"""Bytes of a step's summary; GitHub shows nothing of a longer one."""


class _Run(Protocol):
    @property
    def started(self) -> RunDirectory | None: ...
    @property
    def summary(self) -> Summary: ...


class _Gates(Protocol):
    @property
    def decision(self) -> Decision | None: ...
    @property
    def compared(self) -> RunComparison | None: ...


class MarkdownHooks:
    """Hook implementations of the first process."""

    def __init__(
        self, path: Path | None, step_summary: Path | None, seed: int, run: _Run, gates: _Gates | None
    ) -> None:
        """Take the user's file, and the file to which each GitHub step appends."""
        self._path = path
        self._step_summary = step_summary
        self._seed = seed
        self._run = run
        self._gates = gates
        self._failures = OutputFailures()

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Come after the gates, because their verdicts are part of the summary."""
        result = yield
        run = self._run.started
        if run is not None:
            with self._failures.caught("the Markdown summary was not written"):
                if self._gates or self._run.summary.counts.planned:
                    self._write(run.run_id)
        return result

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self._failures.print(terminalreporter)

    def _write(self, run_id: str) -> None:
        from pytest_ultra.reporting.markdown import MarkdownInput, render  # noqa: PLC0415 - for the end of a run only

        judged = (self._gates.decision, self._gates.compared) if self._gates else (None, None)
        content = MarkdownInput(self._run.summary, run_id, self._seed, *judged)
        if self._path is not None:
            with self._failures.caught("the Markdown summary was not written"):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(self._path, render(content).encode())
        if self._step_summary is not None:
            with self._failures.caught("the summary of the GitHub step was not written"):
                append_summary(self._step_summary, lambda room: render(content, room=room))


def append_summary(path: Path, render: Callable[[int], str]) -> None:
    """Append a summary to the file of a GitHub step, cut to what is left of GitHub's limit."""
    taken = path.stat().st_size if path.exists() else 0
    with path.open("ab") as file:
        file.write(render(LIMIT - taken).encode())
