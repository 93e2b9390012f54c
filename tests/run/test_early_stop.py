"""A run that stops early cancels paid calls at once, keeps finished episodes, and leaves no process behind."""

from __future__ import annotations

import signal
import time

import pytest

from tests.run.project import NO_XDIST, TEN_CASES, Project, RunningCommand, wait_until

SLOW_S = 60
QUICK_AND_SLOW = f"--ultra-model=demo/null,demo/perfect?latency={SLOW_S}"
"""Ten cases fail at once; the other ten would take minutes."""
MAX_STOP_S = 15.0
"""Limit for a very busy machine; on an idle one, stopping takes one or two seconds."""
SIGNALLED = {"alone": (NO_XDIST, False), "controller": (("-n2",), False), "group": (("-n2",), True)}
"""Options of the run, and whether its whole process group gets the signal; a single process needs no group."""


def check_final_state(project: Project) -> None:
    """Check that finished episodes were kept, all planned cases are reported, and no process is running."""
    finished = len(project.journaled_episodes())
    assert finished > 0
    assert dict(project.outcomes()) == {"failed": finished, "skipped": 20 - finished}
    assert all("null" in episode["model"] for episode in project.episodes() if episode["outcome"] == "failed")
    assert project.processes() == []


def last_finished_at(project: Project) -> float:
    return max(float(episode["started_at"] + episode["duration_s"]) for episode in project.journaled_episodes())


@pytest.mark.parametrize("args", [(*NO_XDIST, "-x"), ("-n2", "--maxfail=2")], ids=["no-xdist-x", "n2-maxfail"])
def test_maxfail_ends_the_run_at_once(project: Project, args: tuple[str, ...]) -> None:
    result = project.run(*args, QUICK_AND_SLOW, TEN_CASES)
    assert time.time() - last_finished_at(project) < MAX_STOP_S
    assert result.ret == (2 if "-n2" in args else 1), "xdist counts it as an interruption"
    check_final_state(project)


def start_and_wait_for_quick_cases(project: Project, *args: str) -> RunningCommand:
    started = project.start(*args, QUICK_AND_SLOW, TEN_CASES)
    wait_until(lambda: len(project.journaled_episodes()) == 10)
    return started


@pytest.mark.parametrize("signalled", SIGNALLED)
def test_ctrl_c_ends_the_run_at_once(project: Project, signalled: str) -> None:
    xdist_args, is_group = SIGNALLED[signalled]
    started = start_and_wait_for_quick_cases(project, *xdist_args)
    started.interrupt(is_group=is_group)
    assert started.wait(MAX_STOP_S) == pytest.ExitCode.INTERRUPTED
    check_final_state(project)
    assert "Traceback" not in started.text
    assert "INTERNALERROR" not in started.text


def test_a_killed_controller_leaves_no_process_and_keeps_finished_episodes(project: Project) -> None:
    started = start_and_wait_for_quick_cases(project, "-n2")
    started.signal(signal.SIGKILL, is_group=False)
    started.wait(1)
    wait_until(lambda: project.processes() == [], within_s=MAX_STOP_S)
    assert len(project.journaled_episodes()) == 10


EXITING_PLUGIN = """
    import pytest

    def pytest_runtest_logreport(report):
        if report.failed:
            pytest.exit("enough")
"""

BROKEN_PLUGIN = """
    def pytest_runtest_logreport(report):
        if report.failed:
            raise RuntimeError("a plugin is broken")
"""


@pytest.mark.parametrize(
    ("xdist_args", "conftest", "code"),
    [(NO_XDIST, EXITING_PLUGIN, 2), (("-n2",), EXITING_PLUGIN, 2), (("-n2",), BROKEN_PLUGIN, 3)],
    ids=["no-xdist-exit", "n2-exit", "n2-internal-error"],
)
def test_a_failing_session_cancels_paid_calls_at_once(
    project: Project, xdist_args: tuple[str, ...], conftest: str, code: int
) -> None:
    project.pytester.makeconftest(conftest)
    result = project.run(*xdist_args, QUICK_AND_SLOW, TEN_CASES)
    assert time.time() - last_finished_at(project) < MAX_STOP_S
    assert result.ret == code
    check_final_state(project)


def test_stepwise_on_workers_cancels_paid_calls_at_once_and_continues_from_there(project: Project) -> None:
    project.run("-n2", QUICK_AND_SLOW, TEN_CASES, "--sw")
    assert time.time() - last_finished_at(project) < MAX_STOP_S
    check_final_state(project)
    again = project.run(*NO_XDIST, "--ultra-model=demo/perfect", TEN_CASES, "--sw")
    again.assert_outcomes(passed=10)


@pytest.mark.parametrize("waits_for", ["stagger", "lock"])
def test_a_worker_that_waits_to_start_stops_at_once(project: Project, waits_for: str) -> None:
    args = ["--ultra-stagger=60"] if waits_for == "stagger" else []
    if waits_for == "lock":
        project.pytester.makeconftest("import time\ndef pytest_ultra_workflow(): time.sleep(60)")
    started = project.start("-n2", "--ultra-model=demo/null", TEN_CASES, *args)
    if waits_for == "stagger":
        wait_until(project.journaled_episodes)
    else:
        wait_until(lambda: project.runs() and list(project.runs()[-1].glob("guidance/lock-*")))
    started.interrupt(is_group=False)
    started.wait(MAX_STOP_S)
    assert project.processes() == []
