"""A run counts as interrupted unless it proved that it finished, whatever signals end it and whenever they arrive."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_ultra.storage.journal import read_episodes
from pytest_ultra.storage.kept_turns import read_turns
from pytest_ultra.storage.results import State, find_state
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_lookup import list_runs

SLOW = "demo/perfect?latency=0.3"
SUITE = ("--pyargs", "pytest_ultra.suite", f"--ultra-model={SLOW}", "-q")


def start(folder: Path, *args: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "pytest", *SUITE, *args],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def wait_for_an_episode(folder: Path) -> RunDirectory:
    """Return the run when its first episode is on disk and others are in flight."""
    for _ in range(600):
        for run in list_runs(folder / ".ultra"):
            if read_episodes(run).episodes:
                return run
        time.sleep(0.05)
    raise AssertionError("no episode finished within 30 s")


def send(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to all processes of the run, as a terminal does."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


@pytest.mark.parametrize("args", [(), ("-n0",), ("-n2",)], ids=["no-xdist", "n0", "n2"])
@pytest.mark.parametrize(
    ("gap_s", "signals"),
    [
        (0.05, (signal.SIGINT, signal.SIGINT)),
        (0.2, (signal.SIGINT, signal.SIGINT)),
        (0.1, (signal.SIGINT, signal.SIGTERM)),
        (0.1, (signal.SIGINT, signal.SIGHUP)),
    ],
    ids=["int-int-soon", "int-int", "int-term", "int-hup"],
)
def test_two_signals_leave_an_interrupted_run_with_its_answers(
    tmp_path: Path, args: tuple[str, ...], gap_s: float, signals: tuple[signal.Signals, ...]
) -> None:
    process = start(tmp_path, *args)
    run = wait_for_an_episode(tmp_path)
    for number in signals:
        send(process, number)
        time.sleep(gap_s)
    process.wait(30)

    assert find_state(run) is State.INTERRUPTED
    finished = {episode.case_id for episode in read_episodes(run).episodes}
    assert finished
    kept = read_turns(run, lambda case_id: case_id not in finished)
    assert kept, "the answers of unfinished episodes would be paid for again"


@pytest.mark.parametrize("args", [("-x",), ("-x", "-n2")], ids=["no-xdist", "n2"])
def test_a_run_that_stops_at_its_first_failure_finishes(tmp_path: Path, args: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "pytest", *SUITE[:2], "--ultra-model=demo/null", "-q", *args]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)  # noqa: S603 - our own command
    assert done.returncode in (1, 2)
    (run,) = list_runs(tmp_path / ".ultra")
    assert find_state(run) is State.FINISHED
