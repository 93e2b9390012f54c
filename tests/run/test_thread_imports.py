"""Only the main thread imports modules, and Ctrl-C ends a run that is starting, whenever it comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.run.project import TEN_CASES, Project, wait_until

RECORD_IMPORTS = """
import sys, threading

def record(event, args):
    if event == "import" and threading.current_thread() is not threading.main_thread():
        with open("imports.txt", "a") as file:
            print(threading.current_thread().name, args[0], file=file)

sys.addaudithook(record)
"""


def test_only_the_main_thread_imports(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    project.pytester.makeconftest(RECORD_IMPORTS)

    # in a process of its own, since an audit hook stays to the end of a process
    result = project.run_in_own_process(*xdist_on_off, "--ultra-model=demo/perfect?latency=0.1", TEN_CASES)

    result.assert_outcomes(passed=10)
    imports = project.path / "imports.txt"
    assert not imports.exists(), imports.read_text()


PROGRAM = """
import os, signal, sys
from pytest_ultra.engine.main_thread_imports import hold_signals
try:
    with hold_signals():
        os.kill(os.getpid(), signal.SIGINT)
        print("held", flush=True)
    print("not interrupted")
except KeyboardInterrupt:
    print("interrupted", signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def test_an_interrupt_during_an_import_comes_after_it() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - our own program
    assert done.stdout.split() == ["held", "interrupted", "True"]


BETWEEN_HANDLERS = """
import signal, sys
from pytest_ultra.engine.main_thread_imports import hold_signals

signal.signal(signal.SIGTERM, lambda *args: sys.exit())
left = int(sys.argv[1])

def raise_signal(frame, event, _):
    global left
    if event == "return" and frame.f_code is signal.signal.__code__:
        left -= 1
        if not left:
            sys.setprofile(None)
            signal.raise_signal(signal.SIGTERM)

sys.setprofile(raise_signal)
try:
    with hold_signals():
        pass
except SystemExit:
    print("ended", signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


@pytest.mark.parametrize("calls", [1, 3], ids=["replacing", "restoring"])
def test_a_signal_between_the_changes_of_two_handlers_leaves_both_as_they_were(calls: int) -> None:
    program = [sys.executable, "-c", BETWEEN_HANDLERS, str(calls)]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - our own program
    assert done.stdout.split() == ["ended", "True"], done.stderr


@pytest.mark.parametrize("delay_s", [0.0, 0.15, 0.3, 0.5, 0.8, 1.2])
def test_ctrl_c_during_the_start_ends_a_run_without_xdist(project: Project, delay_s: float) -> None:
    """The delay counts from the first sign of the run on disk: workflows are generated, and the endpoint is opened."""
    command = project.start("-p", "no:xdist", "--ultra-model=demo/perfect?latency=2", TEN_CASES)
    try:
        wait_until(project.runs)
        time.sleep(delay_s)
        os.kill(command.process.pid, signal.SIGINT)
        started = time.monotonic()
        assert command.wait(20) == pytest.ExitCode.INTERRUPTED, command.text
        assert time.monotonic() - started < 10
    finally:
        command.end()
