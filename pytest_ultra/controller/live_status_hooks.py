"""The live status: what the first process prints while the episodes run, stalls included."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Protocol

import pytest

from pytest_ultra.core.progress import ShardProgress
from pytest_ultra.distribution.placement import count_workers, is_debugged
from pytest_ultra.engine.clock import SYSTEM_CLOCK
from pytest_ultra.reporting.budget_lines import BUDGET_OF_ESTIMATES
from pytest_ultra.reporting.live_status.displays import Display, LogDisplay, NoDisplay, ScreenDisplay
from pytest_ultra.reporting.live_status.status_forecast import StatusForecast
from pytest_ultra.reporting.live_status.status_snapshot import StatusContext, StatusSnapshot
from pytest_ultra.reporting.live_status.terminal_device import Terminal
from pytest_ultra.storage.progress_files import clear_progress, read_progress
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stall_notes import take_stall_notes

LINE_EVERY_S = 30.0
"""How often a log gets a status line."""

_INTERVAL_S = 0.1  # between checks of the terminal's size
_CHECKS_PER_UPDATE = 5  # the workers' progress is read less often


class LiveStatusThread:
    """Reads the progress of a run's workers from its own thread, and displays it."""

    def __init__(
        self,
        run: RunDirectory,
        observe: Callable[[Sequence[ShardProgress]], StatusSnapshot],
        display: Display,
        print_line: Callable[[str], None],
        warn: Callable[[StatusSnapshot], None],
    ) -> None:
        self._run = run
        self._observe = observe
        self._display = display
        self._print = print_line
        self._warn = warn
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="ultra-live-status", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()
        self._display.close()

    def _watch(self) -> None:
        checks = 0
        while not self._is_over.wait(_INTERVAL_S):
            checks += 1
            if checks % _CHECKS_PER_UPDATE:
                self._display.redraw_if_resized()
            else:
                self._update()

    def _update(self) -> None:
        for note in take_stall_notes(self._run):
            self._print(note)
        shards = read_progress(self._run)
        if shards:
            status = self._observe(shards)
            self._warn(status)
            self._display.show(status)


class _Run(Protocol):
    @property
    def started(self) -> RunDirectory | None: ...

    @property
    def planned_cases(self) -> int: ...


class LiveStatusHooks:
    """Hook implementations of the first process."""

    def __init__(
        self,
        config: pytest.Config,
        run: _Run,
        *,
        line_every_s: float = LINE_EVERY_S,
        context: StatusContext | None = None,
    ) -> None:
        self._config = config
        self._context = context or StatusContext()
        self._may_warn = self._context.has_budget
        self._reported_cases: set[str] = set()
        self._run = run
        self._line_every_s = line_every_s
        self._terminal: Terminal | None = None
        self._forecast: StatusForecast | None = None
        self._thread: LiveStatusThread | None = None
        self._reports = 0
        self._broken_at = (0, 0)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Show the status while tests run, however that ends. pytest captures no output when it starts."""
        run = self._run.started
        if run is None:
            return (yield)
        self._terminal = Terminal()
        self._forecast = StatusForecast(
            lambda: self._run.planned_cases, max(1, count_workers(self._config)), SYSTEM_CLOCK.now(), self._context
        )
        self._start(run)
        try:
            return (yield)
        finally:
            self._end()
            self._terminal.close()
            clear_progress(run)

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._reports += 1
        case_id = dict(report.user_properties).get("ultra_case_id")
        if case_id is not None:
            self._reported_cases.add(str(case_id))

    @pytest.hookimpl
    def pytest_enter_pdb(self) -> None:
        """Leave the terminal to the debugger."""
        self._end()

    @pytest.hookimpl
    def pytest_leave_pdb(self) -> None:
        if self._run.started is not None:
            self._start(self._run.started)

    def _start(self, run: RunDirectory) -> None:
        forecast = self._forecast
        if forecast is None:
            return

        def observe(shards: Sequence[ShardProgress]) -> StatusSnapshot:
            return forecast.observe(shards, SYSTEM_CLOCK.now(), len(self._reported_cases))

        self._thread = LiveStatusThread(run, observe, self._display(), self._print, self._warn)

    def _warn(self, status: StatusSnapshot) -> None:
        """Say once that the budget rests on estimates, as soon as an answer without token counts has come."""
        if self._may_warn and status.estimated:
            self._may_warn = False
            self._print(f"ultra: {BUDGET_OF_ESTIMATES}")

    def _end(self) -> None:
        if self._thread is not None:
            self._thread.stop()
            self._thread = None

    def _display(self) -> Display:
        reporter: pytest.TerminalReporter | None = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or self._terminal is None or reporter.verbosity < 0 or is_debugged(self._config):
            return NoDisplay()
        if getattr(reporter, "isatty", False) and self._terminal.size() and can_redraw(os.environ, os.name):
            return ScreenDisplay(self._terminal, has_colours=reporter.hasmarkup)
        return LogDisplay(self._print, self._line_every_s)

    def _print(self, text: str) -> None:
        if self._terminal is not None:
            self._terminal.write(f"{self._break_line()}{text}\n")

    def _break_line(self) -> str:
        """Return a line end if pytest is in the middle of a line, unless the last output of ours has ended it."""
        if not self._config.pluginmanager.hasplugin("terminalreporter"):
            return ""
        at = (self._reports, self._config.get_terminal_writer().width_of_current_line)
        is_at_start = at[1] == 0 or at == self._broken_at
        self._broken_at = at
        return "" if is_at_start else "\n"


def can_redraw(environ: Mapping[str, str], system: str) -> bool:
    """Return whether a terminal understands VT100 codes. Windows' own may not, and gets lines."""
    return system == "posix" and environ.get("TERM", "dumb") not in ("", "dumb", "unknown")
