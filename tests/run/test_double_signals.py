"""A run counts as interrupted unless it proved that it finished, whatever signals end it and whenever they arrive."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import product
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM

import pytest

from pytest_ultra.controller.run_lifecycle import RunLifecycle
from pytest_ultra.controller.unrun_cases import UnrunCases
from pytest_ultra.storage.journal import read_episodes
from pytest_ultra.storage.kept_turns import read_turns
from pytest_ultra.storage.results import State, find_state, interruption_of
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import read_run_end
from tests.run.project import NO_XDIST, TEN_CASES, Project, wait_until

SLOW = ("--ultra-model=demo/perfect?latency=0.2", "--ultra-task-type=simple_task,multi_stage_pipeline")
"""Twenty cases of different lengths."""


SIGNALS = {
    "int-int-soon": (0.05, (SIGINT, SIGINT)),
    "int-int": (0.2, (SIGINT, SIGINT)),
    "int-term": (0.1, (SIGINT, SIGTERM)),
    "int-hup": (0.1, (SIGINT, SIGHUP)),
}
"""Seconds after each of the two signals."""


@pytest.mark.parametrize(
    ("way", "args"),
    [
        *product(["int-int-soon", "int-int"], [NO_XDIST, ("-n2",)]),
        ("int-term", ("-n2",)),
        ("int-hup", NO_XDIST),
    ],
    ids=lambda value: value if isinstance(value, str) else "".join(value),
)
def test_two_signals_leave_an_interrupted_run_with_its_answers(
    project: Project, way: str, args: tuple[str, ...]
) -> None:
    gap_s, signals = SIGNALS[way]
    started = project.start(*SLOW, *args)
    wait_until(project.journaled_episodes)
    for number in signals:
        with suppress(ProcessLookupError):
            started.signal(number, is_group=True)
        time.sleep(gap_s)
    started.wait(60)

    run = RunDirectory.open(project.runs()[-1])
    assert find_state(run) is State.INTERRUPTED
    finished = {episode.case_id for episode in read_episodes(run).episodes}
    assert finished
    kept = read_turns(run, lambda case_id: case_id not in finished)
    assert kept, "the answers of unfinished episodes would be paid for again"


SECOND_CTRL_C = """
import os, signal

import pytest

def pytest_runtest_teardown():
    os.kill(os.getpid(), signal.SIGINT)

@pytest.hookimpl(trylast=True)
def pytest_keyboard_interrupt():
    os.kill(os.getpid(), signal.SIGINT)
"""


def test_no_success_is_recorded_when_a_second_signal_ends_pytest_before_it_has_set_an_exit_code(
    project: Project,
) -> None:
    project.pytester.makeconftest(SECOND_CTRL_C)
    started = project.start("--ultra-model=demo/perfect", TEN_CASES, "-n0")
    code = started.wait(60)

    end = read_run_end(RunDirectory.open(project.runs()[-1]))
    assert code == -SIGINT
    assert end is not None
    assert (end.exit_status, end.interruption) == (pytest.ExitCode.INTERRUPTED, "Ctrl-C")


def test_a_run_that_ended_without_its_last_hooks_says_so(tmp_path: Path, pytester: pytest.Pytester) -> None:
    run = RunDirectory.create(tmp_path, {}, started_at=0.0)
    lifecycle = RunLifecycle(UnrunCases())
    lifecycle.start(run)
    session = pytest.Session.from_config(pytester.parseconfig())
    session.exitstatus = pytest.ExitCode.OK  # as pytest sets it before any hook
    lifecycle.pytest_sessionstart(session)

    lifecycle.end()

    assert find_state(run) is State.INTERRUPTED
    assert interruption_of(run) == "ended before everything was written"
    end = read_run_end(run)
    assert end is not None
    assert end.exit_status == pytest.ExitCode.INTERRUPTED
