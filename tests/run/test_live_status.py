"""The live status of a run: on a terminal's lowest rows, as lines in a log, not at all with -q."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.run.plan_model import follow_plan
from tests.run.project import NO_XDIST, ONE_CASE, RUN_MARKER, TEN_CASES, Project
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer
from tests.terminal_screen import TerminalScreen

MODEL = "--ultra-model=demo/perfect?latency=0.3"
SLOW = "--ultra-model=demo/perfect?latency=0.5"
"""Leaves a busy machine time to see what is on the screen only while the cases run, all at once."""
NO_PLUGINS = ("-p", "no:cacheprovider", "-p", "no:randomly")
LOG_LINE = re.compile(
    r"ultra: (\d+)/10 done( \(\d+ reported\))?(; \d+ passed, 0 failed, 0 errors; demo/perfect\S* 100% of \d+)?"
    r"(; [\d.]+ episodes/(s|min))?; (ETA [\d:-]+|all done); \d+ calls? in flight, "
    r"\d+ waiting for limits(; [\d.]+ calls/(s|min))?; [\d,]+ tokens?, \$0\.00"
)

FREQUENT_LINES = """
    import pytest
    from pytest_ultra.controller.live_status_hooks import LiveStatusHooks

    @pytest.hookimpl(trylast=True)
    def pytest_configure(config):
        manager = config.pluginmanager
        if manager.hasplugin("ultra-status"):
            manager.unregister(name="ultra-status")
            manager.register(LiveStatusHooks(config, manager.get_plugin("ultra-run"), line_every_s=0.1), "ultra-status")
"""
"""Writes a line to a log at each look at the progress instead of every 30 s."""


class TerminalRun:
    """The command, running on an emulated terminal."""

    def __init__(
        self, folder: Path, marker: str, args: tuple[str, ...], screen: TerminalScreen, **environ: str
    ) -> None:
        base = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "PY_COLORS")}
        self.screen = screen
        self.process = subprocess.Popen(  # noqa: S603 - it is the command under test
            [sys.executable, "-m", "pytest", *NO_PLUGINS, *args],
            stdin=screen.descriptor,
            stdout=screen.descriptor,
            stderr=screen.descriptor,
            cwd=folder,
            env=base | {RUN_MARKER: marker, "TERM": "xterm-256color"} | environ,
            start_new_session=True,
        )

    def wait_for(self, text: str) -> list[str]:
        return self.screen.wait_for(lambda rows: any(text in row for row in rows))

    def end(self) -> list[str]:
        """Wait for the end; return all rows, including those that scrolled off the screen."""
        while self.process.poll() is None:
            self.screen.look(0.05)
        rows = self.screen.look(0.1)
        return [*self.screen.scrolled_away, *rows]


StartOnTerminal = Callable[..., TerminalRun]


@pytest.fixture
def start_on_terminal(project: Project) -> Iterator[StartOnTerminal]:
    screens: list[TerminalScreen] = []

    def start(*args: str, columns: int = 80, rows: int = 24, **environ: str) -> TerminalRun:
        screens.append(TerminalScreen(columns, rows))
        return TerminalRun(project.path, project.marker, args, screens[-1], **environ)

    yield start
    for screen in screens:
        screen.close()


def is_status_row(row: str) -> bool:
    return row.startswith((" all ", " gw", "- ultra -")) or " waiting for limits" in row


def test_a_terminal_shows_the_status_on_its_lowest_rows_and_clears_it_at_the_end(
    start_on_terminal: StartOnTerminal, xdist_on_off: tuple[str, ...]
) -> None:
    run = start_on_terminal(SLOW, TEN_CASES, *xdist_on_off)
    rows = run.wait_for(" ETA 0:")
    top = next(number for number, row in enumerate(rows) if re.fullmatch(r"- ultra -+ \d:\d\d -", row))
    total, *shards, last = rows[top + 1 :]
    assert re.match(r" all \[[#-]*\.*\] \d+/10( \(\d+ reported\))?  ETA 0:0\d  \d+%", total)
    shards = [row for row in shards if row.startswith(" gw")]
    assert [re.sub(r"\[.*\] \d/", "", row).split()[:2] for row in shards] == (
        [["gw0", "5"], ["gw1", "5"]] if xdist_on_off == ("-n2",) else []
    )
    assert re.match(r" \d+ calls? in flight, \d+ waiting for limits, .* tokens, \$0\.00$", last)
    assert run.screen.has_colours
    all_rows = run.end()
    assert run.process.returncode == 0
    assert not [row for row in all_rows if is_status_row(row)]
    assert any(re.search(r"= 10 passed in .* =+$", row) for row in all_rows)
    assert sum(row.count(".") for row in all_rows if row.endswith("[100%]")) >= 10


def test_lines_of_pytest_stay_intact_above_the_status(start_on_terminal: StartOnTerminal) -> None:
    run = start_on_terminal(MODEL, TEN_CASES, "-n0", "-v", "--ultra-concurrency=5", columns=200, rows=12)
    run.screen.wait_for(lambda rows: any("PASSED" in row for row in rows) and is_status_row(rows[-1]))
    all_rows = run.end()
    passed = [row for row in all_rows if re.search(r"::test_workflow\[.*\] PASSED \s*\[ *\d+%\]$", row)]
    assert len(passed) == 10


def test_output_of_tests_stays_intact_above_the_status(start_on_terminal: StartOnTerminal, project: Project) -> None:
    project.pytester.makepyfile("def test_loud(ultra_episode): print(f'<{ultra_episode.case.prompt_type}>')")
    run = start_on_terminal(MODEL, TEN_CASES, "-n0", "-s", "--ultra-concurrency=5", rows=12, NO_COLOR="1")
    rows = run.wait_for(" all [")
    assert all(row.isascii() for row in rows if is_status_row(row)), "without colours it is plain ASCII"
    all_rows = run.end()
    assert not run.screen.has_colours
    assert len(re.findall(r"<\w+>", "".join(all_rows))) == 10
    assert not [row for row in all_rows if is_status_row(row)]


def test_the_status_follows_a_resized_terminal(start_on_terminal: StartOnTerminal) -> None:
    run = start_on_terminal(SLOW, TEN_CASES, "-n2")
    run.wait_for(" gw1 ")
    for columns, height in ((50, 15), (120, 40)):
        run.screen.resize(columns, height)
        rows = run.screen.wait_for(lambda rows: is_status_row(rows[-1]))
        assert len([row for row in rows if row.startswith("- ultra -")]) == 1
    assert not [row for row in run.end() if is_status_row(row)]


def test_a_replacement_takes_the_row_of_the_crashed_worker(
    start_on_terminal: StartOnTerminal, project: Project
) -> None:
    run = start_on_terminal(MODEL, TEN_CASES, "-n2", "--ultra-concurrency=2")
    run.screen.wait_for(lambda rows: all(any(row.startswith(f" {name} ") for row in rows) for name in ("gw0", "gw1")))
    os.kill(project.workers()[0], signal.SIGKILL)
    rows = run.wait_for(" gw2 ")
    assert len([row for row in rows if row.startswith(" gw")]) == 2
    assert any("10 passed" in row for row in run.end())


def test_an_interrupt_restores_the_terminal(start_on_terminal: StartOnTerminal, xdist_on_off: tuple[str, ...]) -> None:
    run = start_on_terminal(SLOW, TEN_CASES, *xdist_on_off)
    run.wait_for(" all [")
    os.killpg(run.process.pid, signal.SIGINT)
    all_rows = run.end()
    assert run.process.returncode == pytest.ExitCode.INTERRUPTED
    assert not [row for row in all_rows if is_status_row(row)]
    os.write(run.screen.descriptor, b"\n" * 30 + b"the lowest row")
    assert run.screen.look()[-1] == "the lowest row"


def test_an_internal_error_restores_the_terminal(start_on_terminal: StartOnTerminal, project: Project) -> None:
    project.pytester.makeconftest("""
        def pytest_runtest_logreport(report):
            raise RuntimeError("broken plugin")
    """)
    all_rows = start_on_terminal(MODEL, "-n0", *ONE_CASE).end()
    assert any("INTERNALERROR> RuntimeError: broken plugin" in row for row in all_rows)
    assert not [row for row in all_rows if is_status_row(row)]


def test_the_status_is_hidden_while_a_debugger_runs(start_on_terminal: StartOnTerminal, project: Project) -> None:
    project.pytester.makepyfile("def test_mine(ultra_episode): breakpoint()")
    run = start_on_terminal(MODEL, "-n0", *ONE_CASE)
    rows = run.wait_for("(Pdb)")
    assert not [row for row in rows if is_status_row(row)]
    run.screen.type("c\n")
    assert any("1 passed" in row for row in run.end())


@pytest.mark.parametrize("flag", ["-q", "--pdb"])
def test_the_status_is_off(start_on_terminal: StartOnTerminal, flag: str) -> None:
    run = start_on_terminal(MODEL, "-n0", *ONE_CASE, flag)
    run.end()
    assert b"waiting for limits" not in run.screen.written


def test_a_log_gets_status_lines_at_intervals_each_on_a_new_line(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    project.pytester.makeconftest(FREQUENT_LINES)
    result = project.run_in_own_process(MODEL, TEN_CASES, *xdist_on_off, "--ultra-concurrency=5")
    lines = [line for line in result.outlines if line.startswith("ultra: ") and " done" in line]
    assert len(lines) >= 2
    assert [line for line in lines if not LOG_LINE.match(line)] == []
    assert "\x1b" not in result.stdout.str()
    result.assert_outcomes(passed=10)
    assert [path.name for path in project.runs()[0].iterdir() if "progress" in path.name] == []
    assert [line for line in result.outlines if "ultra: " in line and not line.startswith("ultra: ")] == []
    assert sum(line.count(".") for line in result.outlines if re.fullmatch(r"(\S*py )?\.+( *\[ *\d+%\])?", line)) >= 10


def test_while_calls_wait_the_endpoints_last_words_are_shown(
    project: Project, start_server: Callable[[Script], ScriptedServer]
) -> None:
    turns = itertools.count()

    def script(request: ReceivedRequest) -> tuple[int, str]:
        if next(turns) == 0:
            return 429, json.dumps({"error": {"message": "Rate limit reached for tokens. Please try again in 1.5s."}})
        return 200, follow_plan(request.body)

    project.pytester.makeconftest(FREQUENT_LINES)
    args = (*NO_XDIST, "--ultra-model=m", f"--ultra-base-url={start_server(script).url}", *ONE_CASE)
    result = project.run_in_own_process(*args)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines("ultra: *; the endpoint says: status 429: Rate limit reached for tokens. *")


def test_a_quiet_log_has_no_status_line(project: Project) -> None:
    project.pytester.makeconftest(FREQUENT_LINES)
    assert "waiting for limits" not in project.run_in_own_process(MODEL, "-n0", "-q", *ONE_CASE).stdout.str()


def test_a_terminal_that_cannot_redraw_is_treated_as_a_log(
    start_on_terminal: StartOnTerminal, project: Project
) -> None:
    project.pytester.makeconftest(FREQUENT_LINES)
    run = start_on_terminal(MODEL, TEN_CASES, "-n0", TERM="dumb", columns=200)
    all_rows = run.end()
    assert [row for row in all_rows if LOG_LINE.match(row)]
    assert b"\x1b" not in run.screen.written
