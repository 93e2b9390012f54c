"""While a run goes on it shows how far it is: on a terminal's lowest rows, as lines in a log, not at all with -q."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.run.running import MARK, ONE, TEN, Project
from tests.terminal_screen import TerminalScreen

SLOW = "--ultra-model=demo/perfect?latency=0.5"
PLAIN = ("-p", "no:cacheprovider", "-p", "no:randomly")
LINE = re.compile(
    r"ultra: (\d+)/10 done(; [\d.]+ episodes/(s|min))?; (ETA [\d:-]+|all done); \d+ calls? in flight, "
    r"\d+ waiting for limits(; [\d.]+ calls/(s|min))?; [\d,]+ tokens?, \$0\.00"
)

IMPATIENT = """
    import pytest
    from pytest_ultra.controller.live_status_hooks import LiveStatusHooks

    @pytest.hookimpl(trylast=True)
    def pytest_configure(config):
        manager = config.pluginmanager
        if manager.hasplugin("ultra-status"):
            manager.unregister(name="ultra-status")
            manager.register(LiveStatusHooks(config, manager.get_plugin("ultra-run"), line_every_s=0.5), "ultra-status")
"""
"""A log gets its lines sooner than every 30 s."""


class Watched:
    """The command on a terminal."""

    def __init__(self, folder: Path, mark: str, args: tuple[str, ...], seen: TerminalScreen, **environ: str) -> None:
        inherited = {
            name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "PY_COLORS")
        }
        self.seen = seen
        self.process = subprocess.Popen(  # noqa: S603 - it is the command under test
            [sys.executable, "-m", "pytest", *PLAIN, *args],
            stdin=seen.descriptor,
            stdout=seen.descriptor,
            stderr=seen.descriptor,
            cwd=folder,
            env=inherited | {MARK: mark, "TERM": "xterm-256color"} | environ,
            start_new_session=True,
        )

    def wait_for(self, text: str) -> list[str]:
        return self.seen.wait_for(lambda rows: any(text in row for row in rows))

    def end(self) -> list[str]:
        """Wait for the end; return all rows, those included that have scrolled away."""
        while self.process.poll() is None:
            self.seen.look(0.05)
        rows = self.seen.look(0.1)
        return [*self.seen.scrolled_away, *rows]


Watch = Callable[..., Watched]


@pytest.fixture
def watch(project: Project) -> Iterator[Watch]:
    screens: list[TerminalScreen] = []

    def start(*args: str, columns: int = 80, rows: int = 24, **environ: str) -> Watched:
        screens.append(TerminalScreen(columns, rows))
        return Watched(project.path, project.mark, args, screens[-1], **environ)

    yield start
    for seen in screens:
        seen.close()


def is_status(row: str) -> bool:
    return row.startswith((" all ", " gw", "- ultra -")) or " waiting for limits" in row


def test_a_terminal_shows_it_on_its_lowest_rows_and_in_the_end_nothing_of_it(
    watch: Watch, way: tuple[str, ...]
) -> None:
    run = watch(SLOW, TEN, *way)
    rows = run.wait_for(" ETA 0:")
    begins = next(number for number, row in enumerate(rows) if re.fullmatch(r"- ultra -+ \d:\d\d -", row))
    whole, *shards, last = rows[begins + 1 :]
    assert re.match(r" all \[[#-]*\.*\] \d+/10  ETA 0:0\d  \d+%", whole)
    assert [re.sub(r"\[.*\] \d/", "", row).split()[:2] for row in shards] == (
        [["gw0", "5"], ["gw1", "5"]] if way == ("-n2",) else []
    )
    assert re.match(r" \d+ calls? in flight, \d+ waiting for limits, .* tokens, \$0\.00$", last)
    assert run.seen.has_colours
    everything = run.end()
    assert run.process.returncode == 0
    assert not [row for row in everything if is_status(row)]
    assert any(re.search(r"= 10 passed in .* =+$", row) for row in everything)
    assert sum(row.count(".") for row in everything if row.endswith("[100%]")) >= 10


def test_pytests_own_lines_go_on_above_it_unharmed(watch: Watch) -> None:
    run = watch(SLOW, TEN, "-n0", "-v", "--ultra-concurrency=4", columns=200, rows=12)
    rows = run.wait_for("PASSED")
    assert is_status(rows[-1])
    everything = run.end()
    passed = [row for row in everything if re.search(r"::test_workflow\[.*\] PASSED \s*\[ *\d+%\]$", row)]
    assert len(passed) == 10


def test_what_tests_print_goes_on_above_it_unharmed(watch: Watch, project: Project) -> None:
    project.pytester.makepyfile("def test_loud(ultra_episode): print(f'<{ultra_episode.case.prompt_type}>')")
    everything = watch(SLOW, TEN, "-n0", "-s", "--ultra-concurrency=4", rows=12, NO_COLOR="1").end()
    assert len(re.findall(r"<\w+>", "".join(everything))) == 10
    assert not [row for row in everything if is_status(row)]


def test_it_follows_a_change_of_size(watch: Watch) -> None:
    run = watch(SLOW, TEN, "-n2")
    run.wait_for(" gw1 ")
    for columns, height in ((50, 15), (120, 40)):
        run.seen.resize(columns, height)
        rows = run.seen.wait_for(lambda rows: is_status(rows[-1]))
        assert len([row for row in rows if row.startswith("- ultra -")]) == 1
    assert not [row for row in run.end() if is_status(row)]


def test_a_crashed_workers_heir_takes_its_row(watch: Watch, project: Project) -> None:
    run = watch(SLOW, TEN, "-n2", "--ultra-concurrency=2")
    run.seen.wait_for(lambda rows: all(any(row.startswith(f" {name} ") for row in rows) for name in ("gw0", "gw1")))
    os.kill(project.workers()[0], signal.SIGKILL)
    rows = run.wait_for(" gw2 ")
    assert len([row for row in rows if row.startswith(" gw")]) == 2
    assert any("10 passed" in row for row in run.end())


def test_without_colours_it_is_plain_ascii(watch: Watch) -> None:
    run = watch(SLOW, TEN, "-n0", NO_COLOR="1")
    rows = run.wait_for(" all [")
    assert all(row.isascii() for row in rows if is_status(row))
    run.end()
    assert not run.seen.has_colours


def test_an_interrupt_leaves_the_terminal_as_it_was(watch: Watch, extreme: tuple[str, ...]) -> None:
    run = watch(SLOW, TEN, *extreme)
    run.wait_for(" all [")
    os.killpg(run.process.pid, signal.SIGINT)
    everything = run.end()
    assert run.process.returncode == pytest.ExitCode.INTERRUPTED
    assert not [row for row in everything if is_status(row)]
    os.write(run.seen.descriptor, b"\n" * 30 + b"the lowest row")
    assert run.seen.look()[-1] == "the lowest row"


def test_an_internal_error_leaves_the_terminal_as_it_was(watch: Watch, project: Project) -> None:
    project.pytester.makeconftest("""
        def pytest_runtest_logreport(report):
            raise RuntimeError("broken plugin")
    """)
    everything = watch(SLOW, "-n0", *ONE).end()
    assert any("INTERNALERROR> RuntimeError: broken plugin" in row for row in everything)
    assert not [row for row in everything if is_status(row)]


def test_a_debugger_has_the_terminal_to_itself(watch: Watch, project: Project) -> None:
    project.pytester.makepyfile("def test_mine(ultra_episode): breakpoint()")
    run = watch(SLOW, "-n0", *ONE)
    rows = run.wait_for("(Pdb)")
    assert not [row for row in rows if is_status(row)]
    run.seen.type("c\n")
    assert any("1 passed" in row for row in run.end())


@pytest.mark.parametrize("flag", ["-q", "--pdb"])
def test_it_is_off(watch: Watch, flag: str) -> None:
    run = watch(SLOW, "-n0", *ONE, flag)
    run.end()
    assert b"waiting for limits" not in run.seen.written


def test_a_log_gets_a_line_now_and_then(project: Project, way: tuple[str, ...]) -> None:
    project.pytester.makeconftest(IMPATIENT)
    result = project.run(SLOW, TEN, *way)
    lines = [line for line in result.outlines if line.startswith("ultra: ") and " done" in line]
    assert len(lines) >= 2
    assert [line for line in lines if not LINE.match(line)] == []
    assert "\x1b" not in result.stdout.str()
    result.assert_outcomes(passed=10)
    assert [path.name for path in project.runs()[0].iterdir() if "progress" in path.name] == []


def test_a_log_line_does_not_go_on_in_a_line_of_pytests(project: Project) -> None:
    project.pytester.makeconftest(IMPATIENT)
    result = project.run(SLOW, TEN, "-n0", "--ultra-concurrency=4")
    assert [line for line in result.outlines if "ultra: " in line and not line.startswith("ultra: ")] == []
    assert sum(line.count(".") for line in result.outlines if re.fullmatch(r"(\S*py )?\.+( *\[ *\d+%\])?", line)) >= 10


def test_a_log_has_no_line_of_it_with_q(project: Project) -> None:
    project.pytester.makeconftest(IMPATIENT)
    assert "waiting for limits" not in project.run(SLOW, "-n0", "-q", *ONE).stdout.str()


def test_a_terminal_that_cannot_redraw_is_treated_as_a_log(watch: Watch, project: Project) -> None:
    project.pytester.makeconftest(IMPATIENT)
    run = watch(SLOW, TEN, "-n0", TERM="dumb", columns=200)
    everything = run.end()
    assert [row for row in everything if LINE.match(row)]
    assert b"\x1b" not in run.seen.written
