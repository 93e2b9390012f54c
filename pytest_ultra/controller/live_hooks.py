"""What the first process shows while the others work: the live status, and the stalls that are noted."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Mapping
from time import monotonic
from typing import Protocol

import pytest

from pytest_ultra.distribution.placement import count_workers
from pytest_ultra.reporting.live_status.displays import Display, Log, Nowhere, Screen
from pytest_ultra.reporting.live_status.status_forecast import Outlook
from pytest_ultra.reporting.live_status.terminal_device import Terminal
from pytest_ultra.storage.progress_files import clear_progress, read_progress
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.worker.stall_watchdog import take_stalls

LINE_EVERY_S = 30.0
"""How often a log gets a line."""

_LOOK_S = 0.1  # at a terminal whose size changes; at what the workers tell, a few times less often
_LOOKS = 5


class Watcher:
    """Looks from a thread of its own at what the workers of a run tell, and shows it."""

    def __init__(self, run: RunDirectory, outlook: Outlook, display: Display, say: Callable[[str], None]) -> None:
        self._run = run
        self._outlook = outlook
        self._display = display
        self._say = say
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="ultra-watcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()
        self._display.close()

    def _watch(self) -> None:
        looks = 0
        while not self._is_over.wait(_LOOK_S):
            looks += 1
            if looks % _LOOKS:
                self._display.adapt()
            else:
                self._look()

    def _look(self) -> None:
        for stall in take_stalls(self._run.path):
            self._say(stall)
        shards = read_progress(self._run)
        if shards:
            self._display.show(self._outlook.observe(shards, monotonic()))


class _Run(Protocol):
    @property
    def begun(self) -> RunDirectory | None: ...

    @property
    def planned_cases(self) -> int: ...


class LiveHooks:
    """Hook implementations of the controller, or of the only process."""

    def __init__(self, config: pytest.Config, run: _Run, *, line_every_s: float = LINE_EVERY_S) -> None:
        self._config = config
        self._run = run
        self._line_every_s = line_every_s
        self._terminal: Terminal | None = None
        self._outlook: Outlook | None = None
        self._watcher: Watcher | None = None
        self._reports = 0
        self._broken = (0, 0)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Watch for as long as tests are run, however that ends. Nothing is captured when it begins."""
        run = self._run.begun
        if run is None:
            return (yield)
        self._terminal = Terminal()
        self._outlook = Outlook(lambda: self._run.planned_cases, max(1, count_workers(self._config)), monotonic())
        self._begin(run)
        try:
            return (yield)
        finally:
            self._end()
            self._terminal.close()
            clear_progress(run)

    @pytest.hookimpl
    def pytest_runtest_logreport(self) -> None:
        self._reports += 1

    @pytest.hookimpl
    def pytest_enter_pdb(self) -> None:
        """Leave the terminal to whoever has called `breakpoint()`."""
        self._end()

    @pytest.hookimpl
    def pytest_leave_pdb(self) -> None:
        if self._run.begun is not None:
            self._begin(self._run.begun)

    def _begin(self, run: RunDirectory) -> None:
        if self._outlook is not None:
            self._watcher = Watcher(run, self._outlook, self._display(), self._say)

    def _end(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None

    def _display(self) -> Display:
        reporter: pytest.TerminalReporter | None = self._config.pluginmanager.get_plugin("terminalreporter")
        is_debugged = any(self._config.getoption(name, default=False) for name in ("usepdb", "trace"))
        if reporter is None or self._terminal is None or reporter.verbosity < 0 or is_debugged:
            return Nowhere()
        if reporter.isatty and self._terminal.size() and can_redraw(os.environ, os.name):
            return Screen(self._terminal, has_colours=reporter.hasmarkup)
        return Log(self._say, self._line_every_s)

    def _say(self, text: str) -> None:
        if self._terminal is not None:
            self._terminal.write(f"{self._break_line()}{text}\n")

    def _break_line(self) -> str:
        """Return what ends the line that pytest is at, unless it was ended for what was said last."""
        if not self._config.pluginmanager.hasplugin("terminalreporter"):
            return ""
        at = (self._reports, self._config.get_terminal_writer().width_of_current_line)
        is_at_start = at[1] == 0 or at == self._broken
        self._broken = at
        return "" if is_at_start else "\n"


def can_redraw(environ: Mapping[str, str], system: str) -> bool:
    """Tell whether a terminal knows what the VT100 knew. Windows' own may not, and is told in lines."""
    return system == "posix" and environ.get("TERM", "dumb") not in ("", "dumb", "unknown")
