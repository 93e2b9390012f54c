"""Writes the report at the end of a run, and prints where it is."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from pathlib import Path
from typing import Protocol

import pytest

from pytest_ultra.controller.output_failures import reason
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Summary
from pytest_ultra.options.settings import Settings
from pytest_ultra.reporting.text import neutralise
from pytest_ultra.storage.run_directory import RunDirectory


class _Run(Protocol):
    @property
    def started(self) -> RunDirectory | None: ...
    @property
    def episodes(self) -> tuple[Episode, ...]: ...
    def read_episode(self, episode: Episode) -> Episode: ...
    @property
    def summary(self) -> Summary: ...
    @property
    def has_lost_results(self) -> bool: ...


class ReportHooks:
    """Hook implementations of the first process."""

    def __init__(self, settings: Settings, run: _Run) -> None:
        self._path = settings.html
        self._run = run
        self._line = ""
        self._has_failed = False

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Write the report when all journals are closed; a failure to do so changes nothing else."""
        result = yield
        if self._run.started is not None:
            self._write(self._run.started)
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._line:
            terminalreporter.write_line(self._line, yellow=self._has_failed)

    def _write(self, run: RunDirectory) -> None:
        from pytest_ultra.controller.report_contents import NAME, contents_of, write_report  # noqa: PLC0415 - for the end of a run only

        path = self._path or run.path / NAME
        try:
            if not self._run.episodes:
                return
            contents = contents_of(
                run, self._run.summary, self._run.episodes, read=self._run.read_episode, ended_at=time.time()
            )
            write_report(path, contents)
        except Exception as error:  # noqa: BLE001 - the results do not depend on the report
            self._has_failed = True
            way_out = "" if self._run.has_lost_results else f"; {_WAY_OUT}"
            self._line = f"report: not written to {_relative(path)} ({reason(error)}){way_out}"
        else:
            self._line = f"report: {_relative(path)}"


_WAY_OUT = "the results are safe, and `pytest-ultra report` writes it from them"


def _relative(path: Path) -> str:
    return neutralise(os.path.relpath(path))
